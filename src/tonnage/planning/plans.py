"""
A plan: the answer, the runners-up, and why.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tonnage.domain import Objective, format_duration, format_fraction, html_table

from .lines import LoadLine
from .options import Option
from .searched import Searched
from .trials import FleetTrial

__all__ = ["Plan", "Traffic"]

_SHOWN: Final = 6
"""So many candidates are shown in a notebook."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Traffic:
    """
    What a plan was made for.

    Attributes:
        duration_seconds: How long it lasts.
        offered: Requests.
        peak_per_second: The most in one tick.
        unknown_seconds: How much of it is a gap, in which nothing is known.
    """

    duration_seconds: float
    offered: float
    peak_per_second: float
    unknown_seconds: float

    @property
    def mean_per_second(self) -> float:
        """Offered ÷ duration."""
        return self.offered / self.duration_seconds


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Plan:
    """
    What to run.

    Attributes:
        best: The cheapest that meets the objective and rests on a measured line; None if none
            does.
        candidates: Everything worth a look, the best first: what meets the objective by cost,
            those on assumed lines after the measured, and then what misses it.
        refusal: Why there is no best, with the nearest; None if there is one.
        why: The reasons, one sentence each.
        warnings: What a reader must know of its prices and assumptions.
        refused: What AWS would refuse, and why.
        objective: What had to be met.
        margin: How much more traffic it had to hold.
        traffic: What it was made for.
        searched: Every policy that was tried for the measured type of the best candidate, or of
            the one that comes nearest.
        line: That type and its line.
        trial: What tried them: call it to try another.
    """

    best: Option | None
    candidates: tuple[Option, ...]
    refusal: str | None
    why: tuple[str, ...]
    warnings: tuple[str, ...]
    refused: tuple[str, ...]
    objective: Objective
    margin: float
    traffic: Traffic
    searched: Searched
    line: LoadLine
    trial: FleetTrial

    def _repr_html_(self) -> str:
        """Return it as a notebook shows it: the answer, those that come next, and why."""
        best = self.best
        title = f"The plan: {best.name if best else 'none meets the objective'}"
        rows = {
            "objective": str(self.objective),
            "traffic": f"{self.traffic.offered:,.0f} requests in"
            f" {format_duration(self.traffic.duration_seconds)}, at most"
            f" {self.traffic.peak_per_second:,.0f}/s",
        }
        for place, option in enumerate(self.candidates[:_SHOWN], start=1):
            rows[f"{place}. {option.name}"] = ", ".join(_told(option))
        return html_table(title, rows, (*filter(None, [self.refusal]), *self.why, *self.warnings))

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "best": self.best.to_json() if self.best else None,
            "candidates": [option.to_json() for option in self.candidates],
            "refusal": self.refusal,
            "why": list(self.why),
            "warnings": list(self.warnings),
            "refused": list(self.refused),
            "objective": {
                "latency": str(self.objective.latency),
                "errors": str(self.objective.errors),
            },
            "margin": self.margin,
            "traffic": {
                "duration_seconds": self.traffic.duration_seconds,
                "offered": self.traffic.offered,
                "peak_per_second": self.traffic.peak_per_second,
                "mean_per_second": self.traffic.mean_per_second,
                "unknown_seconds": self.traffic.unknown_seconds,
            },
            "policies_tried": len(self.searched.policies),
        }


def _told(option: Option) -> Iterator[str]:
    yield f"{option.cost.cents:,.2f} USD a month"
    if option.policy is not None and option.policy.scales:
        yield f"target {option.policy.target_value:,.6g}"
    yield f"front {option.front}"
    yield f"{format_fraction(option.failed_fraction)} failed"
    if option.is_assumed:
        yield "rests on what was not measured"
    if not option.meets:
        yield "misses the objective"
