"""
Two load lines, compared.
"""

import math
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Final

from .differences import FALSE_ALARMS, LEVEL, RELEVANT, Comparison, Difference, answer_for

__all__ = ["MeasuredLine", "compare_lines"]

_NO_LINE: Final = "no line was found"
_SHARED: Final = (
    "both lines are what this machine carried of service and generator together: the services' own"
    " lines differ by more, not by less"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasuredLine:
    """
    A load line as a record keeps it.

    Attributes:
        title: What was measured.
        verdict: The search's word.
        line: The line, or a bound, per second; None without either.
        interval: Where it lies with probability ``level``; None for an end that is not known.
        level: The interval's probability.
        objective: What it was found under, with the arrivals; two lines must agree in it.
        here: Low end, line and high end of what a line that the machine limited is on it.
    """

    title: str
    verdict: str
    line: float | None
    interval: tuple[float | None, float | None]
    level: float
    objective: str
    here: tuple[float, float, float] | None = None


def compare_lines(base: MeasuredLine, head: MeasuredLine) -> Comparison:
    r"""
    Say whether the head's load line is higher or lower than the base's.

    The interval of the ratio follows from the two lines' own intervals by the method of variance
    estimates recovery (Zou and Donner, 2008), in logarithms: each end of the difference takes the
    distances to those two ends that make it worst. A line that is only bounded from below bounds
    the ratio on one side. Two lines that the same machine limited are compared by what they were on
    it: a request costs the generator the same on either side, which draws them together.
    """
    shared = []
    if base.here is not None and head.here is not None:
        base, head = _here(base, base.here), _here(head, head.here)
        shared.append(_SHARED)
    change, low, high, strict = _ratio(base, head)
    answer = answer_for("line", change, strict, RELEVANT["line"])
    difference = Difference(
        metric="line",
        base=math.nan if base.line is None else base.line,
        head=math.nan if head.line is None else head.line,
        change=change,
        interval=(low, high),
        level=LEVEL,
        answer=answer,
        relevant=RELEVANT["line"],
    )
    notes = []
    if base.objective != head.objective:
        notes.append(f"the objectives differ: {base.objective}; {head.objective}")
    reasons = [
        f"{side}: {line.verdict}"
        for side, line in (("base", base), ("head", head))
        if line.line is None
    ]
    return Comparison(
        answer=answer,
        differences=(difference,),
        method="the ratio of two load lines, by their intervals",
        pairs=1,
        base_title=base.title,
        head_title=head.title,
        is_believed=not reasons and base.objective == head.objective,
        reason="; ".join([*(f"{_NO_LINE}: {reason}" for reason in reasons), *notes]),
        notes=(*shared, *notes),
    )


def _here(line: MeasuredLine, here: tuple[float, float, float]) -> MeasuredLine:
    low, middle, high = here
    return replace(line, line=middle, interval=(low, high))


def _ratio(
    base: MeasuredLine, head: MeasuredLine
) -> tuple[float, float, float, tuple[float, float]]:
    if base.line is None or head.line is None:
        return math.nan, -math.inf, math.inf, (-math.inf, math.inf)
    base_down, base_up = _distances(base)
    head_down, head_up = _distances(head)
    middle = math.log(head.line / base.line)
    down, up = math.hypot(head_down, base_up), math.hypot(head_up, base_down)
    wider = _quantile(1 - FALSE_ALARMS) / _quantile(LEVEL)
    return (
        math.expm1(middle),
        math.expm1(middle - down),
        math.expm1(middle + up),
        (math.expm1(middle - wider * down), math.expm1(middle + wider * up)),
    )


def _distances(line: MeasuredLine) -> tuple[float, float]:
    """Return how far below and above the line its interval reaches, in logarithms, at LEVEL."""
    assert line.line is not None
    low, high = line.interval
    scale = _quantile(LEVEL) / _quantile(line.level)
    down = math.log(line.line / low) if low else math.inf
    up = math.log(high / line.line) if high else math.inf
    return scale * max(0.0, down), scale * max(0.0, up)


def _quantile(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)
