r"""
How a service's load line grows with its workers or instances: the universal scalability law.

.. math:: X(n) = \frac{\lambda n}{1 + \sigma (n - 1) + \kappa n (n - 1)}

===============  ===================================================================================
:math:`\lambda`  what one carries, per second
:math:`\sigma`   contention: the share of the work that waits for its turn; Amdahl's law
:math:`\kappa`   coherence: what each pair costs to keep in agreement; above 0 there is a peak
===============  ===================================================================================

Turned over, :math:`n / X(n) = (1 + \sigma (n-1) + \kappa n (n-1)) / \lambda` is linear in
:math:`1/\lambda`, :math:`\sigma/\lambda` and :math:`\kappa/\lambda`, so the fit is least squares
with coefficients that may not be negative, weighted by each line's own interval. It has at most
four sets of active coefficients, and all of them are tried: nothing has to converge.

The law is Neil Gunther's (*Guerrilla Capacity Planning*, 2007).
"""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import ConfigurationError, format_rate

__all__ = ["ScalingLaw", "ScalingPoint", "fit_scaling"]

Floats = NDArray[np.float64]

LEVEL: Final = 0.95
_DRAWS: Final = 500
_LEAST_ERROR: Final = 0.002
_ACTIVE: Final = ((0,), (0, 1), (0, 2), (0, 1, 2))
_MOST: Final = 1e6


@dataclass(frozen=True, kw_only=True, slots=True)
class ScalingPoint:
    """
    The load line of so many workers or instances.

    Attributes:
        count: How many.
        line_per_second: Their load line.
        interval_per_second: Where it lies with probability ``level``.
        level: The interval's probability.
    """

    count: int
    line_per_second: float
    interval_per_second: tuple[float, float]
    level: float = LEVEL

    @property
    def log_error(self) -> float:
        """The standard error of the line's logarithm, as its interval says."""
        low, high = self.interval_per_second
        quantile = NormalDist().inv_cdf((1 + self.level) / 2)
        return max(_LEAST_ERROR, math.log(high / low) / (2 * quantile))


@dataclass(frozen=True, kw_only=True, slots=True)
class ScalingLaw:
    """
    A fitted law; each interval holds its number with probability 0.95.

    Attributes:
        one_per_second: What one carries, λ of the law.
        one_interval: Its interval.
        contention: The share of the work that waits for its turn.
        contention_interval: Its interval.
        coherence: What each pair costs.
        coherence_interval: Its interval.
        peak_count: At how many the line is highest; None when it rises on and on.
        peak_per_second: The line there, or the limit that it rises to; None without either.
        peak_interval: The interval of ``peak_count``; an end without a peak is None.
        points: What it was fitted to.
        notes: What a reader must know.
    """

    one_per_second: float
    one_interval: tuple[float, float]
    contention: float
    contention_interval: tuple[float, float]
    coherence: float
    coherence_interval: tuple[float, float]
    peak_count: int | None
    peak_per_second: float | None
    peak_interval: tuple[int | None, int | None]
    points: Sequence[ScalingPoint]
    notes: Sequence[str] = ()

    def line_at(self, count: float) -> float:
        """Return the load line that the law predicts for so many."""
        return float(_law(np.array([self.one_per_second, self.contention, self.coherence]), count))

    def told(self) -> str:
        """Return the law in words."""
        peak = "no peak"
        if self.peak_count is not None and self.peak_per_second is not None:
            peak = f"highest at {self.peak_count}: {format_rate(round(self.peak_per_second, 1))}"
        elif self.peak_per_second is not None:
            peak = f"no peak, at most {format_rate(round(self.peak_per_second, 1))}"
        return (
            f"one carries {format_rate(round(self.one_per_second, 1))}"
            f" [{self.one_interval[0]:.1f}, {self.one_interval[1]:.1f}],"
            f" contention {self.contention:.3g}"
            f" [{self.contention_interval[0]:.3g}, {self.contention_interval[1]:.3g}],"
            f" coherence {self.coherence:.3g}"
            f" [{self.coherence_interval[0]:.3g}, {self.coherence_interval[1]:.3g}]; {peak}"
        )

    def _repr_html_(self) -> str:
        """Return it as a notebook shows it."""
        rows = "".join(
            f"<tr><td>{point.count}</td><td>{point.line_per_second:.1f}/s</td>"
            f"<td>{self.line_at(point.count):.1f}/s</td></tr>"
            for point in self.points
        )
        return (
            f"<p>{html.escape(self.told())}</p><table><thead><tr><th>count</th><th>load line</th>"
            f"<th>law</th></tr></thead><tbody>{rows}</tbody></table>"
        )


