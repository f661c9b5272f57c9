"""
Target tracking: what the user sets of it. Steps are ``step_policies``.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import ArrayLike

from .arrays import BoolArray, FloatArray, columns, require

__all__ = ["DEFAULT_COOLDOWN_SECONDS", "TargetTrackingPolicy"]

DEFAULT_COOLDOWN_SECONDS: Final = 300.0
"""Application Auto Scaling's default for variants, in both directions."""

_TARGET_VALUE_RANGE: Final = (2.0**-360, 2.0**360)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TargetTrackingPolicy:
    """
    Keep a metric that falls as capacity rises at or below a target value.

    Attributes:
        target_value: ``(n,) float64``, in the metric's unit; for
            ``SageMakerVariantInvocationsPerInstance`` invocations per instance and *minute*.
        scale_in_cooldown_seconds: ``(n,) float64``, after a scale-in, until the next may start.
        scale_out_cooldown_seconds: ``(n,) float64``, after a scale-out, until the next that is
            not larger may start.
        disable_scale_in: ``(n,) bool``, whether the policy only ever adds capacity.

    Raises:
        ConfigurationError: If a value is out of range.
    """

    target_value: FloatArray
    scale_in_cooldown_seconds: FloatArray
    scale_out_cooldown_seconds: FloatArray
    disable_scale_in: BoolArray

    def __post_init__(self) -> None:
        smallest, largest = _TARGET_VALUE_RANGE
        value = self.target_value
        require(
            (value >= smallest) & (value <= largest),
            value,
            "target_value must be above 0, and at most 2^360",
        )
        for name in ("scale_in_cooldown_seconds", "scale_out_cooldown_seconds"):
            seconds = getattr(self, name)
            require((seconds >= 0) & np.isfinite(seconds), seconds, f"{name} must be 0 or more")

    @classmethod
    def of(
        cls,
        *,
        target_value: ArrayLike,
        scale_in_cooldown_seconds: ArrayLike = DEFAULT_COOLDOWN_SECONDS,
        scale_out_cooldown_seconds: ArrayLike = DEFAULT_COOLDOWN_SECONDS,
        disable_scale_in: ArrayLike = False,
    ) -> Self:
        """Return a policy from plain numbers, or many from sequences of them."""
        value, scale_in, scale_out, disabled = columns(
            target_value, scale_in_cooldown_seconds, scale_out_cooldown_seconds, disable_scale_in
        )
        return cls(
            target_value=value.astype(np.float64),
            scale_in_cooldown_seconds=scale_in.astype(np.float64),
            scale_out_cooldown_seconds=scale_out.astype(np.float64),
            disable_scale_in=disabled.astype(np.bool_),
        )
