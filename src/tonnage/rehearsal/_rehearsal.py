"""
``tonnage rehearse``: the experiments, one after the other, and their report.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tonnage.domain import InterruptedRunError, Objective, RunRecord, write_record, write_series
from tonnage.loadtest.signals import HeldSignals
from tonnage.planning import Plan
from tonnage.reporting import ReportFiles, Section, report

from ._experiment import OnProgress, run_experiment
from ._planning import as_planned, plan_rehearsal
from .findings import (
    LONGEST_HELD_SECONDS,
    AloneFindings,
    ScaledFindings,
    alone_findings,
    scaled_findings,
)
from .plan import Experiment, RehearsalPlan
from .planned import PlanFindings, plan_findings

__all__ = ["Rehearsal", "rehearse"]


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
    on_progress: OnProgress = lambda _experiment, _progress: None,
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

    def __init__(self, plan: RehearsalPlan, on_progress: OnProgress) -> None:
        self._plan = plan
        self._on_progress = on_progress
        self.records: list[RunRecord] = []
        self.directories: list[Path] = []
        self.series: list[Path] = []

    def run(self, experiment: Experiment) -> None:
        """Run one and write its record and series."""
        record = run_experiment(self._plan, experiment, self._on_progress)
        with HeldSignals().hold():
            directory = write_record(record, self._plan.output / experiment.name)
            self.series.append(write_series(record, directory))
        self.directories.append(directory)
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
        series=held.series,
    )
    return Rehearsal(
        records=tuple(held.directories),
        report=files,
        alone=alone,
        scaled=scaled,
        planned=planned,
    )
