"""
What is known of the fleet: what an instance carries, how long a new one takes, what may go wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from tonnage.domain import ConfigurationError

from .provisioning import ProvisioningDelay

__all__ = ["FleetModel"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FleetModel:
    """
    A variant's instances, as a simulation knows them.

    An instance is one first-come-first-served server with constant service time 1/line and a
    bounded wait, as the emulator's cap is; the router picks one in service at random, as SageMaker
    does by default.

    Attributes:
        line_per_second: The load line of one instance: a scalar, or ``(n,)``, one for each policy.
        queue_seconds: The longest a request waits at an instance before it is refused.
        provisioning_delay_seconds: From a decision to the new instances in service: a scalar,
            ``(n,)``, or a distribution that each instance draws from.
        metric_delay_seconds: From the end of a metric period to its datapoint; on AWS 60 to 120.
        drain_seconds: From a scale-in to the end of its update; the instances are out at once.
        launch_failure_fraction: Of launches that fail at their end and are tried again.
        max_available_instances: How many instances there are to be had: a scalar or ``(n,)``;
            None for as many as are asked for. What cannot be had fails its activity.
        initial_instance_count: At the start: a scalar or ``(n,)``.
        arrivals: How arrivals come about their rate: evenly (``constant``, as the load line is
            found and paced users send) or as independent users' (``poisson``), which meet a
            bounded queue sooner.
        latency_curve: Measured ``(utilisation, seconds)`` points in rising utilisation, which the
            latency estimate is then read off; None estimates it from the queue.

    Raises:
        ConfigurationError: If a value is out of range.
    """

    line_per_second: ArrayLike
    queue_seconds: float = 0.07
    provisioning_delay_seconds: ArrayLike | ProvisioningDelay = 300.0
    metric_delay_seconds: float = 0.0
    drain_seconds: float = 0.0
    launch_failure_fraction: float = 0.0
    max_available_instances: ArrayLike | None = None
    initial_instance_count: ArrayLike = 1
    arrivals: Literal["constant", "poisson"] = "constant"
    latency_curve: Sequence[tuple[float, float]] | None = None

    def __post_init__(self) -> None:
        line = np.atleast_1d(np.asarray(self.line_per_second, dtype=np.float64))
        is_sound = (line > 0) & (line < np.inf)
        if not is_sound.all():
            raise ConfigurationError(
                f"the load line must be above 0/s, not {line[~is_sound][0]:g}/s",
                hint="measure it with `tonnage line`",
            )
        for name in ("queue_seconds", "metric_delay_seconds", "drain_seconds"):
            if not 0 <= getattr(self, name) < np.inf:
                raise ConfigurationError(f"{name} must be 0 or more, not {getattr(self, name)}")
        if not 0 <= self.launch_failure_fraction < 1:
            raise ConfigurationError(
                f"launch_failure_fraction must be at least 0 and less than 1,"
                f" not {self.launch_failure_fraction}"
            )
        if self.arrivals not in {"constant", "poisson"}:
            raise ConfigurationError(f"arrivals are constant or poisson, not {self.arrivals!r}")
        self._check_delay()
        self._check_counts()
        self._check_curve()

    def _check_delay(self) -> None:
        if hasattr(self.provisioning_delay_seconds, "sample"):
            return
        delay = np.asarray(self.provisioning_delay_seconds, dtype=np.float64)
        if not ((delay >= 0) & (delay < np.inf)).all():
            raise ConfigurationError(f"provisioning_delay_seconds must be 0 or more, not {delay}")

    def _check_counts(self) -> None:
        for name in ("initial_instance_count", "max_available_instances"):
            value = getattr(self, name)
            if value is None:
                continue
            count = np.asarray(value, dtype=np.float64)
            if not ((count >= 1) & (count == np.floor(count)) & (count < np.inf)).all():
                raise ConfigurationError(f"{name} must be a whole number, at least 1, not {value}")

    def _check_curve(self) -> None:
        if self.latency_curve is None:
            return
        points = np.asarray(self.latency_curve, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != 2 or not (np.diff(points[:, 0]) > 0).all():  # noqa: PLR2004 (pairs)
            raise ConfigurationError(
                "latency_curve must be (utilisation, seconds) pairs in rising utilisation"
            )
        if not ((points >= 0) & np.isfinite(points)).all():
            raise ConfigurationError("latency_curve must hold finite values of 0 or more")
