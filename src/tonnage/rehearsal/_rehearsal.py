"""
``tonnage rehearse``: the two experiments, one after the other, and their report.
"""

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from tonnage.domain import FleetTimeline, InterruptedRunError, Objective, RunRecord, write_record
from tonnage.emulator import up_in_background
from tonnage.loadtest import LoadPlan, LoadProgress, load
from tonnage.reporting import ReportFiles, Section, report

from .findings import (
    LONGEST_HELD_SECONDS,
    AloneFindings,
    ScaledFindings,
    alone_findings,
    scaled_findings,
)
from .plan import Experiment, RehearsalPlan

__all__ = ["Rehearsal", "rehearse"]

logger = logging.getLogger(__name__)

_PRECEDENCE: Final = -10
_GENERATOR_START_SECONDS: Final = 2.5
"""What Locust needs to be imported and ready; the load then begins on a period boundary."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rehearsal:
    """
    A rehearsal that was held.

    Attributes:
        records: The two run records' directories.
        report: The report's files.
        alone: What experiment A showed.
        scaled: What experiment B showed.
    """

    records: tuple[Path, Path]
    report: ReportFiles
    alone: AloneFindings
    scaled: ScaledFindings

    def to_json(self) -> dict[str, Any]:
        """Return the findings and where the files are, as plain JSON values."""
        return {
            "alone": asdict(self.alone),
            "scaled": asdict(self.scaled),
            "records": [str(record) for record in self.records],
            "report": str(self.report.page),
        }


def rehearse(
    plan: RehearsalPlan,
    objective: Objective,
    *,
    on_progress: Callable[[Experiment, LoadProgress | None], None] = lambda _e, _p: None,
) -> Rehearsal:
    """
    Run the story in compressed time: one instance alone, then the same with scaling.

    Args:
        plan: What to run.
        objective: What experiment B is held against.
        on_progress: Called as each experiment starts (without progress) and then once a second.

    Raises:
        InterruptedRunError: On Ctrl-C or SIGTERM; the records so far are kept.
        TonnageError: Whatever keeps the endpoint or the load generator from running.
    """
    records = []
    directories = []
    for experiment in plan.experiments:
        on_progress(experiment, None)
        with _precedence():
            record = _run(plan, experiment, on_progress)
        directories.append(write_record(record, plan.output / experiment.name))
        records.append(record)
        if record.generator["interrupted_by"]:
            raise InterruptedRunError(
                f"the rehearsal was interrupted in {experiment.title}",
                hint=f"its samples so far: tonnage report {directories[-1]}",
            )
    capacity = plan.up.local.capacity
    alone = alone_findings(records[0])
    scaled = scaled_findings(
        records[1],
        objective,
        capacity.rate_per_second if capacity else None,
        held_seconds=min(LONGEST_HELD_SECONDS, plan.scaled_hold_seconds),
    )
    files = report(
        records,
        plan.output / "report",
        title=f"Rehearsal of {plan.up.endpoint.endpoint_name}",
        summary=[
            Section(title=records[0].title, lines=alone.sentences()),
            Section(title=records[1].title, lines=scaled.sentences()),
        ],
    )
    return Rehearsal(
        records=(directories[0], directories[1]), report=files, alone=alone, scaled=scaled
    )


@contextlib.contextmanager
def _precedence() -> Iterator[None]:
    """
    Let the endpoint and the generator run before whatever else this machine does, where allowed.

    An emulated instance whose process waits 70 ms for a core refuses requests that it would have
    carried. Only root may do this; without it the figures show what else was running.
    """
    before = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, _PRECEDENCE)
    except PermissionError:
        logger.info("not allowed to raise the priority; a busy machine will show in the figures")
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, before)


def _run(
    plan: RehearsalPlan,
    experiment: Experiment,
    on_progress: Callable[[Experiment, LoadProgress | None], None],
) -> RunRecord:
    with up_in_background(experiment.up) as endpoint:
        start = endpoint.next_period_monotonic_seconds(
            time.monotonic(), after_seconds=_GENERATOR_START_SECONDS
        )
        record = load(
            _load_plan(plan, experiment, endpoint.url, start),
            on_progress=lambda progress: on_progress(experiment, progress),
        )
        # The load's own start is what the record's times count from.
        offset = time.time() - time.monotonic()
        timeline = endpoint.timeline(record.started_at_epoch_seconds - offset)
    return replace(
        record,
        fleet=_within(timeline, record.duration_seconds),
        settings={**_settings(plan, experiment), **record.settings},
        notes=(*_notes(experiment), *record.notes),
    )


def _load_plan(plan: RehearsalPlan, experiment: Experiment, url: str, start: float) -> LoadPlan:
    return replace(
        plan.load,
        url=url + urlsplit(plan.load.url).path,
        spawn_rate_per_second=plan.spawn_rate_per_second,
        duration_seconds=experiment.duration_seconds,
        start_at_monotonic_seconds=start,
        name=experiment.name,
        title=experiment.title,
    )


def _within(timeline: FleetTimeline, duration_seconds: float) -> FleetTimeline:
    return replace(
        timeline,
        instances=[change for change in timeline.instances if change[0] <= duration_seconds],
        invocations_per_instance=[
            datapoint
            for datapoint in timeline.invocations_per_instance
            if datapoint[0] <= duration_seconds
        ],
    )


def _settings(plan: RehearsalPlan, experiment: Experiment) -> dict[str, Any]:
    scaling = {**plan.settings.get("scaling", {}), "enabled": experiment.up.scaling is not None}
    return {**plan.settings, "scaling": scaling}


def _notes(experiment: Experiment) -> list[str]:
    local = experiment.up.local
    notes = []
    if local.capacity is not None:
        notes.append(
            f"What one instance carries is an emulated cap of"
            f" {local.capacity.rate_per_second:g} requests per second (a queue of"
            f" {local.capacity.queue_seconds * 1000:g} ms), not what this machine carries."
        )
    if local.time_scale != 1:
        notes.append(
            f"Time is compressed {local.time_scale:g} times: a CloudWatch minute lasts"
            f" {60 / local.time_scale:g} s, {local.provisioning_delay_seconds:g} s of provisioning"
            f" {local.provisioning_delay_seconds / local.time_scale:g} s. Rates are not compressed."
        )
    return notes
