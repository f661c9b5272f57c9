"""
The scaling loop: once a metric period, the scaling law on the emulator's clock.
"""

import asyncio
import logging
import time

from tonnage.domain import ScaledClock, ScalingActivity
from tonnage.scaling import (
    Decision,
    Observation,
    PolicyNames,
    ScalableTarget,
    ScalingState,
    TargetTrackingPolicy,
    activity_cause,
    evaluate,
    scaling_succeeded,
)

from ._fleet import Fleet
from ._metrics import PERIOD_SECONDS, VariantMetrics
from ._timeline import Timeline
from .options import EndpointOptions, ScalingOptions

__all__ = ["Scaler"]

logger = logging.getLogger(__name__)


class Scaler:
    """
    Evaluates the policy of one variant and moves its fleet.

    Args:
        options: The policy; None only notes the metric.
        endpoint: What it belongs to.
        fleet: What it moves.
        metrics: What it looks at.
        clock: The emulator's clock.
        timeline: Where it notes what it did.
        metric_delay_seconds: From the end of a period to its datapoint.
    """

    def __init__(
        self,
        options: ScalingOptions | None,
        endpoint: EndpointOptions,
        *,
        fleet: Fleet,
        metrics: VariantMetrics,
        clock: ScaledClock,
        timeline: Timeline,
        metric_delay_seconds: float,
    ) -> None:
        self._law = _Law(options, endpoint) if options else None
        self._fleet = fleet
        self._metrics = metrics
        self._clock = clock
        self._timeline = timeline
        self._delay_seconds = metric_delay_seconds
        self._was_updating = False

    async def run(self) -> None:
        """Evaluate at the end of each period, until cancelled."""
        period = int(self._clock.now_seconds() // PERIOD_SECONDS)
        while True:
            due = (period + 1) * PERIOD_SECONDS + self._delay_seconds
            await asyncio.sleep(self._clock.real_seconds_until(due))
            self._evaluate(period)
            period += 1

    def fleet_changed(self) -> None:
        """Take note of a change in the fleet: an update that is over starts its cooldown."""
        now = time.monotonic()
        in_service = len(self._fleet.in_service)
        self._timeline.instances_changed(now, self._fleet.desired_count, in_service)
        if self._was_updating and not self._fleet.is_updating:
            self._timeline.activity_ended(now)
            if self._law:
                self._law.succeeded(self._clock.now_seconds())
        self._was_updating = self._fleet.is_updating

    def _evaluate(self, period: int) -> None:
        value = self._metrics.invocations_per_instance(period)
        self._timeline.period_ended(time.monotonic(), value)
        if self._law is None:
            return
        before = self._fleet.desired_count
        observation = Observation.of(
            metric_value=value,
            desired_instance_count=before,
            in_service_instance_count=max(1, len(self._fleet.in_service)),
            is_updating=self._fleet.is_updating,
        )
        decision = self._law.evaluate(observation, self._clock.now_seconds())
        if decision.acts[0]:
            self._act(before, int(decision.desired_instance_count[0]), value, decision)

    def _act(self, before: int, after: int, value: float, decision: Decision) -> None:
        assert self._law is not None
        cause = self._law.cause(decision)
        logger.warning(
            "scaling from %d to %d instances at %.0f invocations per instance and minute: %s",
            before,
            after,
            value,
            cause,
        )
        self._timeline.activity_started(
            ScalingActivity(
                at_seconds=time.monotonic(), from_count=before, to_count=after, cause=cause
            )
        )
        self._fleet.set_desired(after)


class _Law:
    """The scaling law for one policy, with its memory."""

    def __init__(self, options: ScalingOptions, endpoint: EndpointOptions) -> None:
        self._policy = TargetTrackingPolicy.of(
            target_value=options.target_value,
            scale_in_cooldown_seconds=options.scale_in_cooldown_seconds,
            scale_out_cooldown_seconds=options.scale_out_cooldown_seconds,
        )
        self._target = ScalableTarget.of(
            min_capacity=options.min_capacity, max_capacity=options.max_capacity
        )
        self._names = PolicyNames(
            endpoint_name=endpoint.endpoint_name,
            variant_name=endpoint.variant_name,
            policy_name=options.policy_name,
        )
        self._state = ScalingState.initial()

    def evaluate(self, observation: Observation, now_seconds: float) -> Decision:
        self._state, decision = evaluate(
            self._policy, self._target, self._state, observation, now_seconds
        )
        return decision

    def succeeded(self, now_seconds: float) -> None:
        self._state = scaling_succeeded(self._state, now_seconds)

    def cause(self, decision: Decision) -> str:
        return activity_cause(decision, self._target, self._names)
