"""
What the first policy's alarms saw, period by period.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["AlarmHistory"]

_Floats = NDArray[np.float64]
_Codes = NDArray[np.int8]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class AlarmHistory:
    """
    What was seen at the end of each period.

    Attributes:
        metric_value: ``(p, n) float64``, NaN where missing.
        high: ``(p, n) int8`` of ``AlarmState``.
        low: ``(p, n) int8``, likewise; OK for a step policy, which has one alarm.
    """

    metric_value: _Floats
    high: _Codes
    low: _Codes

    @classmethod
    def empty(cls, periods: int, count: int) -> Self:
        """Return a history in which nothing has been seen yet."""
        codes = np.zeros((2, periods, count), dtype=np.int8)
        return cls(metric_value=np.full((periods, count), np.nan), high=codes[0], low=codes[1])

    def note(
        self,
        period: NDArray[np.int64],
        fleet: NDArray[np.intp],
        metric: _Floats,
        alarms: tuple[_Codes, _Codes],
    ) -> None:
        """Keep what some fleets saw in some periods, all of one length."""
        self.metric_value[period, fleet] = metric
        self.high[period, fleet], self.low[period, fleet] = alarms
