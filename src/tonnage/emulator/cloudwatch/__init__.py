"""
A local CloudWatch: the endpoints' metrics, metrics of a user's own, and alarms.

Time is compressed with the emulator's: a ``Period`` counts the emulator's seconds, so that 60 is
one CloudWatch minute whatever that lasts, and datapoints of 60 are ``60 / time_scale`` real seconds
apart. Timestamps are the wall clock's, both ways. Counts are multiplied by ``time_scale``, so that
a rate reads the same at every scale (``docs/decisions/0082``).
"""

from .alarms import Alarm, AlarmBook, alarm_members, state_reason
from .loop import AlarmLoop
from .metrics import Metric
from .service import CloudWatch
from .store import MetricStore

__all__ = [
    "Alarm",
    "AlarmBook",
    "AlarmLoop",
    "CloudWatch",
    "Metric",
    "MetricStore",
    "alarm_members",
    "state_reason",
]
