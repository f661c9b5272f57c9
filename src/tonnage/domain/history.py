"""
A record second by second, as CSV with the column names of Locust's ``_stats_history.csv``.

Whatever reads Locust's file reads this one. It differs in what it was made from: raw samples, so
percentiles are exact and of the row's own second, where Locust's are of the last ten and rounded to
two digits. Content sizes are not recorded and read ``N/A``, as does a percentile without answers.
"""

import csv
import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from .analysis import percentile

if TYPE_CHECKING:
    from .records import RunRecord

__all__ = ["HISTORY_COLUMNS", "HISTORY_PERCENTILES", "history_csv", "write_series"]

HISTORY_PERCENTILES: Final = (0.5, 0.66, 0.75, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 0.9999, 1.0)
HISTORY_COLUMNS: Final = (
    "Timestamp",
    "User Count",
    "Type",
    "Name",
    "Requests/s",
    "Failures/s",
    *(f"{fraction * 100:.6g}%" for fraction in HISTORY_PERCENTILES),
    "Total Request Count",
    "Total Failure Count",
    "Total Median Response Time",
    "Total Average Response Time",
    "Total Min Response Time",
    "Total Max Response Time",
    "Total Average Content Size",
)

_NONE: Final = "N/A"
_BUCKETS: Final = 1024
_FARTHEST_SECONDS: Final = 1e12
_EMPTY_ROWS_SECONDS: Final = 3600
"""In a longer record the seconds in which nothing ended have no row."""

Floats = NDArray[np.float64]


def history_csv(record: "RunRecord") -> str:
    """
    Return a record's seconds as CSV, one row each, times in milliseconds.

    A request counts in the second in which it ended, as Locust counts it; response times are from
    the intended send, over the answered requests.
    """
    samples = record.samples
    order = np.argsort(samples.done_seconds, kind="stable")
    done = samples.done_seconds[order]
    failed = samples.failed[order]
    answered = samples.status[order] > 0
    milliseconds = samples.latency_seconds[order] * 1000
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(HISTORY_COLUMNS)
    total = _Total(milliseconds[answered])
    failures = known = 0
    for second, first, last in _seconds(record, done):
        fresh = milliseconds[first:last][answered[first:last]]
        failed_now = int(failed[first:last].sum())
        failures += failed_now
        total.add(known, known + len(fresh))
        known += len(fresh)
        rows.writerow(
            [
                math.floor(record.started_at_epoch_seconds + second + 1),
                _users(record, second + 1),
                "",
                "Aggregated",
                last - first,
                failed_now,
                *_percentiles(fresh),
                last,
                failures,
                *map(_shown, total.numbers()),
                _NONE,
            ]
        )
    return text.getvalue()


def _seconds(record: "RunRecord", done: Floats) -> Iterator[tuple[int, int, int]]:
    """Give each second, and which requests, in the order of their ends, ended in it."""
    whole = np.floor(np.clip(np.nan_to_num(done, nan=0.0), 0.0, _FARTHEST_SECONDS))
    seconds, firsts = np.unique(whole.astype(np.int64), return_index=True)
    lasts = np.append(firsts, len(done))[1:]
    ended = dict(
        zip(seconds.tolist(), zip(firsts.tolist(), lasts.tolist(), strict=True), strict=True)
    )
    lasted = record.duration_seconds if math.isfinite(record.duration_seconds) else 0.0
    count = max(1, math.ceil(min(lasted, _FARTHEST_SECONDS)), *(second + 1 for second in ended))
    first = last = 0
    for second in range(count) if count <= _EMPTY_ROWS_SECONDS else sorted(ended):
        first, last = ended.get(second, (last, last))
        yield second, first, last


def _percentiles(milliseconds: Floats) -> list[str]:
    if len(milliseconds) == 0:
        return [_NONE] * len(HISTORY_PERCENTILES)
    return [_shown(percentile(milliseconds, fraction)) for fraction in HISTORY_PERCENTILES]


def write_series(record: "RunRecord", directory: Path) -> Path:
    """Write a record's seconds beside it, as ``series.csv``; it is derived and never read back."""
    file = directory / "series.csv"
    file.write_text(history_csv(record), encoding="utf-8")
    return file


class _Total:
    """The numbers over everything so far; the median without sorting it all each second."""

    def __init__(self, values: Floats) -> None:
        self._values = values
        self._sorted = np.sort(values)
        self._ranks = np.empty(len(values), dtype=np.int64)
        self._ranks[np.argsort(values, kind="stable")] = np.arange(len(values))
        self._width = max(1, -(-len(values) // _BUCKETS))
        self._present = np.zeros(len(values), dtype=bool)
        self._counts = np.zeros(_BUCKETS, dtype=np.int64)
        self._count = 0
        self._sum = 0.0

    def add(self, first: int, last: int) -> None:
        ranks = self._ranks[first:last]
        self._present[ranks] = True
        self._counts += np.bincount(ranks // self._width, minlength=_BUCKETS)
        self._count += last - first
        self._sum += float(self._values[first:last].sum())

    def numbers(self) -> tuple[float, float, float, float]:
        """Return median, mean, least and largest; NaN without values."""
        if self._count == 0:
            return (float("nan"),) * 4
        return (
            self._nth((self._count + 1) // 2 - 1),
            self._sum / self._count,
            self._nth(0),
            self._nth(self._count - 1),
        )

    def _nth(self, place: int) -> float:
        below = np.cumsum(self._counts)
        bucket = int(np.searchsorted(below, place, side="right"))
        within = place - (int(below[bucket - 1]) if bucket else 0)
        start = bucket * self._width
        there = np.flatnonzero(self._present[start : start + self._width])
        return float(self._sorted[start + int(there[within])])


def _users(record: "RunRecord", second: int) -> int:
    held = 0
    for at, count in record.users:
        if at > second:
            break
        held = count
    return held


def _shown(milliseconds: float) -> str:
    return f"{milliseconds:.3f}" if math.isfinite(milliseconds) else _NONE
