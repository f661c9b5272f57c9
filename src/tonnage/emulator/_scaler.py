"""
What scales: the metrics, the alarms, Application Auto Scaling and its loop, put together.
"""

import time
from collections.abc import Callable

from tonnage.domain import ConfigurationError, ScaledClock

from ._place import ACCOUNT, REGION
from ._scaling_calls import (
    scheduled_action,
    step_alarm,
    step_policy,
    target_tracking,
    variant_named,
)
from ._timeline import Timelines
from ._wall import WallTime
from .autoscaling import AutoScaling, ScalingBook, ScalingLoop
from .aws import AwsError, AwsService
from .cloudwatch import CloudWatch, MetricStore
from .options import EndpointOptions, ScalingOptions
from .variants import Variants

__all__ = ["ScalingControl"]


class ScalingControl:
    """
    Everything that watches and moves the production variants.

    Args:
        variants: The production variants.
        clock: The emulator's clock.
        metric_delay_seconds: From the end of a metric period to its datapoint, on that clock.
        region: What ARNs say.
        account: Likewise.
        now_epoch_seconds: The wall clock.

    Attributes:
        cloudwatch: The metrics and the alarms.
        book: What is registered for scaling.
        timelines: What the fleets did, for reports.
        loop: What evaluates and moves.
    """

    def __init__(
        self,
        variants: Variants,
        clock: ScaledClock,
        *,
        metric_delay_seconds: float = 0.0,
        region: str = REGION,
        account: str = ACCOUNT,
        now_epoch_seconds: Callable[[], float] = time.time,
    ) -> None:
        wall = WallTime.of(clock, now_epoch_seconds)
        store = MetricStore(variants, wall, metric_delay_seconds=metric_delay_seconds)
        self.cloudwatch = CloudWatch(store, region=region, account=account)
        self.book = ScalingBook(wall, region, account)
        self.timelines = Timelines(clock.time_scale)
        self.loop = ScalingLoop(self.book, self.cloudwatch, variants, self.timelines)
        self._autoscaling = AutoScaling(self.book, self.cloudwatch, variants).service()

    def services(self) -> tuple[AwsService, ...]:
        """Return what AWS clients call."""
        return self.cloudwatch.service(), self._autoscaling

    async def put(self, endpoint: EndpointOptions, scaling: ScalingOptions) -> None:
        """
        Register a variant and put the settings' policies and schedules on it, as a client would.

        Raises:
            ConfigurationError: If AWS would refuse it.
        """
        try:
            await self._put(endpoint, scaling)
        except AwsError as error:
            raise ConfigurationError(
                f"the scaling settings are refused: {error.message}"
            ) from error

    async def _put(self, endpoint: EndpointOptions, scaling: ScalingOptions) -> None:
        named = variant_named(endpoint)
        scales, watches = self._autoscaling.operations, self.cloudwatch.service().operations
        await scales["RegisterScalableTarget"](
            {**named, "MinCapacity": scaling.min_capacity, "MaxCapacity": scaling.max_capacity}
        )
        await scales["PutScalingPolicy"]({**named, **target_tracking(scaling)})
        for step in scaling.step:
            policy = await scales["PutScalingPolicy"]({**named, **step_policy(step)})
            await watches["PutMetricAlarm"](step_alarm(endpoint, step, policy["PolicyARN"]))
        for action in scaling.scheduled:
            await scales["PutScheduledAction"]({**named, **scheduled_action(action)})
