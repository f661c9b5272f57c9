"""
Cooldowns: what one activity makes the next one wait for.

Both start when the capacity has *settled*: with ``scaling_succeeded``, not with the decision. AWS's
words on the scale-out cooldown allow more than one reading; ``docs/decisions/0011`` has ours.
"""

from dataclasses import replace
from typing import TypeVar

import numpy as np

from .arrays import RELATIVE_TOLERANCE, BoolArray, CodeArray, CountArray, FloatArray
from .decisions import Decision, Reason, TargetDecision
from .state import Cooldowns, Pending
from .target_state import TargetState

__all__ = [
    "in_cooldown",
    "scaling_failed",
    "scaling_succeeded",
    "start_scaling",
    "target_scaling_failed",
    "target_scaling_succeeded",
]

_S = TypeVar("_S", bound=Cooldowns)


def in_cooldown(
    since_seconds: FloatArray, cooldown_seconds: FloatArray, now_seconds: float | FloatArray
) -> BoolArray:
    """Say where a cooldown that began at ``since_seconds`` (-inf: never) still lasts."""
    # Without the tolerance, rounding could let a cooldown end one period late at some time scales.
    return now_seconds - since_seconds < cooldown_seconds * (1 - RELATIVE_TOLERANCE)


def start_scaling(state: _S, decision: Decision | TargetDecision, *, base: CountArray) -> _S:
    """
    Return the state after what was decided has started.

    A scale-out ends a scale-in cooldown for good (AAS). An activity that only restores the bounds
    is not the policy's: it starts no cooldown.

    Args:
        state: The memory before.
        decision: What was decided.
        base: ``(n,) int64``, what a scale-out counts its size from.
    """
    out = decision.reason == Reason.SCALED_OUT.value
    size = decision.desired_instance_count - base
    pending = state.pending.copy()
    np.putmask(pending, out, Pending.OUT.value)
    np.putmask(pending, decision.reason == Reason.SCALED_IN.value, Pending.IN.value)
    np.putmask(pending, decision.reason == Reason.BROUGHT_WITHIN_BOUNDS.value, Pending.NONE.value)
    return replace(
        state,
        scale_in_succeeded_at_seconds=np.where(out, -np.inf, state.scale_in_succeeded_at_seconds),
        pending=pending,
        pending_base=np.where(out, base, state.pending_base),
        pending_size=np.where(out, size, state.pending_size),
    )


def scaling_succeeded(
    state: _S, now_seconds: float | FloatArray, *, which: BoolArray | None = None
) -> _S:
    """
    Return the state after capacity asked for is in service, or capacity given up is gone.

    The cooldown of that activity starts now. Where no activity of the policy is under way nothing
    changes, so a caller may report every end of an update.

    Args:
        state: The memory before.
        now_seconds: When it settled, one moment or one for each policy.
        which: ``(n,) bool``, for which policies; all when not given.
    """
    settled = np.ones(state.pending.shape, dtype=np.bool_) if which is None else which
    out = settled & (state.pending == Pending.OUT.value)
    into = settled & (state.pending == Pending.IN.value)
    return replace(
        state,
        scale_out_succeeded_at_seconds=np.where(
            out, now_seconds, state.scale_out_succeeded_at_seconds
        ),
        scale_out_base=np.where(out, state.pending_base, state.scale_out_base),
        scale_out_size=np.where(out, state.pending_size, state.scale_out_size),
        scale_in_succeeded_at_seconds=np.where(
            into, now_seconds, state.scale_in_succeeded_at_seconds
        ),
        pending=_without_pending(state, settled),
    )


def scaling_failed(state: _S, *, which: BoolArray | None = None) -> _S:
    """Return the state after an activity has failed: no cooldown, so the alarm asks again."""
    settled = np.ones(state.pending.shape, dtype=np.bool_) if which is None else which
    return replace(state, pending=_without_pending(state, settled))


def target_scaling_succeeded(
    state: TargetState, now_seconds: float | FloatArray, *, which: BoolArray | None = None
) -> TargetState:
    """Return the state after a target's capacity has settled; see ``scaling_succeeded``."""
    settled = scaling_succeeded(state.cooldowns, now_seconds, which=which)
    return replace(state, cooldowns=settled)


def target_scaling_failed(state: TargetState, *, which: BoolArray | None = None) -> TargetState:
    """Return the state after a target's activity has failed; see ``scaling_failed``."""
    return replace(state, cooldowns=scaling_failed(state.cooldowns, which=which))


def _without_pending(state: Cooldowns, settled: BoolArray) -> CodeArray:
    return np.where(settled, np.int8(Pending.NONE), state.pending)
