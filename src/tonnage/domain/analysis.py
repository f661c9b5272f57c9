"""
Numbers derived from raw samples, each defined where it is computed.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .objectives import Objective
from .samples import Samples

__all__ = [
    "PERCENTILES",
    "LoadSummary",
    "Onset",
    "failure_onset",
    "meets",
    "per_second_counts",
    "percentile",
    "send_spread_seconds",
    "summarise",
]

PERCENTILES: Final = (0.5, 0.9, 0.95, 0.99, 0.999)
"""The fractions a summary reports, as p50 … p99.9."""

ONSET_WINDOWS: Final = 3
ONSET_FRACTION: Final = 0.01
_ROUNDING: Final = 1e-12


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadSummary:
    """
    What a window of a load test showed.

    Attributes:
        window_seconds: The window's length.
        requests: Requests whose intended send lies in it.
        failed: Those of them without a 2xx answer.
        offered_per_second: ``requests`` ÷ window: arrivals meant for the window, served or not.
        throughput_per_second: Answers of any status to those requests ÷ window.
        goodput_per_second: 2xx answers to those requests, below the latency threshold when one
            is given, ÷ window.
        error_fraction: ``failed`` ÷ ``requests``, 0 without requests.
        latency_seconds: Percentile name (``p50``) → seconds from intended send to last byte, over
            all answered requests, failed ones too; NaN without any.
    """

    window_seconds: float
    requests: int
    failed: int
    offered_per_second: float
    throughput_per_second: float
    goodput_per_second: float
    error_fraction: float
    latency_seconds: dict[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Onset:
    """
    Where failures begin.

    Attributes:
        at_seconds: Send time of the failure that opens the first three seconds with at least 1 %
            failed in each.
        offered_per_second: Requests sent in the second before it.
        failed_fraction_before: Of the requests sent before it, the fraction that failed.
    """

    at_seconds: float
    offered_per_second: float
    failed_fraction_before: float


def percentile(values: NDArray[np.float64], fraction: float) -> float:
    """
    Return the smallest of ``values`` that at least ``fraction`` of them do not exceed.

    An order statistic, never an interpolation; NaN without values.
    """
    if len(values) == 0:
        return float("nan")
    # p99.9 is read as 0.9990000000000001, of which 999 in 1,000 must not fall short.
    rank = math.ceil(fraction * len(values) * (1 - _ROUNDING))
    index = min(max(rank, 1), len(values)) - 1
    return float(np.partition(values, index)[index])


def summarise(
    samples: Samples,
    *,
    start_seconds: float,
    end_seconds: float,
    latency_threshold_seconds: float = float("inf"),
) -> LoadSummary:
    """Return what the requests intended for ``[start, end)`` showed."""
    window = samples.between(start_seconds, end_seconds)
    seconds = end_seconds - start_seconds
    answered = window.status > 0
    latency = window.latency_seconds
    good = ~window.failed & (latency < latency_threshold_seconds)
    failed = int(window.failed.sum())
    return LoadSummary(
        window_seconds=seconds,
        requests=len(window),
        failed=failed,
        offered_per_second=len(window) / seconds,
        throughput_per_second=float(answered.sum()) / seconds,
        goodput_per_second=float(good.sum()) / seconds,
        error_fraction=failed / len(window) if len(window) else 0.0,
        latency_seconds={
            f"p{fraction * 100:g}": percentile(latency[answered], fraction)
            for fraction in PERCENTILES
        },
    )


def meets(samples: Samples, objective: Objective) -> bool:
    """Say whether the requests meet both terms; requests without an answer count as slow, too."""
    if len(samples) == 0:
        return False
    latency = np.where(samples.status > 0, samples.latency_seconds, np.inf)
    return (
        percentile(latency, objective.latency.percentile) < objective.latency.threshold_seconds
        and float(samples.failed.mean()) < objective.errors.max_fraction
    )


def per_second_counts(
    moments_seconds: NDArray[np.float64], duration_seconds: float
) -> NDArray[np.int64]:
    """Return how many moments fall into each second of the run, ``(ceil(duration),) int64``."""
    seconds = max(1, int(np.ceil(duration_seconds)))
    inside = moments_seconds[(moments_seconds >= 0) & (moments_seconds < seconds)]
    return np.bincount(inside.astype(np.int64), minlength=seconds)


def failure_onset(samples: Samples) -> Onset | None:
    """
    Return where failures begin, None where they never last three seconds.

    The onset is the first failure after which each of three consecutive seconds, counted from it,
    has at least 1 % of its requests failed.
    """
    ordered = samples.sorted_by_send()
    sent = ordered.sent_seconds
    cumulative = np.concatenate([[0], np.cumsum(ordered.failed)])
    moments = sent[ordered.failed]
    lasting = np.ones(len(moments), dtype=bool)
    for second in range(ONSET_WINDOWS):
        first = np.searchsorted(sent, moments + second, side="left")
        last = np.searchsorted(sent, moments + second + 1, side="left")
        failed = cumulative[last] - cumulative[first]
        lasting &= (failed > 0) & (failed >= ONSET_FRACTION * (last - first))
    if not lasting.any():
        return None
    moment = float(moments[int(np.argmax(lasting))])
    before = int(np.searchsorted(sent, moment, side="left"))
    second_before = int(np.searchsorted(sent, moment - 1, side="left"))
    return Onset(
        at_seconds=moment,
        offered_per_second=float(before - second_before),
        failed_fraction_before=float(cumulative[before]) / before if before else 0.0,
    )


def send_spread_seconds(samples: Samples, *, share: float = 0.9) -> float:
    """
    Return how widely sends are spread within a second.

    It is the shortest stretch of the (circular) second that holds ``share`` of the sends of one
    second, as the median over all full seconds with at least 20 sends. Evenly spread users give
    ``share`` (0.9 s), users in step close to 0; NaN when no second has enough sends.
    """
    spreads = [
        _shortest_arc(phases, share)
        for phases in _phases_by_second(samples.sent_seconds)
        if len(phases) >= 20  # noqa: PLR2004 (below that a stretch says little)
    ]
    return float(np.median(spreads)) if spreads else float("nan")


def _phases_by_second(sent_seconds: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    ordered = np.sort(sent_seconds)
    whole = np.floor(ordered)
    starts = np.flatnonzero(np.diff(whole, prepend=np.nan) != 0)
    return np.split(ordered - whole, starts[1:])[1:-1]


def _shortest_arc(phases: NDArray[np.float64], share: float) -> float:
    held = max(1, int(np.ceil(share * len(phases))))
    around = np.concatenate([phases, phases + 1])
    return float(np.min(around[held - 1 : held - 1 + len(phases)] - around[: len(phases)]))
