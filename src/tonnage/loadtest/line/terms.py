"""
The terms of an objective: each says of one window whether it holds, and how near it came.

A load line asks more of an objective than a gate does: several percentiles, an error fraction and a
goodput may be joined, and the search must tell which of them gave way first.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self

import numpy as np

from tonnage.domain import (
    ConfigurationError,
    ErrorObjective,
    LatencyObjective,
    Samples,
    format_duration,
    format_fraction,
    parse_fraction,
    percentile,
)

__all__ = [
    "ErrorTerm",
    "GoodputTerm",
    "LatencyTerm",
    "Term",
    "TermResult",
    "longest_threshold_seconds",
    "parse_terms",
]

_GOODPUT: Final = re.compile(r"goodput\s*>=?\s*(?P<threshold>[\d.]+\s*%)")


@dataclass(frozen=True, kw_only=True, slots=True)
class TermResult:
    """
    What one term said of one window.

    Attributes:
        term: The term, as it is written.
        holds: Whether it holds.
        seen: What was seen, in words.
    """

    term: str
    holds: bool
    seen: str


class Term(Protocol):
    """One condition on a window of samples."""

    def judge(self, window: Samples) -> TermResult:
        """Say whether it holds for the requests of a window, of which there is at least one."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class LatencyTerm:
    """A percentile of latency below a threshold; a request without an answer counts as slow."""

    objective: LatencyObjective

    def judge(self, window: Samples) -> TermResult:
        """Say whether the percentile of the window's requests stays below the threshold."""
        latency = np.where(window.status > 0, window.latency_seconds, np.inf)
        seen = percentile(latency, self.objective.percentile)
        name = f"p{self.objective.percentile * 100:g}"
        return TermResult(
            term=str(self),
            holds=seen < self.objective.threshold_seconds,
            seen=f"{name} {format_duration(seen) if np.isfinite(seen) else 'unanswered'}",
        )

    def __str__(self) -> str:
        return str(self.objective)


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorTerm:
    """The fraction of requests without a 2xx answer below a limit."""

    objective: ErrorObjective

    def judge(self, window: Samples) -> TermResult:
        """Say whether the fraction of the window's requests that failed stays below the limit."""
        fraction = float(window.failed.mean())
        return TermResult(
            term=str(self),
            holds=fraction < self.objective.max_fraction,
            seen=f"{format_fraction(fraction)} failed",
        )

    def __str__(self) -> str:
        return str(self.objective)


@dataclass(frozen=True, kw_only=True, slots=True)
class GoodputTerm:
    """
    The fraction of requests answered well and in time, at least so much.

    Attributes:
        min_fraction: The least fraction of the window's requests, in [0, 1].
        threshold_seconds: What counts as in time: the objective's largest latency threshold,
            infinite without one.
    """

    min_fraction: float
    threshold_seconds: float

    @classmethod
    def parse(cls, text: str, threshold_seconds: float) -> Self:
        """
        Read ``goodput > 99.5%``.

        Raises:
            ConfigurationError: If it reads otherwise.
        """
        match = _GOODPUT.fullmatch(text.strip())
        if match is None:
            raise ConfigurationError(
                f"{text!r} is not a goodput objective", hint="write goodput > 99.5%"
            )
        return cls(
            min_fraction=parse_fraction(match["threshold"]), threshold_seconds=threshold_seconds
        )

    def judge(self, window: Samples) -> TermResult:
        """Say whether enough of the window's requests were answered well and in time."""
        good = ~window.failed & (window.latency_seconds < self.threshold_seconds)
        fraction = float(good.mean())
        return TermResult(
            term=str(self),
            holds=fraction >= self.min_fraction,
            seen=f"{format_fraction(fraction)} good",
        )

    def __str__(self) -> str:
        return f"goodput >= {format_fraction(self.min_fraction)}"


def parse_terms(texts: Sequence[str]) -> tuple[Term, ...]:
    """
    Return the terms that ``texts`` name: ``p99 < 250ms``, ``errors < 0.1%``, ``goodput > 99.5%``.

    Raises:
        ConfigurationError: If one is none of these, or there is none.
    """
    if not texts:
        raise ConfigurationError("an objective has at least one term", hint="write p99 < 250ms")
    latencies = [
        LatencyTerm(objective=LatencyObjective.parse(text)) for text in texts if _is_latency(text)
    ]
    threshold = max((term.objective.threshold_seconds for term in latencies), default=float("inf"))
    rest = [text for text in texts if not _is_latency(text)]
    return (*latencies, *(_other(text, threshold) for text in rest))


def longest_threshold_seconds(terms: Sequence[Term], *, default: float) -> float:
    """Return the largest latency threshold among ``terms``, ``default`` without one."""
    thresholds = [
        term.objective.threshold_seconds for term in terms if isinstance(term, LatencyTerm)
    ]
    return max(thresholds, default=default)


def _is_latency(text: str) -> bool:
    return text.strip().startswith("p")


def _other(text: str, threshold_seconds: float) -> Term:
    if text.strip().startswith("goodput"):
        return GoodputTerm.parse(text, threshold_seconds)
    return ErrorTerm(objective=ErrorObjective.parse(text))
