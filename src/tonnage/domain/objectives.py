"""
What "carries the load" means: a percentile of latency and a fraction of errors, over one window.
"""

import re
from dataclasses import dataclass
from typing import Self

from .errors import ConfigurationError
from .units import format_duration, format_fraction, parse_duration, parse_fraction

__all__ = ["ErrorObjective", "LatencyObjective", "Objective"]

_LATENCY = re.compile(r"p(?P<percent>\d+(?:\.\d+)?)\s*<\s*(?P<threshold>.+)")
_ERRORS = re.compile(r"(?:errors\s*)?<\s*(?P<threshold>[\d.]+\s*%)")


@dataclass(frozen=True, kw_only=True, slots=True)
class LatencyObjective:
    """
    A percentile of latency stays below a threshold.

    Attributes:
        percentile: Which one, as a fraction in (0, 1).
        threshold_seconds: What it must stay below.
    """

    percentile: float
    threshold_seconds: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Read ``p99 < 250ms``.

        Raises:
            ConfigurationError: If it reads otherwise.
        """
        match = _LATENCY.fullmatch(text.strip())
        if match is None or not 0 < float(match["percent"]) < 100:  # noqa: PLR2004 (per cent)
            raise ConfigurationError(
                f"{text!r} is not a latency objective", hint="write p99 < 250ms"
            )
        return cls(
            percentile=float(match["percent"]) / 100,
            threshold_seconds=parse_duration(match["threshold"]),
        )

    def __str__(self) -> str:
        return f"p{self.percentile * 100:g} < {format_duration(self.threshold_seconds)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorObjective:
    """
    The fraction of requests that fail stays below a threshold.

    Attributes:
        max_fraction: The threshold, in [0, 1].
    """

    max_fraction: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Read ``< 0.1%`` or ``errors < 0.1%``.

        Raises:
            ConfigurationError: If it reads otherwise.
        """
        match = _ERRORS.fullmatch(text.strip())
        if match is None:
            raise ConfigurationError(f"{text!r} is not an error objective", hint="write < 0.1%")
        return cls(max_fraction=parse_fraction(match["threshold"]))

    def __str__(self) -> str:
        return f"errors < {format_fraction(self.max_fraction)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Objective:
    """Both terms together: the objective is met when each of them is."""

    latency: LatencyObjective
    errors: ErrorObjective

    def __str__(self) -> str:
        return f"{self.latency} and {self.errors}"
