"""
The universal scalability law, on services that follow it.
"""

import numpy as np
import pytest

from tonnage.domain import ConfigurationError
from tonnage.loadtest.line import ScalingPoint, fit_scaling


def law(count: int, one: float, contention: float, coherence: float) -> float:
    return one * count / (1 + contention * (count - 1) + coherence * count * (count - 1))


def points(
    counts: range,
    *,
    one: float = 300.0,
    contention: float = 0.05,
    coherence: float = 0.004,
    error: float = 0.01,
    draw: np.random.Generator | None = None,
) -> list[ScalingPoint]:
    found = []
    for count in counts:
        line = law(count, one, contention, coherence)
        line *= 1.0 if draw is None else float(np.exp(error * draw.standard_normal()))
        ends = (line * np.exp(-1.96 * error), line * np.exp(1.96 * error))
        found.append(ScalingPoint(count=count, line_per_second=line, interval_per_second=ends))
    return found


def test_exact_lines_give_the_law_back():
    fitted = fit_scaling(points(range(1, 9)))
    assert fitted.one_per_second == pytest.approx(300)
    assert fitted.contention == pytest.approx(0.05)
    assert fitted.coherence == pytest.approx(0.004)
    assert fitted.peak_count in {15, 16}  # sqrt((1 - 0.05) / 0.004) is 15.4
    assert fitted.line_at(4) == pytest.approx(law(4, 300, 0.05, 0.004))
    assert fitted.peak_per_second == pytest.approx(law(fitted.peak_count, 300, 0.05, 0.004))


def test_the_intervals_hold_the_truth():
    draw = np.random.default_rng(4)
    held = np.zeros(3)
    for seed in range(30):
        fitted = fit_scaling(points(range(1, 7), draw=draw), seed=seed)
        pairs = (
            (fitted.one_interval, 300),
            (fitted.contention_interval, 0.05),
            (fitted.coherence_interval, 0.004),
        )
        held += [low <= truth <= high for (low, high), truth in pairs]
    assert (held >= 26).all()


def test_perfect_scaling_has_no_peak():
    fitted = fit_scaling(points(range(1, 5), contention=0.0, coherence=0.0))
    assert (fitted.peak_count, fitted.peak_per_second) == (None, None)
    assert "no peak" in fitted.told()


def test_contention_alone_rises_to_a_limit():
    fitted = fit_scaling(points(range(1, 7), contention=0.2, coherence=0.0))
    assert fitted.peak_count is None
    assert fitted.peak_per_second == pytest.approx(1500, rel=0.01)


def test_nothing_is_fitted_below_zero():
    """A service that scales better than linearly: the law has no room for that."""
    lines = {1: 100.0, 2: 230.0, 3: 380.0}
    found = [
        ScalingPoint(count=n, line_per_second=x, interval_per_second=(0.99 * x, 1.01 * x))
        for n, x in lines.items()
    ]
    fitted = fit_scaling(found)
    assert (fitted.contention, fitted.coherence) == (0.0, 0.0)


def test_few_counts_say_that_nothing_is_left_to_check():
    assert "nothing to check" in fit_scaling(points(range(1, 4))).notes[0]
    assert not fit_scaling(points(range(1, 6))).notes


def test_one_count_is_no_law():
    with pytest.raises(ConfigurationError, match="two different counts"):
        fit_scaling(points(range(1, 2)))


def test_it_shows_itself_in_a_notebook():
    assert "<td>3</td>" in fit_scaling(points(range(1, 4)))._repr_html_()
