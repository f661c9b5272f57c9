"""
What an evaluation decides, and why.
"""

from dataclasses import dataclass
from enum import IntEnum

from .arrays import BoolArray, CodeArray, CountArray

__all__ = ["Decision", "Reason"]


class Reason(IntEnum):
    """
    Why capacity changes, or does not.

    The last five are Application Auto Scaling's ``NotScaledReasons``; ``aws_code`` spells them.
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

    @property
    def aws_code(self) -> str | None:
        """The ``Code`` of the ``NotScaledReason``; None where AWS has no word for it."""
        if self < Reason.ALREADY_AT_MAX_CAPACITY:
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
        return (self.reason >= Reason.SCALED_OUT.value) & (
            self.reason <= Reason.BROUGHT_WITHIN_BOUNDS.value
        )
