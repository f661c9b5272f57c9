"""
What instances use of this machine, as CloudWatch tells it of each: processor and memory.

A reading is what the kernel has counted for an instance's process; its utilisation is the
difference of two over the real time between them. There are several a period, so that a period's
datapoint is there when it ends, whoever looks first (``docs/decisions/0155``).
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tonnage.domain import ScaledClock

from ._instance import FleetInstance, InstanceState
from ._metrics import PERIOD_SECONDS
from ._variant import ProductionVariant

__all__ = ["Reading", "UtilisationSampler", "read_process"]

logger = logging.getLogger(__name__)

_READINGS_A_PERIOD: Final = 6
_LEAST_PAUSE_SECONDS: Final = 0.05
"""The kernel counts in hundredths of a second: more often there is nothing to tell."""

_TIMES: Final = slice(11, 15)  # of proc(5)'s fields behind the name: own and waited-for children's
_RESIDENT: Final = 21


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """
    What a process has used.

    Attributes:
        at_seconds: When it was read, on a real, monotonic clock.
        processor_seconds: Since it began, summed over processors, its ended children included.
        memory_bytes: Resident now, what it shares with others included.
    """

    at_seconds: float
    processor_seconds: float
    memory_bytes: int


def read_process(process_id: int, at_seconds: float) -> Reading | None:
    """Return what a process has used; None if it is gone, or the machine does not tell."""
    try:
        line = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = line.rpartition(")")[2].split()  # the name before it may hold anything
    return Reading(
        at_seconds=at_seconds,
        processor_seconds=sum(map(int, fields[_TIMES])) / os.sysconf("SC_CLK_TCK"),
        memory_bytes=int(fields[_RESIDENT]) * os.sysconf("SC_PAGE_SIZE"),
    )


class UtilisationSampler:
    """
    Counts into each variant's metrics what its instances in service use.

    Args:
        variants: Returns the variants that exist now.
        clock: The emulator's clock.
        now_seconds: A real, monotonic clock.
    """

    def __init__(
        self,
        variants: Callable[[], Iterable[ProductionVariant]],
        clock: ScaledClock,
        *,
        now_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._variants = variants
        self._now_seconds = now_seconds
        self._readings: dict[int, Reading] = {}
        self._memory_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        period = PERIOD_SECONDS / clock.time_scale
        self._pause_seconds = max(_LEAST_PAUSE_SECONDS, period / _READINGS_A_PERIOD)

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            await asyncio.sleep(self._pause_seconds)
            try:
                self.take()
            except Exception:
                logger.exception("what the instances use could not be read")

    def take(self) -> None:
        """Read every instance in service once."""
        before, self._readings = self._readings, {}
        for variant in self._variants():
            for instance in variant.instances:
                process_id = _process_id(instance)
                if process_id is None:
                    continue
                reading = read_process(process_id, self._now_seconds())
                if reading is None:
                    continue
                self._readings[process_id] = reading
                if process_id in before:
                    self._count(variant, before[process_id], reading)

    def _count(self, variant: ProductionVariant, before: Reading, reading: Reading) -> None:
        seconds = reading.at_seconds - before.at_seconds
        used = reading.processor_seconds - before.processor_seconds
        if seconds > 0 and used >= 0:  # less than before: the number is another process's now
            variant.metrics.utilised(
                processor_percent=100.0 * used / seconds,
                memory_percent=100.0 * reading.memory_bytes / self._memory_bytes,
            )


def _process_id(instance: FleetInstance) -> int | None:
    if instance.state is not InstanceState.IN_SERVICE or instance.process is None:
        return None
    return instance.process.process_id
