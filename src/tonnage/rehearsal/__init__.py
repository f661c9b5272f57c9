"""
The story end to end on one machine: an emulated endpoint, a load test on it, a report.

At a ``time_scale`` of 20 a rehearsal takes about two and a half minutes: the ramp of 1,000 users
lasts 50 s instead of 1,000. Confirming the plan takes another minute. It keeps two cores busy; what
else runs on them shows in the figures.
"""

from ._rehearsal import Rehearsal, rehearse
from .findings import AloneFindings, ScaledFindings, alone_findings, scaled_findings
from .plan import Experiment, RehearsalPlan
from .planned import PlanFindings, Rehearsed

__all__ = [
    "AloneFindings",
    "Experiment",
    "PlanFindings",
    "Rehearsal",
    "RehearsalPlan",
    "Rehearsed",
    "ScaledFindings",
    "alone_findings",
    "rehearse",
    "scaled_findings",
]
