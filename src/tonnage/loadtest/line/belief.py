r"""
What is believed of the load line after some trials.

The model is a psychometric curve: a window at rate :math:`r` meets the objective with probability

.. math:: p(r) = \frac{\gamma}{2} + (1 - \gamma) \Big/ \Big(1 + e^{(\ln r - \theta) / s}\Big)

===============  ===================================================================================
:math:`\theta`   logarithm of the load line: the rate at which a window is as likely met as missed
:math:`s`        softness of the transition: near 0 for constant service, some per cent for random
:math:`\gamma`   share of trials that say nothing, so that no single one can decide
===============  ===================================================================================

Both unknowns live on a grid, so the posterior is exact but for the grid's step, multimodal beliefs
are no trouble, and nothing has to converge. A grid costs a few milliseconds a trial.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Belief", "Evidence"]

Array = NDArray[np.float64]

OUTLIERS: Final = 0.02
"""One trial in fifty says nothing."""

_SOFTNESSES: Final = np.geomspace(0.0008, 0.1, 11)
_POINTS: Final = 300
_REFINEMENTS: Final = 2
_CROWDED: Final = 0.7
_CANDIDATES: Final = 25
_SOFTNESS_DOUBT: Final = 0.45
_SOFTNESS_SURPRISE: Final = 0.01
_HINT_WEIGHT: Final = 12.0
_HINT_WIDTH: Final = 0.025
_SMALLEST: Final = 1e-300


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Evidence:
    """
    The trials that say something, as arrays of one length.

    Attributes:
        log_rates: ``(n,) float64``, the logarithm of each rate.
        met: ``(n,) bool``, whether the objective was met.
        blur: ``(n,) float64``, by how much (in logarithms) a trial shorter than the window of the
            line may be off; 0 for a full one.
        softness: What s probably is, from how random arrivals and service were seen to be; NaN
            where that is not known.
        hints: Logarithms of what the target carried when it was overloaded: where it would be
            worth looking, not what to believe.
    """

    log_rates: Array
    met: NDArray[np.bool_]
    blur: Array
    softness: float
    hints: Array

    @property
    def span(self) -> tuple[float, float]:
        """The logarithms between which the line is looked for."""
        return float(self.log_rates.min()) - 1.0, float(self.log_rates.max()) + 1.0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Belief:
    """
    The posterior on a grid.

    Attributes:
        log_lines: ``(n,) float64``, values of θ, closest where the line probably is.
        weights: ``(n, m) float64``, the probability of each θ and s; sums to 1.
    """

    log_lines: Array
    weights: Array

    @classmethod
    def after(cls, evidence: Evidence) -> Self:
        """Return what to believe after some trials."""
        low, high = evidence.span
        belief = cls._on(np.linspace(low, high, _POINTS), evidence)
        for _ in range(_REFINEMENTS):
            belief = cls._on(belief.closer_grid(), evidence)
        return belief

    @classmethod
    def _on(cls, grid: Array, evidence: Evidence) -> Self:
        logs = _log_posterior(grid, evidence)
        weights = np.exp(logs - logs.max()) * np.gradient(grid)[:, None]
        return cls(log_lines=grid, weights=weights / weights.sum())

    def closer_grid(self) -> Array:
        """Return as many points, most of them spread by what is believed, the rest evenly."""
        even = np.linspace(0, 1, len(self.log_lines))
        crowded = _CROWDED * self._cumulative() + (1 - _CROWDED) * _share(self.log_lines)
        closer: Array = np.interp(even, crowded, self.log_lines)
        return closer

    def _cumulative(self) -> Array:
        marginal = self.weights.sum(axis=1)
        cumulative = np.cumsum(marginal) - marginal / 2
        return _share(cumulative)

    def quantile(self, fraction: float) -> float:
        """Return the rate that the line stays below with a probability."""
        return float(np.exp(np.interp(fraction, self._cumulative(), self.log_lines)))

    def interval(self, level: float) -> tuple[float, float]:
        """Return the rates between which the line lies with probability ``level``."""
        return self.quantile((1 - level) / 2), self.quantile((1 + level) / 2)

    def half_width(self, level: float) -> float:
        """Return half the interval's width, as a fraction of the line."""
        low, high = self.interval(level)
        return (high - low) / 2 / self.quantile(0.5)

    def met_probability(self, rate_per_second: float) -> float:
        """Return how likely a full trial at a rate is to meet the objective."""
        met = _met_probability(np.log(rate_per_second), self.log_lines[:, None], _SOFTNESSES, 0.0)
        return float((met * self.weights).sum())

    def most_telling_rate(self) -> float:
        """
        Return the rate whose trial is expected to say most about the line.

        It is the one with the largest mutual information between the outcome and θ. With a sharp
        transition that is bisection; with a soft one it stays near the line and repeats.
        """
        candidates = np.log(np.linspace(self.quantile(0.02), self.quantile(0.98), _CANDIDATES))
        met = _met_probability(candidates[:, None, None], self.log_lines[:, None], _SOFTNESSES, 0.0)
        lines = self.weights.sum(axis=1)
        given_line = (met * self.weights).sum(axis=2) / np.maximum(lines, _SMALLEST)
        gain = _entropy((given_line * lines).sum(axis=1)) - (_entropy(given_line) * lines).sum(
            axis=1
        )
        return float(np.exp(candidates[int(np.argmax(gain))]))


def _log_posterior(grid: Array, evidence: Evidence) -> Array:
    lines = grid[:, None, None]
    met = _met_probability(evidence.log_rates, lines, _SOFTNESSES[None, :, None], evidence.blur)
    likelihood = np.log(np.where(evidence.met, met, 1 - met)).sum(axis=2)
    near = np.exp(-np.abs(grid[:, None] - evidence.hints) / _HINT_WIDTH).sum(axis=1)
    prior = np.log1p(_HINT_WEIGHT * near / max(1, len(evidence.hints)))
    posterior: Array = likelihood + prior[:, None] + _log_softness_prior(evidence.softness)
    return posterior


def _log_softness_prior(expected: float) -> Array:
    """Return the prior of s on its grid: around what the randomness seen makes likely."""
    if np.isnan(expected):
        return np.zeros(len(_SOFTNESSES))
    centre = np.clip(expected, _SOFTNESSES[0], _SOFTNESSES[-1])
    distance = np.log(_SOFTNESSES / centre) / _SOFTNESS_DOUBT
    prior: Array = np.log(np.exp(-(distance**2) / 2) + _SOFTNESS_SURPRISE)
    return prior


def _met_probability(
    log_rates: Array | np.float64, lines: Array, softness: Array, blur: Array | float
) -> Array:
    scale = np.sqrt(softness**2 + np.square(blur))
    curve = 0.5 * (1 - np.tanh((log_rates - lines) / (2 * scale)))
    met: Array = OUTLIERS / 2 + (1 - OUTLIERS) * curve
    return met


def _share(rising: Array) -> Array:
    share: Array = (rising - rising[0]) / (rising[-1] - rising[0])
    return share


def _entropy(probability: Array) -> Array:
    p = np.clip(probability, 1e-12, 1 - 1e-12)
    entropy: Array = -p * np.log(p) - (1 - p) * np.log(1 - p)
    return entropy
