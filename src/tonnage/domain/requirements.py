"""
What a gate asks of a measurement: one number, one comparison, one threshold.

A requirement without data is not met: a gate that passes because nothing was measured is none.
"""

import math
import re
from dataclasses import dataclass
from typing import Final, Literal, Self

from .errors import ConfigurationError
from .units import (
    format_duration,
    format_fraction,
    format_rate,
    parse_duration,
    parse_fraction,
    parse_rate,
)

__all__ = ["Check", "CheckState", "Requirement"]

CheckState = Literal["met", "missed", "no data"]

_FORM: Final = re.compile(r"\s*(?P<name>[a-z]+|p\d+(?:\.\d+)?)\s*(?P<sign><=?|>=?)\s*(?P<value>.+)")
_RATES: Final = frozenset({"line", "offered", "throughput", "goodput"})
_FORMS: Final = "write p99 < 250ms, errors < 0.1%, throughput >= 900/s or line >= 1000/s"
_HIGHEST_PERCENT: Final = 100.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """
    One requirement, held against a measurement.

    Attributes:
        required: The requirement, as it is written.
        seen: What was measured, in words.
        state: Whether it was met; ``no data`` when there was nothing to hold it against, which
            fails like ``missed``.
    """

    required: str
    seen: str
    state: CheckState

    @property
    def holds(self) -> bool:
        """Whether the requirement was met."""
        return self.state == "met"


@dataclass(frozen=True, kw_only=True, slots=True)
class Requirement:
    """
    A threshold for one number.

    Attributes:
        name: ``p99`` or another percentile of latency, ``errors``, ``offered``, ``throughput``,
            ``goodput``, ``line``.
        sign: ``<``, ``<=``, ``>`` or ``>=``.
        threshold: In seconds, as a fraction, or per second.
        unit: ``seconds``, ``fraction`` or ``per second``.
    """

    name: str
    sign: Literal["<", "<=", ">", ">="]
    threshold: float
    unit: Literal["seconds", "fraction", "per second"]

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Read ``p99 < 250ms``, ``errors < 0.1%``, ``throughput >= 900/s``, ``goodput >= 99.5%``.

        Raises:
            ConfigurationError: If it reads otherwise.
        """
        match = _FORM.fullmatch(text)
        if match is None:
            raise ConfigurationError(f"{text!r} is no requirement", hint=_FORMS)
        name, value = match["name"], match["value"].strip()
        sign: Literal["<", "<=", ">", ">="] = match["sign"]  # type: ignore[assignment] # the pattern allows no other
        if name[1:2].isdecimal():
            if not 0 < float(name[1:]) < _HIGHEST_PERCENT:
                raise ConfigurationError(f"{name} is not a percentile", hint=_FORMS)
            return cls(name=name, sign=sign, threshold=parse_duration(value), unit="seconds")
        if name == "errors" or (name == "goodput" and value.endswith("%")):
            return cls(name=name, sign=sign, threshold=parse_fraction(value), unit="fraction")
        if name in _RATES:
            return cls(name=name, sign=sign, threshold=parse_rate(value), unit="per second")
        raise ConfigurationError(
            f"{text!r} is no requirement: nothing is called {name}", hint=_FORMS
        )

    @property
    def percentile(self) -> float | None:
        """The fraction that a percentile's name says, None for what is no percentile."""
        return float(self.name[1:]) / _HIGHEST_PERCENT if self.unit == "seconds" else None

    def judge(self, value: float | None, *, seen: str | None = None) -> Check:
        """
        Hold a measured value against the threshold.

        Args:
            value: What was measured; None or NaN when there is nothing, which does not meet it.
            seen: What was measured, in words; by default the value.
        """
        if value is None or math.isnan(value):
            return Check(required=str(self), seen=seen or "no data", state="no data")
        holds = {
            "<": value < self.threshold,
            "<=": value <= self.threshold,
            ">": value > self.threshold,
            ">=": value >= self.threshold,
        }[self.sign]
        told = seen or f"{self.name} {self.shown(value)}"
        return Check(required=str(self), seen=told, state="met" if holds else "missed")

    def shown(self, value: float) -> str:
        """Return a value in the requirement's unit."""
        if math.isinf(value):
            return "unanswered" if self.unit == "seconds" else "without end"
        if self.unit == "seconds":
            return format_duration(value)
        return format_fraction(value) if self.unit == "fraction" else format_rate(value)

    def __str__(self) -> str:
        return f"{self.name} {self.sign} {self.shown(self.threshold)}"