def fit_scaling(points: Sequence[ScalingPoint], *, seed: int = 0) -> ScalingLaw:
    """
    Fit the universal scalability law to load lines.

    The intervals come from a parametric bootstrap: the lines are drawn anew from what their own
    intervals say, and the law is fitted to each draw. They know of each line's error and of no
    other, so with three points the law passes through them and says nothing of its own fitness.

    Args:
        points: The load lines of at least two different counts.
        seed: Where the draws start.

    Raises:
        ConfigurationError: If there are fewer.
    """
    counts = np.array([point.count for point in points], dtype=np.float64)
    if len(set(counts)) < 2:  # noqa: PLR2004 (a law needs a change)
        raise ConfigurationError(
            "a scaling law needs load lines of at least two different counts",
            hint="measure more of them: --workers-scaling 1..4",
        )
    lines = np.array([point.line_per_second for point in points])
    errors = np.array([point.log_error for point in points])
    fitted = _fit(counts, lines, errors)
    random = np.random.default_rng([seed, 5])
    drawn = lines * np.exp(errors * random.standard_normal((_DRAWS, len(lines))))
    laws = np.array([_fit(counts, draw, errors) for draw in drawn])
    ends = np.quantile(laws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    peak = _peak(fitted)
    return ScalingLaw(
        one_per_second=float(fitted[0]),
        one_interval=_pair(ends[:, 0]),
        contention=float(fitted[1]),
        contention_interval=_pair(ends[:, 1]),
        coherence=float(fitted[2]),
        coherence_interval=_pair(ends[:, 2]),
        peak_count=peak,
        peak_per_second=_highest(fitted, peak),
        peak_interval=_peak_interval(laws),
        points=tuple(points),
        notes=_notes(counts),
    )


def _fit(counts: Floats, lines: Floats, errors: Floats) -> Floats:
    """Return what one carries, contention and coherence of the best fit, none below 0."""
    inverse = counts / lines
    design = np.column_stack([np.ones_like(counts), counts - 1, counts * (counts - 1)])
    weights = 1 / (inverse * errors)  # an error of the logarithm is one of the inverse, relative
    best, least = np.array([_MOST, 0.0, 0.0]), np.inf
    for active in _ACTIVE:
        if len(active) > len(set(counts.tolist())):
            continue
        columns = design[:, active] * weights[:, None]
        found, *_ = np.linalg.lstsq(columns, inverse * weights)
        if (found < 0).any() or found[0] <= 0:
            continue
        misfit = float(np.square(columns @ found - inverse * weights).sum())
        if misfit < least - 1e-12:
            least, best = misfit, np.zeros(3)
            best[list(active)] = found
    return np.array([1 / best[0], best[1] / best[0], best[2] / best[0]])


def _law(law: Floats, count: float) -> float:
    one, contention, coherence = law
    return float(one * count / (1 + contention * (count - 1) + coherence * count * (count - 1)))


def _peak(law: Floats) -> int | None:
    _, contention, coherence = law
    if coherence <= 0 or contention >= 1:
        return 1 if contention >= 1 else None
    exact = math.sqrt((1 - contention) / coherence)
    if exact > _MOST:
        return None
    around = (max(1, math.floor(exact)), max(1, math.ceil(exact)))
    return max(around, key=lambda count: _law(law, count))


def _highest(law: Floats, peak: int | None) -> float | None:
    if peak is not None:
        return _law(law, peak)
    return float(law[0] / law[1]) if law[1] > 0 else None


def _peak_interval(laws: Floats) -> tuple[int | None, int | None]:
    peaks = np.array([peak if (peak := _peak(law)) is not None else np.inf for law in laws])
    ends = np.quantile(peaks, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="nearest")
    low, high = (int(end) if math.isfinite(end) else None for end in ends)
    return low, high


def _pair(ends: Floats) -> tuple[float, float]:
    return float(ends[0]), float(ends[1])


def _notes(counts: Floats) -> tuple[str, ...]:
    different = len(set(counts.tolist()))
    if different <= len(_ACTIVE) - 1:
        return (
            f"{different} counts leave nothing to check the law with; beyond them it is a guess",
        )
    return ()
