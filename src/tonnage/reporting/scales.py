"""
The ranges that all experiments of a report share, so that they can be compared by eye.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import ConfigurationError, RunRecord, parse_rate

from .series import Timeline, charted_seconds

__all__ = ["Scales", "emulated_cap_per_second"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scales:
    """
    One range an axis, wide enough for every record.

    Attributes:
        end_seconds: Where the time axis ends; it begins at 0.
        requests_per_second: The top of the rate axis.
        users: The top of the users' axis.
        instances: The top of the instances' axis.
        latency_milliseconds: Both ends of the logarithmic latency axis, each 1, 2 or 5 times a
            power of ten.
    """

    end_seconds: float
    requests_per_second: float
    users: float
    instances: float
    latency_milliseconds: tuple[float, float]

    @classmethod
    def around(cls, records: Sequence[RunRecord], timelines: Sequence[Timeline]) -> Self:
        """Return the ranges that hold all of ``records`` and their ``timelines``."""
        latencies = [values for line in timelines for values in line.latency_seconds.values()]
        return cls(
            end_seconds=max(charted_seconds(record) for record in records),
            requests_per_second=_top(line.sent_per_second for line in timelines) * 1.08,
            users=_top(line.users for line in timelines) * 1.08,
            instances=_top([_counts(record) for record in records]) + 1,
            latency_milliseconds=_decades(np.concatenate(latencies) * 1000),
        )

    @property
    def latency_ticks(self) -> list[float]:
        """The values to name on the latency axis: only powers of ten when it spans many."""
        low, high = self.latency_milliseconds
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        leading = (1, 2, 5) if len(powers) <= 4 else (1,)  # noqa: PLR2004 (what a panel has room for)
        ticks = [round(first * 10.0**power, 6) for power in powers for first in leading]
        return [tick for tick in ticks if low <= tick <= high]


def emulated_cap_per_second(record: RunRecord) -> float | None:
    """Return the capacity one instance was capped at, None where the settings name none."""
    local = record.settings.get("local")
    if not isinstance(local, Mapping):
        return None
    value = local.get("instance_rate", local.get("instance_rate_per_second"))
    if isinstance(value, str):
        try:
            return parse_rate(value)
        except ConfigurationError:
            return None
    known = isinstance(value, int | float) and math.isfinite(value) and value > 0
    return float(value) if known else None


def _counts(record: RunRecord) -> NDArray[np.float64]:
    changes = record.fleet.instances if record.fleet else ()
    return np.array([max(desired, serving) for _, desired, serving in changes], dtype=np.float64)


def _top(columns: Iterable[NDArray[np.float64]]) -> float:
    values = np.concatenate([np.ones(1), *columns])
    return float(np.max(values[np.isfinite(values)], initial=1.0))


def _decades(milliseconds: NDArray[np.float64]) -> tuple[float, float]:
    known = milliseconds[np.isfinite(milliseconds) & (milliseconds > 0)]
    if len(known) == 0:
        return 1.0, 1000.0
    low, high = _round(float(known.min()), -1), _round(float(known.max()), 1)
    return (low, high) if low < high else (low, low * 10)


def _round(value: float, direction: int) -> float:
    """
    Return the nearest 1, 2 or 5 times a power of ten.

    Args:
        value: Any number above 0.
        direction: -1 for one that is not above it, 1 for one that is not below.
    """
    power = 10.0 ** math.floor(math.log10(value))
    steps = [first * power for first in (1, 2, 5, 10)]
    if direction < 0:
        return max(step for step in steps if step <= value * (1 + 1e-9))
    return min(step for step in steps if step >= value * (1 - 1e-9))
