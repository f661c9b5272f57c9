"""
What scales: the metrics, the alarms, Application Auto Scaling and its loop, put together.
"""

import time
from collections.abc import Callable
from typing import Final

from tonnage.domain import ScaledClock

from ._timeline import Timelines
from ._wall import WallTime
from .autoscaling import AutoScaling, ScalingBook, ScalingLoop
from .autoscaling.book import DIMENSION, NAMESPACE
from .aws import AwsService
from .cloudwatch import CloudWatch, MetricStore
from .options import EndpointOptions, ScalingOptions
from .variants import Variants

__all__ = ["ACCOUNT", "REGION", "ScalingControl"]

ACCOUNT: Final = "000000000000"
REGION: Final = "us-east-1"


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
        Register a variant and put the settings' policy on it, as a client would.

        Raises:
            AwsError: If it cannot be scaled so.
        """
        named = {
            "ServiceNamespace": NAMESPACE,
            "ResourceId": f"endpoint/{endpoint.endpoint_name}/variant/{endpoint.variant_name}",
            "ScalableDimension": DIMENSION,
        }
        operations = self._autoscaling.operations
        await operations["RegisterScalableTarget"](
            {**named, "MinCapacity": scaling.min_capacity, "MaxCapacity": scaling.max_capacity}
        )
        await operations["PutScalingPolicy"](
            {
                **named,
                "PolicyName": scaling.policy_name,
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": scaling.target_value,
                    "PredefinedMetricSpecification": {
                        "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
                    },
                    "ScaleInCooldown": _whole(scaling.scale_in_cooldown_seconds),
                    "ScaleOutCooldown": _whole(scaling.scale_out_cooldown_seconds),
                },
            }
        )


def _whole(seconds: float) -> float:
    """Return whole seconds as AWS's integer; a fraction, which AWS cannot have, stays one."""
    return int(seconds) if seconds == int(seconds) else seconds
