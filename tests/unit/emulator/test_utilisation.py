"""
What a process has used, read off this machine, and what becomes of two readings.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest

from tonnage.domain import ManualClock, ScaledClock
from tonnage.emulator._instance import FleetInstance, InstanceState
from tonnage.emulator._metrics import VariantMetrics
from tonnage.emulator._utilisation import UtilisationSampler, read_process
from tonnage.emulator._zygote import SpawnedInstance

if TYPE_CHECKING:
    from tonnage.emulator._variant import ProductionVariant

TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")


def work(seconds: float) -> None:
    """Keep a processor busy until this process has used so much more of it."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def this_process(state: InstanceState = InstanceState.IN_SERVICE) -> FleetInstance:
    process = SpawnedInstance(port=1, process_id=os.getpid())
    return FleetInstance("i-0001", state=state, process=process)


@dataclass
class Variant:
    """What the sampler reads of a variant, and writes."""

    metrics: VariantMetrics
    instances: list[FleetInstance] = field(default_factory=lambda: [this_process()])


class World:
    """A variant whose one instance is this process, and the time."""

    def __init__(self, *instances: FleetInstance) -> None:
        self.time = ManualClock(100.0)
        clock = ScaledClock(time_scale=20.0, origin_seconds=100.0, clock=self.time)
        self.variant = Variant(VariantMetrics(clock), list(instances or [this_process()]))
        self.sampler = UtilisationSampler(
            lambda: cast("list[ProductionVariant]", [self.variant]),
            clock,
            now_seconds=self.time.now_seconds,
        )

    @property
    def processor_percent(self) -> list[float]:
        values = self.variant.metrics.counts(0).processor_percent
        return [values.total / values.count] if values.count else []


def test_a_reading_counts_processor_time_and_resident_memory():
    before, used = read_process(os.getpid(), 1.0), time.process_time()
    work(0.05)
    after, used = read_process(os.getpid(), 2.0), time.process_time() - used
    assert before is not None
    assert after is not None
    counted = after.processor_seconds - before.processor_seconds
    assert counted == pytest.approx(used, abs=3 * TICK_SECONDS)
    assert (before.at_seconds, after.at_seconds) == (1.0, 2.0)
    assert after.memory_bytes > 10 * 2**20, "an interpreter with numpy"


def test_a_process_that_is_gone_has_no_reading():
    assert read_process(2**22 + 1, 0.0) is None, "beyond the greatest number of a process"


def test_a_processor_kept_busy_reads_as_its_share_of_the_real_time_between():
    world = World()
    world.sampler.take()
    assert world.processor_percent == [], "one reading says nothing yet"
    used = time.process_time()
    work(0.1)
    used = time.process_time() - used
    world.time.advance(0.5)
    world.sampler.take()
    error = 100 * 3 * TICK_SECONDS / 0.5
    assert world.processor_percent == [pytest.approx(100 * used / 0.5, abs=error)]
    memory = world.variant.metrics.counts(0).memory_percent
    assert 0 < memory.total / memory.count < 100


def test_only_instances_in_service_count():
    world = World(this_process(InstanceState.PENDING), FleetInstance("i-0002"))
    for _ in range(2):
        world.sampler.take()
        world.time.advance(0.1)
    assert world.processor_percent == []


def test_a_number_that_is_another_processes_now_counts_nothing():
    """Its processor time is less than what was read before."""
    world = World()
    world.sampler.take()
    (process_id,) = world.sampler._readings
    reading = world.sampler._readings[process_id]
    world.sampler._readings[process_id] = type(reading)(
        at_seconds=reading.at_seconds,
        processor_seconds=reading.processor_seconds + 3600.0,
        memory_bytes=reading.memory_bytes,
    )
    world.time.advance(0.5)
    world.sampler.take()
    assert world.processor_percent == []
