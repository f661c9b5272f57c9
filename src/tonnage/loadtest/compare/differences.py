"""
Better, worse or no difference: what paired blocks say of two versions.
"""

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import Check, CheckState, format_duration, format_fraction, format_rate

from .blocks import METRICS
from .signed_rank import paired_difference

__all__ = ["Answer", "Comparison", "Difference", "differences_of", "overall"]

Answer = Literal["better", "worse", "no difference", "no data"]
Floats = NDArray[np.float64]

LEVEL: Final = 0.95
"""Of the interval that is printed."""

FALSE_ALARMS: Final = 0.01
"""How often a comparison of a version with itself may find a difference, all metrics together."""

RELEVANT: Final[Mapping[str, float]] = {
    "p50": 0.03,
    "p99": 0.03,
    "throughput": 0.01,
    "errors": 0.001,
    "line": 0.02,
}
"""A difference smaller than this is none; relative, and in shares of all requests for errors."""

_STATES: Final[Mapping[Answer, CheckState]] = {
    "better": "met",
    "no difference": "met",
    "worse": "missed",
    "no data": "no data",
}
_LEAST_SHOWN: Final = 5e-4
_HIGHER_IS_WORSE: Final = frozenset({"p50", "p99", "errors"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """
    One metric of two versions.

    Attributes:
        metric: ``p50``, ``p99``, ``errors``, ``throughput`` or ``line``.
        base: The base's, over all its blocks; seconds, a fraction, or per second. NaN without data.
        head: The head's.
        change: Head against base: relative (0.1 is 10 % more), for ``errors`` the difference.
        interval: Where the change lies with probability ``level``.
        level: The interval's probability.
        answer: What follows for the head.
        relevant: The least change that counts.
    """

    metric: str
    base: float
    head: float
    change: float
    interval: tuple[float, float]
    level: float
    answer: Answer
    relevant: float

    @property
    def base_told(self) -> str:
        """The base's number in words."""
        return _told(self.metric, self.base)

    @property
    def head_told(self) -> str:
        """The head's number in words."""
        return _told(self.metric, self.head)

    @property
    def change_told(self) -> str:
        """The change with its interval, in words."""
        if math.isnan(self.change):
            return "no data"
        unit = " points" if self.metric == "errors" else " %"
        low, high = (_signed(end * 100) for end in self.interval)
        return f"{_signed(self.change * 100)}{unit} [{low}, {high}]"

    def as_check(self) -> Check:
        """Return it as a gate has it: not worse."""
        return Check(
            required=f"{self.metric} not worse than the base",
            seen=f"{self.answer}: {self.base_told} -> {self.head_told}, {self.change_told}",
            state=_STATES[self.answer],
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """
    Two versions, compared.

    Attributes:
        answer: ``worse`` when any metric is, else ``better`` when any is, else ``no difference``.
        differences: Metric by metric.
        method: How the pairs came about, in words.
        pairs: How many there were.
        base_title: What the base was.
        head_title: What the head was.
        is_believed: Whether both generators kept up.
        reason: Why it is not believed, or what limits it; empty otherwise.
        notes: What a reader must know.
    """

    answer: Answer
    differences: Sequence[Difference]
    method: str
    pairs: int
    base_title: str
    head_title: str
    is_believed: bool = True
    reason: str = ""
    notes: Sequence[str] = ()

    def _repr_html_(self) -> str:
        """Return it as a notebook shows it."""
        rows = "".join(
            f"<tr><th>{html.escape(each.metric)}</th><td>{html.escape(each.base_told)}</td>"
            f"<td>{html.escape(each.head_told)}</td><td>{html.escape(each.change_told)}</td>"
            f"<td><b>{html.escape(each.answer)}</b></td></tr>"
            for each in self.differences
        )
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in (self.method, *self.notes))
        return (
            f"<p><b>{html.escape(self.answer)}</b>: {html.escape(self.head_title)} against "
            f"{html.escape(self.base_title)}</p><table><thead><tr><th></th><th>base</th>"
            "<th>head</th><th>change [95 %]</th><th></th></tr></thead>"
            f"<tbody>{rows}</tbody></table>{notes}"
        )


def differences_of(
    base: Mapping[str, Floats],
    head: Mapping[str, Floats],
    *,
    relevant: Mapping[str, float] = RELEVANT,
    false_alarms: float = FALSE_ALARMS,
) -> tuple[Difference, ...]:
    """
    Return what paired block values say, metric by metric.

    A metric differs when the interval at the level that all metrics' false alarms together leave
    to it excludes 0, and the estimate is one that counts. The interval that is printed is the
    usual 95 % one, so it may exclude 0 where no difference is claimed.

    Args:
        base: Metric → ``(n,)`` values, as ``block_values`` returns them.
        head: The same of the head, pair by pair.
        relevant: Metric → the least change that counts.
        false_alarms: How often two equal versions may be told apart, all metrics together.
    """
    strict = 1 - false_alarms / len(METRICS)
    return tuple(
        _difference(name, base[name], head[name], strict, relevant[name]) for name in METRICS
    )


def overall(differences: Sequence[Difference]) -> Answer:
    """Return what several metrics say together."""
    answers = {difference.answer for difference in differences}
    ranked: tuple[Answer, ...] = ("worse", "better", "no difference")
    for answer in ranked:
        if answer in answers:
            return answer
    return "no data"


def answer_for(
    metric: str, change: float, strict_interval: tuple[float, float], relevant: float
) -> Answer:
    """Return what a change means for the head."""
    low, high = strict_interval
    if math.isnan(change):
        return "no data"
    if low <= 0 <= high or abs(change) < relevant:
        return "no difference"
    return "worse" if (change > 0) == (metric in _HIGHER_IS_WORSE) else "better"


def _difference(
    metric: str, base: Floats, head: Floats, strict: float, relevant: float
) -> Difference:
    pairs = paired_difference(head - base)
    is_share = metric == "errors"

    def back(value: float) -> float:
        return value if is_share or not math.isfinite(value) else math.expm1(value)

    change = back(pairs.estimate)
    low, high = pairs.interval(LEVEL)
    strict_low, strict_high = pairs.interval(strict)
    answer = answer_for(metric, change, (strict_low, strict_high), relevant)
    lost = np.isfinite(base) & ~np.isfinite(head)
    if lost.mean() > 1 / 2:
        answer = "worse"  # the base answered, the head did not: nothing is left to take a ratio of
    return Difference(
        metric=metric,
        base=_centre(base, is_share=is_share),
        head=_centre(head, is_share=is_share),
        change=change,
        interval=(back(low), back(high)),
        level=LEVEL,
        answer=answer,
        relevant=relevant,
    )


def _centre(values: Floats, *, is_share: bool) -> float:
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return math.nan
    return float(known.mean()) if is_share else math.exp(float(np.median(known)))


def _told(metric: str, value: float) -> str:
    if math.isnan(value):
        return "no data"
    if metric == "errors":
        return format_fraction(value)
    if metric in {"throughput", "line"}:
        return format_rate(round(value, 1))
    return format_duration(value)


def _signed(value: float) -> str:
    if not math.isfinite(value):
        return "any" if value > 0 else "-any"
    return f"{value:+.3g}" if abs(value) >= _LEAST_SHOWN else "0"
