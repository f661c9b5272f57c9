"""
The page's figures are differences of what is counted anyway.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest

from tonnage.domain import ManualClock, ScaledClock
from tonnage.emulator._counters import Tally
from tonnage.emulator._metrics import PERIOD_SECONDS, VariantMetrics
from tonnage.emulator.page.history import KEPT_SECONDS, Histories, Sample

if TYPE_CHECKING:
    from tonnage.emulator._variant import ProductionVariant


@dataclass
class Variant:
    """What a sample reads of a variant."""

    clock: ScaledClock
    endpoint_name: str = "prices"
    variant_name: str = "linear"
    desired_instance_count: int = 2
    in_service_instance_count: int = 1
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self.metrics = VariantMetrics(self.clock)

    def invoked(self, count: int, seconds: float, status: int = 200) -> None:
        for _ in range(count):
            counts = self.metrics.arrived(self.in_service_instance_count)
            self.metrics.answered(counts, status=status, model_seconds=seconds)
            self.tally.observe(status, seconds)


class World:
    """A variant, its histories, and the time."""

    def __init__(self, time_scale: float) -> None:
        self.time = ManualClock(100.0)
        self.clock = ScaledClock(time_scale=time_scale, origin_seconds=100.0, clock=self.time)
        self.variants = [Variant(self.clock)]
        self.histories = Histories(
            lambda: iter(cast("list[ProductionVariant]", self.variants)),
            self.clock,
            newest_period=lambda: int(self.clock.now_seconds() // PERIOD_SECONDS) - 1,
            alarms=lambda *_: {"AlarmHigh": "OK"},
            now_seconds=self.time.now_seconds,
        )

    def second(self) -> None:
        self.time.advance(1.0)
        self.histories.take()

    def samples(self, number: int = 0) -> list[Sample]:
        return self.histories.since("prices", "linear", number)


@pytest.fixture(params=[1.0, 20.0, 300.0])
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param)


def test_rates_are_of_the_last_second_whatever_the_time_scale(world: World):
    world.second()
    world.variants[0].invoked(30, 0.01)
    world.variants[0].invoked(5, 0.01, status=503)
    world.second()
    world.second()
    first, second, third = world.samples()
    assert (first.succeeded_per_second, first.failed_per_second) == (0, 0)
    assert (second.succeeded_per_second, second.failed_per_second) == (30, 5)
    assert (third.succeeded_per_second, third.failed_per_second) == (0, 0)
    assert (second.desired, second.in_service) == (2, 1)


def test_percentiles_are_of_the_last_seconds_answers_alone(world: World):
    world.variants[0].invoked(100, 0.5)
    world.second()
    world.variants[0].invoked(98, 0.01)
    world.variants[0].invoked(2, 0.2)
    world.second()
    world.second()
    slow, quick, quiet = world.samples()
    assert slow.p50_milliseconds == pytest.approx(500, rel=0.02)
    assert quick.p50_milliseconds == pytest.approx(10, rel=0.02)
    assert quick.p99_milliseconds == pytest.approx(200, rel=0.02)
    assert quiet.p50_milliseconds is None


def test_a_late_answer_is_seen_though_its_period_has_ended():
    world = World(20.0)
    variant = world.variants[0]
    counts = variant.metrics.arrived(1)
    for _ in range(30):  # ten periods
        world.second()
    variant.metrics.answered(counts, status=200, model_seconds=30.0)
    world.second()
    assert world.samples()[-1].p50_milliseconds == pytest.approx(30_000, rel=0.02)


def test_the_newest_datapoint_counts_the_emulators_minute():
    world = World(20.0)
    assert world.samples() == []
    world.second()
    assert world.samples()[-1].invocations_per_instance is None, "no period has ended"
    world.variants[0].invoked(30, 0.01)
    world.second()
    world.second()
    assert world.samples()[-1].invocations_per_instance == pytest.approx(600)


def test_only_the_last_minutes_and_only_what_is_new_are_told():
    world = World(1.0)
    for _ in range(KEPT_SECONDS + 20):
        world.second()
    assert len(world.samples()) == KEPT_SECONDS
    newest = world.samples()[-1].number
    assert world.samples(newest) == []
    world.second()
    assert [sample.number for sample in world.samples(newest)] == [newest + 1]


def test_a_variant_that_is_gone_is_forgotten_and_one_of_its_name_begins_anew():
    world = World(1.0)
    world.variants[0].invoked(10, 0.01)
    world.second()
    gone = world.variants.pop()
    world.second()
    assert world.samples() == []
    world.variants.append(Variant(world.clock, tally=gone.tally))
    world.second()
    assert [sample.succeeded_per_second for sample in world.samples()] == [0]
