"""The posterior holds what the trials say, and no single one decides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.loadtest.line import Belief, Evidence


def evidence(*trials: tuple[float, bool], softness: float = float("nan")) -> Evidence:
    rates, met = zip(*trials, strict=True)
    return Evidence(
        log_rates=np.log(np.array(rates)),
        met=np.array(met),
        blur=np.zeros(len(rates)),
        softness=softness,
        hints=np.array([]),
    )


SHARP = [
    (100.0, True),
    (200.0, False),
    (150.0, False),
    (125.0, True),
    (140.0, False),
    (130.0, True),
]


def test_the_line_lies_between_what_was_met_and_what_was_missed():
    belief = Belief.after(evidence(*SHARP, *SHARP, softness=0.001))
    low, high = belief.interval(0.9)
    assert 128 < low < belief.quantile(0.5) < high < 142


def test_one_surprising_trial_does_not_decide():
    before = Belief.after(evidence(*SHARP, *SHARP, softness=0.001)).quantile(0.5)
    after = Belief.after(evidence(*SHARP, *SHARP, (110.0, False), softness=0.001)).quantile(0.5)
    assert after == pytest.approx(before, rel=0.03)


def test_surprise_after_surprise_does():
    again = [(110.0, False)] * 8
    belief = Belief.after(evidence(*SHARP, *again, softness=0.001))
    assert belief.quantile(0.5) < 115


def test_soft_transitions_leave_wider_intervals():
    sharp = Belief.after(evidence(*SHARP, softness=0.001)).half_width(0.95)
    soft = Belief.after(evidence(*SHARP, softness=0.08)).half_width(0.95)
    assert soft > 1.5 * sharp


def test_the_next_rate_lies_where_the_answer_is_open():
    belief = Belief.after(evidence(*SHARP, softness=0.001))
    low, high = belief.interval(0.95)
    assert low <= belief.most_telling_rate() <= high


@given(
    st.lists(st.tuples(st.floats(0.5, 1e5), st.booleans()), min_size=1, max_size=25),
    st.floats(0.0005, 0.1),
)
def test_any_trials_leave_a_proper_distribution(trials: list[tuple[float, bool]], softness: float):
    belief = Belief.after(evidence(*trials, softness=softness))
    assert belief.weights.sum() == pytest.approx(1)
    quantiles = [belief.quantile(fraction) for fraction in (0.01, 0.25, 0.5, 0.75, 0.99)]
    assert np.isfinite(quantiles).all()
    assert quantiles == sorted(quantiles)
    assert 0 < belief.met_probability(10.0) < 1


def test_coverage_of_its_own_model():
    """Trials drawn from the model itself: the 90 % interval must hold the line about as often."""
    random = np.random.default_rng(5)
    held = 0
    for _ in range(100):
        line, trials = float(np.exp(random.uniform(4, 5))), [(20.0, True), (400.0, False)]
        for _ in range(14):
            belief = Belief.after(evidence(*trials, softness=0.03))
            rate = belief.most_telling_rate()
            met = random.random() < 1 / (1 + (rate / line) ** (1 / 0.03))
            trials.append((rate, bool(met)))
        low, high = Belief.after(evidence(*trials, softness=0.03)).interval(0.9)
        held += low <= line <= high
    assert 80 <= held <= 98
