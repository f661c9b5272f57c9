"""
``tonnage rehearse``: the experiments, one after the other, and their report.
"""

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from tonnage.domain import FleetTimeline, InterruptedRunError, Objective, RunRecord, write_record
from tonnage.emulator import up_in_background
from tonnage.loadtest import LoadPlan, LoadProgress, load
from tonnage.planning import Plan
from tonnage.reporting import ReportFiles, Section, report

from .findings import (
    LONGEST_HELD_SECONDS,
    AloneFindings,
    ScaledFindings,
    alone_findings,
    scaled_findings,
)
from .plan import Experiment, RehearsalPlan
from .planned import PlanFindings, as_planned, plan_findings, plan_rehearsal

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
        records: The run records' directories, one an experiment.
        report: The report's files.
        alone: What experiment A showed.
        scaled: What experiment B showed.
        planned: The plan, and what experiment C showed of it; None when the instances are not
            capped, so that nobody knows their load line.
    """

    records: tuple[Path, ...]
    report: ReportFiles
    alone: AloneFindings
    scaled: ScaledFindings
    planned: PlanFindings | None

    def to_json(self) -> dict[str, Any]:
        """Return the findings and where the files are, as plain JSON values."""
        return {
            "alone": asdict(self.alone),
            "scaled": asdict(self.scaled),
            "plan": self.planned.to_json() if self.planned else None,
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
    Run the story in compressed time: one instance alone, then the same with scaling, then a plan.

    The plan is made for the rehearsed ramp; it is rehearsed when ``plan.confirms_plan``.

    Args:
        plan: What to run.
        objective: What experiments B and C are held against, and what the plan must meet.
        on_progress: Called as each experiment starts (without progress) and then once a second.

    Raises:
        InterruptedRunError: On Ctrl-C or SIGTERM; the records so far are kept.
        TonnageError: Whatever keeps the endpoint or the load generator from running.
    """
    held = _Held(plan, on_progress)
    for experiment in plan.experiments:
        held.run(experiment)
    made = plan_rehearsal(plan, objective, datetime.now(UTC).date())
    confirmation = _confirmation(plan, made) if plan.confirms_plan else None
    if confirmation is not None:
        held.run(confirmation)
    return _told(plan, objective, held, made)


class _Held:
    """The experiments that were run, with their records."""

    def __init__(
        self,
        plan: RehearsalPlan,
        on_progress: Callable[[Experiment, LoadProgress | None], None],
    ) -> None:
        self._plan = plan
        self._on_progress = on_progress
        self.records: list[RunRecord] = []
        self.directories: list[Path] = []

    def run(self, experiment: Experiment) -> None:
        """Run one and write its record."""
        self._on_progress(experiment, None)
        with _precedence():
            record = _run(self._plan, experiment, self._on_progress)
        self.directories.append(write_record(record, self._plan.output / experiment.name))
        self.records.append(record)
        if record.generator["interrupted_by"]:
            raise InterruptedRunError(
                f"the rehearsal was interrupted in {experiment.title}",
                hint=f"its samples so far: tonnage report {self.directories[-1]}",
            )


def _confirmation(plan: RehearsalPlan, made: Plan | None) -> Experiment | None:
    """Return the experiment that confirms a plan; None when there is nothing to confirm."""
    if made is None or made.best is None or made.best.policy is None:
        return None
    assert plan.up.scaling is not None
    scaling = as_planned(made.best, plan.up.scaling)
    return plan.confirmation(scaling, made.best.policy.min_capacity)


def _told(plan: RehearsalPlan, objective: Objective, held: _Held, made: Plan | None) -> Rehearsal:
    """Derive what the experiments showed and write their report."""
    first, second, *third = held.records
    capacity = plan.up.local.capacity
    alone = alone_findings(first)
    scaled = scaled_findings(
        second,
        objective,
        capacity.rate_per_second if capacity else None,
        held_seconds=min(LONGEST_HELD_SECONDS, plan.scaled_hold_seconds),
    )
    planned = plan_findings(made, plan, second, third[0] if third else None) if made else None
    files = report(
        held.records,
        plan.output / "report",
        title=f"Rehearsal of {plan.up.endpoint.endpoint_name}",
        summary=[
            Section(title=first.title, lines=alone.sentences()),
            Section(title=second.title, lines=scaled.sentences()),
            *([planned.section()] if planned else []),
        ],
    )
    return Rehearsal(
        records=tuple(held.directories),
        report=files,
        alone=alone,
        scaled=scaled,
        planned=planned,
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
    """Return the settings in force, with the experiment's own in place of the file's."""
    policy, count = experiment.up.scaling, experiment.up.endpoint.initial_instance_count
    scaling = {
        **plan.settings.get("scaling", {}),
        "enabled": policy is not None,
        **(asdict(policy) if policy else {}),
    }
    endpoint = {**plan.settings.get("endpoint", {}), "initial_instance_count": count}
    return {**plan.settings, "endpoint": endpoint, "scaling": scaling}


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
