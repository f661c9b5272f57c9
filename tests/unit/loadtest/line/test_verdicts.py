"""What a target without one line, or beyond the generator, is called."""

from collections.abc import Callable

import pytest

from tonnage.loadtest.line import LoadLine, TargetShape

Search = Callable[..., LoadLine]


def test_a_target_that_outruns_the_generator_is_bounded_from_below(search: Search):
    found = search(
        TargetShape(rate_per_second=6000, queue_seconds=0.07, generator_limit_per_second=2000)
    )
    assert found.verdict == "GENERATOR_LIMITED"
    low, high = found.interval_per_second
    assert (low, high) == (found.line_per_second, None)
    assert 1500 < found.line_per_second <= 2000
    assert ">= " in found.reason
    assert "generator-limited" in found.reason


def test_the_plans_own_limit_is_a_bound_too(search: Search):
    found = search(TargetShape(rate_per_second=6000), max_per_second=900.0)
    assert found.verdict == "AT_LEAST"
    assert found.line_per_second == pytest.approx(900)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("leak", [0.005, 0.01])
def test_a_leak_is_not_stationary(search: Search, leak: float, seed: int):
    shape = TargetShape(rate_per_second=600, queue_seconds=0.07, leak_per_second=leak)
    found = search(shape, seed=seed)
    assert found.verdict == "NOT_STATIONARY"
    assert found.line_per_second is None
    assert "slower" in found.reason


@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
@pytest.mark.parametrize("seed", range(3))
def test_two_regimes_are_hysteretic(search: Search, seed: int, arrivals: str):
    shape = TargetShape(
        rate_per_second=600, queue_seconds=0.2, cliff_seconds=0.1, cliff_factor=2, stays_down=True
    )
    found = search(shape, seed=seed, arrivals=arrivals)
    assert found.verdict == "HYSTERETIC"
    assert found.line_per_second is None
    assert "after a rest" in found.reason


def test_a_target_that_never_meets_it_is_below(search: Search):
    found = search(TargetShape(rate_per_second=0.3))
    assert found.verdict == "BELOW"
    assert found.line_per_second is None


def test_a_generator_that_never_keeps_up_gives_no_line(search: Search):
    found = search(TargetShape(rate_per_second=600, generator_limit_per_second=0.1))
    assert found.verdict == "GENERATOR_LIMITED"
    assert found.line_per_second is None


def test_a_short_budget_says_how_wide_the_interval_is(search: Search):
    found = search(TargetShape(rate_per_second=600, service="exponential"), budget_seconds=20.0)
    assert found.verdict == "FOUND"
    assert any("budget" in note for note in found.notes)


def test_stationary_targets_raise_no_alarm(search: Search):
    shapes = [
        TargetShape(rate_per_second=600, service="lognormal", servers=4),
        TargetShape(rate_per_second=600, service="exponential", cliff_seconds=0.06, cliff_factor=2),
        TargetShape(rate_per_second=600, stall_every_seconds=1.0, stall_seconds=0.1),
    ]
    verdicts = [search(shape, seed=seed).verdict for shape in shapes for seed in range(4)]
    assert verdicts.count("FOUND") >= 11


def test_the_curve_rises_to_the_line_and_has_a_knee(search: Search):
    found = search(TargetShape(rate_per_second=600, service="exponential"))
    rates = [point.rate_per_second for point in found.curve]
    assert rates == sorted(rates)
    assert len(rates) > 8
    assert found.knee is not None
    assert found.knee.rate_per_second < found.line_per_second
