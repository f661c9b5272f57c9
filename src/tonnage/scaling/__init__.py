"""
AWS's scaling law as pure functions: target tracking, its two alarms, bounds and cooldowns.

A policy is evaluated once a metric period. Its datapoint joins those kept; AlarmHigh and AlarmLow
are read off them; an alarm asks for the capacity that brings the metric to the target; bounds,
cooldowns and a busy endpoint have their say; a decision comes out, with its reason and the new
state.

Every quantity is an array with one element per policy. The emulator passes length 1 on its clock,
the simulator thousands on a virtual one, and both run this very code: time is an argument, and
nothing here reads a clock or does I/O. All times are in one unit, so that scaling all of them
changes nothing.

The price is that a lone policy pays numpy's overhead, 25 microseconds for a quiet minute and 70
when an alarm asks for something, while ten thousand policies together need one millisecond.

What AWS does not document is a named parameter or a decision record, ``docs/decisions/0010`` to
``0014``.
"""

from .alarms import TARGET_TRACKING, AlarmRule, AlarmState, alarm_states
from .causes import AlarmKind, PolicyNames, activity_cause
from .cooldowns import scaling_failed, scaling_succeeded
from .decisions import Decision, Reason
from .evaluation import decide, evaluate
from .policies import DEFAULT_COOLDOWN_SECONDS, TargetTrackingPolicy
from .state import Observation, Pending, ScalingState, record_datapoint
from .targets import ScalableTarget

__all__ = [
    "DEFAULT_COOLDOWN_SECONDS",
    "TARGET_TRACKING",
    "AlarmKind",
    "AlarmRule",
    "AlarmState",
    "Decision",
    "Observation",
    "Pending",
    "PolicyNames",
    "Reason",
    "ScalableTarget",
    "ScalingState",
    "TargetTrackingPolicy",
    "activity_cause",
    "alarm_states",
    "decide",
    "evaluate",
    "record_datapoint",
    "scaling_failed",
    "scaling_succeeded",
]
