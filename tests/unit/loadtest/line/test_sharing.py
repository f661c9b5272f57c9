"""A line beside its generator: when it is the service's own, and when only a bound."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from tonnage.domain import Requirement
from tonnage.loadtest.gate import check_line
from tonnage.loadtest.line import (
    Cores,
    LinePlan,
    LoadLine,
    TargetShape,
    Trial,
    TrialRun,
    VirtualTarget,
    find_line,
)
from tonnage.loadtest.line.sharing import cores_at_the_line

from .conftest import TERMS

CARRIED = 600.0
PLAN = LinePlan(terms=TERMS)


@dataclass(slots=True)
class OnCores:
    """A virtual target whose machine says, trial by trial, who used its cores."""

    target: VirtualTarget
    used: Callable[[float], Cores]

    def now_seconds(self) -> float:
        return self.target.now_seconds()

    def run(self, trial: Trial, *, seed: int) -> TrialRun:
        run = self.target.run(trial, seed=seed)
        return replace(run, cores=self.used(trial.rate_per_second))


def found_with(used: Callable[[float], Cores], *, seed: int = 0) -> LoadLine:
    shape = TargetShape(rate_per_second=CARRIED, queue_seconds=0.07)
    plan = replace(PLAN, seed=seed)
    target = VirtualTarget(shape=shape, seed=seed, patience_seconds=plan.patience_seconds)
    return find_line(plan, OnCores(target, used))


def cpu_bound(*, generator: float, others: float = 0.01) -> Callable[[float], Cores]:
    """A service that needs all cores at its line; the generator's share rises with the rate."""

    def used(rate: float) -> Cores:
        share = min(1.0, rate / CARRIED)
        return Cores(busy=share, generator=generator * rate / CARRIED, others=others)

    return used


def test_a_line_with_no_core_left_beside_a_busy_generator_is_a_bound():
    found = found_with(cpu_bound(generator=0.17))
    assert found.verdict == "MACHINE_LIMITED"
    low, high = found.interval_per_second
    assert high is None
    assert found.line_per_second == low
    assert low == pytest.approx(CARRIED, rel=0.03)
    assert found.reason.startswith(">= ")
    assert "machine-limited: no core was free, the generator took 17" in found.reason
    assert found.here_per_second is not None
    assert found.here_per_second[1] == pytest.approx(CARRIED, rel=0.01)


def test_a_bound_decides_a_gate_from_below_only():
    found = found_with(cpu_bound(generator=0.17))
    states = [
        check_line(found, Requirement.parse(text)).state
        for text in ("line >= 500/s", "line >= 5000/s", "line < 5000/s")
    ]
    assert states == ["met", "missed", "no data"]


@pytest.mark.parametrize("seed", range(4))
def test_a_service_that_uses_all_cores_itself_is_at_its_own_line(seed: int):
    """A generator with room to spare: 2 % of the cores cannot move a line by more than 2 %."""
    found = found_with(cpu_bound(generator=0.02), seed=seed)
    assert found.verdict == "FOUND"
    assert found.here_per_second is None
    (note,) = [note for note in found.notes if "no core was free" in note]
    assert "the line is this machine's, on cores of its own it may be 3." in note


@pytest.mark.parametrize("seed", range(8))
def test_a_busy_generator_takes_nothing_while_a_core_is_free(seed: int):
    """A capped or single-threaded service: the generator has a core of its own, even most of it."""

    def used(rate: float) -> Cores:
        return Cores(busy=min(0.93, 0.5 + 0.4 * rate / CARRIED), generator=0.43, others=0.02)

    found = found_with(used, seed=seed)
    assert found.verdict == "FOUND"
    assert not any("core" in note for note in found.notes)


def test_neighbours_that_left_no_core_make_a_bound_too():
    found = found_with(cpu_bound(generator=0.01, others=0.4))
    assert found.verdict == "MACHINE_LIMITED"
    assert "other programs took 40 %" in found.reason


def test_one_trial_on_a_busy_machine_does_not_decide():
    seen: list[float] = []

    def used(rate: float) -> Cores:
        seen.append(rate)
        is_busy = rate > CARRIED and sum(one > CARRIED for one in seen) == 4
        return Cores(busy=1.0 if is_busy else 0.4, generator=0.1, others=0.0)

    assert found_with(used).verdict == "FOUND"


def test_a_target_elsewhere_shares_nothing():
    """Then nobody looked at its cores, and the generator's own lateness is the only witness."""
    assert found_with(lambda _rate: Cores()).verdict == "FOUND"


@pytest.mark.parametrize(
    ("cores", "is_shared"),
    [
        (Cores(busy=0.98, generator=0.2), True),
        (Cores(busy=0.96, generator=0.2), False),
        (Cores(busy=1.0, generator=0.03, others=0.01), False),
        (Cores(busy=1.0, generator=0.03, stolen=0.03), True),
        (Cores(busy=1.0, generator=0.06, others=math.nan), True),
    ],
)
def test_it_takes_both_no_core_free_and_a_share_that_shows(cores: Cores, is_shared: bool):
    assert cores.is_shared == is_shared


def test_what_a_quarter_less_carries_could_be_a_third_more():
    assert Cores(generator=0.25).elsewhere == "33.3 % higher"
    assert Cores(generator=0.7, others=0.6).elsewhere == "more than twice as high"


def test_others_are_looked_for_before_every_trial_and_the_rest_beside_the_line():
    near = [Cores(busy=1.0, generator=g, others=1.0) for g in (0.1, 0.2, 0.9)]
    far = [Cores(busy=0.1, generator=0.01, others=0.3)] * 4
    seen = cores_at_the_line(near, [*near, *far, Cores()])
    assert (seen.busy, seen.generator, seen.others) == (1.0, 0.2, 0.3)
    assert math.isnan(cores_at_the_line(near[:1], [Cores()]).others)


def test_a_service_that_works_off_its_overloads_is_not_its_own_neighbour():
    """In the silence after a miss it computes on; most silences follow none."""
    before = [0.0]

    def used(rate: float) -> Cores:
        share = min(1.0, rate / CARRIED)
        others = 0.6 if before[-1] > 1.1 * CARRIED else 0.0
        before.append(rate)
        return Cores(busy=share, generator=0.02 * rate / CARRIED, others=others)

    found = found_with(used)
    assert found.verdict == "FOUND"
    assert max(before) > 1.1 * CARRIED
