"""
What the generator's processes report while a trial runs, put together.
"""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .health import GeneratorHealth
from .progress import LoadProgress

__all__ = ["GENERATORS_OWN", "Ticks", "summed"]

GENERATORS_OWN = ("not_sent", "no_descriptor", "no_port")
"""The kinds of missing answer that are the generator's doing."""

_Report = Mapping[str, Any]


class Ticks:
    """
    The reports so far, tick by tick.

    Args:
        processes: How many report.
        on_progress: Called for each tick that all of them have reported.
    """

    def __init__(
        self, processes: int, on_progress: Callable[[LoadProgress], None] | None = None
    ) -> None:
        self._by_process: list[list[_Report]] = [[] for _ in range(processes)]
        self._on_progress = on_progress
        self._told = 0

    def hear(self, index: int, report: _Report) -> None:
        """Take one report."""
        if report["event"] != "second":
            return
        self._by_process[index].append(report)
        if self._on_progress is not None and min(map(len, self._by_process)) > self._told:
            self._told += 1
            self._on_progress(_progress([each[self._told - 1] for each in self._by_process]))

    def health(
        self,
        endings: Sequence[_Report],
        unanswered: Mapping[str, int],
        *,
        limits: Sequence[int],
        wanted: int,
    ) -> GeneratorHealth:
        """
        Return what the generator spent.

        Args:
            endings: Each process's last report.
            unanswered: Kind → count, over all of them.
            limits: How many outstanding requests each had room for.
            wanted: How many it was to have room for.
        """
        sending = [
            tick
            for tick in zip(*self._by_process, strict=False)
            if any(report["is_sending"] for report in tick)
        ]
        not_sent = {kind: unanswered[kind] for kind in GENERATORS_OWN if unanswered.get(kind)}
        if never_sent := sum(ending["never_sent"] for ending in endings):
            not_sent["too_late"] = never_sent
        return GeneratorHealth(
            cpu_fractions=tuple(max(r["cpu_fraction"] for r in tick) for tick in sending),
            waited_fractions=tuple(max(r["waited_fraction"] for r in tick) for tick in sending),
            collector_pause_seconds=max(
                (r["collector_pause_seconds"] for tick in sending for r in tick), default=0.0
            ),
            not_sent=not_sent,
            max_outstanding=sum(limits),
            is_short_of_descriptors=min(limits) < wanted,
            connections_most=sum(ending["open_most"] for ending in endings),
            machine_busy_fraction=max(ending["machine_busy_fraction"] for ending in endings),
            generator_busy_fraction=_share_of_all_cores(endings),
            stolen_fraction=max(ending["stolen_fraction"] for ending in endings),
            connections_opened=sum(ending["opened"] for ending in endings),
        )


def summed(endings: Sequence[_Report]) -> dict[str, int]:
    """Return the requests without an answer by kind, over all processes."""
    kinds = sorted({kind for ending in endings for kind in ending["unanswered"]})
    return {kind: sum(ending["unanswered"].get(kind, 0) for ending in endings) for kind in kinds}


def _share_of_all_cores(endings: Sequence[_Report]) -> float:
    used = sum(float(ending["cpu_seconds"]) for ending in endings)
    lasted = max(float(ending["elapsed_seconds"]) for ending in endings)
    return used / max(lasted, 1e-9) / (os.cpu_count() or 1)


def _progress(reports: Sequence[_Report]) -> LoadProgress:
    span = max(report["span_seconds"] for report in reports)
    slowest = [report["p99_seconds"] for report in reports if report["p99_seconds"] is not None]
    return LoadProgress(
        elapsed_seconds=max(report["elapsed_seconds"] for report in reports),
        users=0,
        requests_per_second=sum(report["requests"] for report in reports) / span,
        failures_per_second=sum(report["failures"] for report in reports) / span,
        p99_seconds=max(slowest, default=math.nan),
        outstanding=sum(report["outstanding"] for report in reports),
    )
