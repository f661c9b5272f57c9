"""
What a policy may have beside its numbers: another metric, steps of its own, a schedule.

In the words of ``tonnage.toml``: ``[scaling] metric``, ``[[scaling.step]]``,
``[[scaling.scheduled]]``. A kind is the same for many policies, so that they are simulated at once.
"""

from dataclasses import dataclass
from typing import Any, Final

from tonnage.domain import ScheduledAction, StepPolicy
from tonnage.scaling import (
    CONCURRENT_REQUESTS_PER_MODEL,
    INVOCATIONS_PER_INSTANCE,
    PREDEFINED_METRICS,
    AttachedPolicy,
    ScalableTarget,
    TargetState,
    TargetTracking,
    TargetTrackingPolicy,
    apply_scheduled_action,
    scheduled_runs,
)
from tonnage.scaling import ScheduledAction as LawAction

from .rule_forms import action_settings, law_action, law_steps, step_settings

__all__ = ["CONCURRENCY", "INVOCATIONS", "PLAIN", "PolicyKind"]

INVOCATIONS: Final = str(INVOCATIONS_PER_INSTANCE.predefined_type)
CONCURRENCY: Final = str(CONCURRENT_REQUESTS_PER_MODEL.predefined_type)
_WEEK_SECONDS: Final = 7 * 86_400.0


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyKind:
    """
    What the policies of a group share.

    Attributes:
        metric: What their target tracking follows, AWS's ``PredefinedMetricType``.
        steps: Step policies beside it.
        scheduled: What moves their bounds.
    """

    metric: str = INVOCATIONS
    steps: tuple[StepPolicy, ...] = ()
    scheduled: tuple[ScheduledAction, ...] = ()

    @property
    def is_high_resolution(self) -> bool:
        """Whether it follows requests in flight every 10 s."""
        return self.metric == CONCURRENCY

    def attached(
        self, policy: TargetTrackingPolicy, name: str = "TargetTracking"
    ) -> tuple[AttachedPolicy, ...]:
        """Return all policies of a scalable target, the target tracking one first."""
        tracking = TargetTracking(policy=policy, metric=PREDEFINED_METRICS[self.metric], name=name)
        return (tracking, *map(law_steps, self.steps))

    def actions(self) -> tuple[LawAction, ...]:
        """Return the scheduled actions in the scaling law's own form."""
        return tuple(map(law_action, self.scheduled))

    def bounds_at(self, target: ScalableTarget, seconds: float) -> ScalableTarget:
        """Return the bounds as the schedule of the week before a moment has left them."""
        if not self.scheduled:
            return target
        state = TargetState.initial(target)
        for _, action in scheduled_runs(self.actions(), seconds - _WEEK_SECONDS, seconds):
            state, _ = apply_scheduled_action(state, action)
        return state.target

    def settings(self) -> dict[str, Any]:
        """Return its keys of ``[scaling]``; lists only where there is something in them."""
        lists = {
            "step": [step_settings(steps) for steps in self.steps],
            "scheduled": [action_settings(action) for action in self.scheduled],
        }
        return {"metric": self.metric, **{name: rows for name, rows in lists.items() if rows}}


PLAIN: Final = PolicyKind()
"""Target tracking on invocations, and nothing beside it."""
