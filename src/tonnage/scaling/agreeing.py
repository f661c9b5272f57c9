"""
How the policies of one scalable target come to one decision.

AWS's rules for several policies on one target (AAS, "Considerations" of target tracking;
application-autoscaling API, ``PutScalingPolicy``):

- out if any policy asks for it, to the largest capacity asked for;
- in by target tracking only if all such policies with scale-in enabled are ready to scale in;
- in by a step policy whether the target tracking policies are ready or not;
- in to the largest capacity of those that ask.
"""

from collections.abc import Sequence

import numpy as np

from .arrays import BoolArray, CodeArray, CountArray
from .asks import Ask
from .attached import AttachedPolicy, TargetTracking
from .decisions import Reason
from .suspension import SuspendedState

__all__ = ["NOBODY", "agreed", "direction", "masked", "telling"]

NOBODY = -1
"""Whose a change is that no policy asked for."""


def agreed(
    policies: Sequence[AttachedPolicy],
    asks: Sequence[Ask],
    is_due: Sequence[BoolArray],
    suspended: SuspendedState,
    current: CountArray,
) -> tuple[CountArray, CountArray, list[CodeArray], CountArray]:
    """Return the count agreed on, whose it is, what each policy asked, and what counts as added."""
    in_agrees = _tracking_agrees(policies, asks, is_due)
    wanted, added = current.copy(), np.zeros_like(current)
    who = np.full(current.shape, NOBODY, dtype=np.int64)
    largest_in = np.zeros_like(current)
    reasons = []
    for index, (policy, ask, due) in enumerate(zip(policies, asks, is_due, strict=True)):
        reason = masked(ask.reason, due)
        out = reason == Reason.SCALED_OUT.value
        into = ask.reason == Reason.SCALED_IN.value
        if isinstance(policy, TargetTracking):
            # One that is ready has its say when another one's period ends.
            np.putmask(
                reason,
                into & due & np.logical_not(in_agrees),
                Reason.OTHER_POLICIES_NOT_READY.value,
            )
            into = into & in_agrees
        else:
            into = into & due
        out_is_off = suspended.dynamic_scaling_out_suspended
        in_is_off = suspended.dynamic_scaling_in_suspended
        np.putmask(reason, out & out_is_off, Reason.SCALE_OUT_SUSPENDED.value)
        np.putmask(reason, into & in_is_off, Reason.SCALE_IN_SUSPENDED.value)
        out, into = out & ~out_is_off, into & ~in_is_off
        is_larger = (out & (ask.out > np.maximum(wanted, current))) | (
            into & (wanted <= current) & (ask.into > largest_in)
        )
        np.copyto(largest_in, ask.into, where=into & is_larger)
        np.copyto(wanted, np.where(out, ask.out, ask.into), where=is_larger)
        np.copyto(added, ask.added, where=is_larger)
        np.putmask(who, is_larger, index)
        reasons.append(reason)
    return wanted, who, reasons, added


def _tracking_agrees(
    policies: Sequence[AttachedPolicy], asks: Sequence[Ask], is_due: Sequence[BoolArray]
) -> bool | BoolArray:
    """Say where every target tracking policy with scale-in enabled is ready, and one is due."""
    votes = [
        (ask.reason == Reason.SCALED_IN.value, policy.policy.disable_scale_in, due)
        for policy, ask, due in zip(policies, asks, is_due, strict=True)
        if isinstance(policy, TargetTracking)
    ]
    if not votes:
        return False
    all_ready = np.logical_and.reduce([is_ready | has_none for is_ready, has_none, _ in votes])
    now: BoolArray = all_ready & np.logical_or.reduce(
        [is_ready & due for is_ready, _, due in votes]
    )
    return now


def masked(reason: CodeArray, due: BoolArray) -> CodeArray:
    """Return the reasons of a policy, ``NOT_DUE`` where it was not asked."""
    masked = reason.copy()
    np.putmask(masked, ~due, Reason.NOT_DUE.value)
    return masked


def direction(wanted: CountArray, current: CountArray) -> CodeArray:
    """Return the reason of a change, out or in; meaningless where there is none."""
    out, into = np.int8(Reason.SCALED_OUT), np.int8(Reason.SCALED_IN)
    return np.where(wanted > current, out, into)


def telling(reasons: Sequence[CodeArray], like: CountArray) -> tuple[CodeArray, CountArray]:
    """Return the most telling reason of all policies, and whose it is."""
    if not reasons:
        nobody = np.full(like.shape, NOBODY, dtype=np.int64)
        return np.zeros(like.shape, dtype=np.int8), nobody
    chosen, who = reasons[0].copy(), np.zeros(like.shape, dtype=np.int64)
    rank = _RANK[chosen]
    for index, reason in enumerate(reasons[1:], start=1):
        higher = _RANK[reason] > rank
        np.copyto(chosen, reason, where=higher)
        np.putmask(who, higher, index)
        rank = np.maximum(rank, _RANK[reason])
    return chosen, who


_RANK = np.full(len(Reason), 3, dtype=np.int8)
_RANK[[Reason.NOT_DUE, Reason.NO_ALARM, Reason.INSUFFICIENT_DATA]] = (0, 1, 2)
