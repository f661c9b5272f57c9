"""
What an evaluation decides, and why.
"""

from dataclasses import dataclass
from enum import IntEnum

from .arrays import BoolArray, CodeArray, CountArray

__all__ = ["Decision", "Reason", "TargetDecision"]


class Reason(IntEnum):
    """
    Why capacity changes, or does not.

    Those from ``ALREADY_AT_MAX_CAPACITY`` to ``TARGET_SERVICE_PUT_RESOURCE_AS_UNSCALABLE`` are
    Application Auto Scaling's ``NotScaledReasons``; ``aws_code`` spells them. The ones after them
    need a scalable target with several policies, steps, or suspended scaling.
    """

    NO_ALARM = 0
    SCALED_OUT = 1
    SCALED_IN = 2
    BROUGHT_WITHIN_BOUNDS = 3
    INSUFFICIENT_DATA = 4
    IN_SCALE_OUT_COOLDOWN = 5
    IN_SCALE_IN_COOLDOWN = 6
    SCALE_IN_DISABLED = 7
    ALREADY_AT_MAX_CAPACITY = 8
    ALREADY_AT_MIN_CAPACITY = 9
    ALREADY_AT_DESIRED_CAPACITY = 10
    AUTO_SCALING_ANTICIPATED_FLAPPING = 11
    TARGET_SERVICE_PUT_RESOURCE_AS_UNSCALABLE = 12
    SCALE_OUT_SUSPENDED = 13
    SCALE_IN_SUSPENDED = 14
    OTHER_POLICIES_NOT_READY = 15
    NO_STEP_ADJUSTMENT = 16
    NOT_DUE = 17

    @property
    def aws_code(self) -> str | None:
        """The ``Code`` of the ``NotScaledReason``; None where AWS has no word for it."""
        last = Reason.TARGET_SERVICE_PUT_RESOURCE_AS_UNSCALABLE
        if not Reason.ALREADY_AT_MAX_CAPACITY <= self <= last:
            return None
        return "".join(word.capitalize() for word in self.name.split("_"))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Decision:
    """
    What n policies decide at one moment.

    Attributes:
        desired_instance_count: ``(n,) int64``, as it was unless ``acts``.
        reason: ``(n,) int8`` of ``Reason``.
        high_alarm: ``(n,) int8`` of ``AlarmState``.
        low_alarm: ``(n,) int8`` of ``AlarmState``.
    """

    desired_instance_count: CountArray
    reason: CodeArray
    high_alarm: CodeArray
    low_alarm: CodeArray

    @property
    def acts(self) -> BoolArray:
        """Where a scaling activity starts, ``(n,) bool``."""
        return _acts(self.reason)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TargetDecision:
    """
    What n scalable targets, each with k policies, decide at one moment.

    Attributes:
        desired_instance_count: ``(n,) int64``, as it was unless ``acts``.
        reason: ``(n,) int8`` of ``Reason``; where nothing happens, the most telling policy's.
        policy: ``(n,) int64``, which policy the change or the reason is from; -1 for none, as when
            capacity is brought within bounds.
        policy_reasons: k of ``(n,) int8``, what each policy asked for, or why it asked nothing.
            ``SCALED_OUT`` and ``SCALED_IN`` here are what it asked for, whether it was done or not.
        alarms: k pairs ``(n,) int8`` of ``AlarmState``: AlarmHigh and AlarmLow of target tracking;
            a step policy's own alarm, and OK.
    """

    desired_instance_count: CountArray
    reason: CodeArray
    policy: CountArray
    policy_reasons: tuple[CodeArray, ...]
    alarms: tuple[tuple[CodeArray, CodeArray], ...]

    @property
    def acts(self) -> BoolArray:
        """Where a scaling activity starts, ``(n,) bool``."""
        return _acts(self.reason)


def _acts(reason: CodeArray) -> BoolArray:
    return (reason >= Reason.SCALED_OUT.value) & (reason <= Reason.BROUGHT_WITHIN_BOUNDS.value)
