"""
What came of rehearsing a plan, set beside what was planned.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tonnage.domain import (
    FleetTimeline,
    RunRecord,
    format_fraction,
    meets,
    summarise,
)
from tonnage.planning import Option, Plan
from tonnage.reporting import Section

from .plan import RehearsalPlan

__all__ = ["PlanFindings", "Rehearsed", "plan_findings"]

_HOUR: Final = 3600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Rehearsed:
    """
    What one load test showed of the quantities that a plan predicts.

    Attributes:
        failed_fraction: Failed ÷ sent.
        instance_hours: In service, on the emulator's clock.
        largest_count: The most instances in service.
    """

    failed_fraction: float
    instance_hours: float
    largest_count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanFindings:
    """
    What was planned, and what a rehearsal of it showed.

    Attributes:
        plan: The plan.
        as_set: The settings' own policy, simulated on the same traffic.
        as_set_rehearsed: The same, rehearsed; over as long as the plan's traffic lasts.
        confirmed: The plan's policy, rehearsed; None when it was not.
        is_objective_met: Whether that met the objective, its ramp included; None likewise.
    """

    plan: Plan
    as_set: Option | None
    as_set_rehearsed: Rehearsed
    confirmed: Rehearsed | None = None
    is_objective_met: bool | None = None

    def section(self) -> Section:
        """Return it for the report."""
        best = self.plan.best
        if best is None or best.policy is None:
            return Section(title="The plan", lines=[self.plan.refusal or "There is no plan."])
        return Section(
            title=f"The plan: {best.name}, target {best.policy.target_value:,g} per minute",
            lines=[*self.sentences(), *self.plan.why],
            columns=("", "Failed", "Instances at most", "Instance-hours"),
            rows=list(self._rows(best)),
        )

    def sentences(self) -> list[str]:
        """Say in words whether the plan holds, the most important first."""
        best = self.plan.best
        if best is None:
            return [self.plan.refusal or "There is no plan."]
        saved = ""
        if self.as_set is not None and self.as_set.instance_seconds:
            share = best.instance_seconds / self.as_set.instance_seconds
            saved = f", for {share:.2f} of the instance-hours of the settings as they are"
        planned = f"Planned: {format_fraction(best.failed_fraction)} of requests fail{saved}."
        if self.confirmed is None:
            return [planned, "Not rehearsed: tonnage rehearse --confirm-plan does."]
        verdict = "confirmed" if self.is_objective_met else "NOT confirmed"
        return [
            planned,
            (
                f"Rehearsed: {format_fraction(self.confirmed.failed_fraction)} failed;"
                f" the objective is {'met' if self.is_objective_met else 'missed'}:"
                f" the plan is {verdict}."
            ),
        ]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "plan": self.plan.to_json(),
            "as_set": self.as_set.to_json() if self.as_set else None,
            "as_set_rehearsed": _plain(self.as_set_rehearsed),
            "confirmed": _plain(self.confirmed) if self.confirmed else None,
            "is_objective_met": self.is_objective_met,
        }

    def _rows(self, best: Option) -> Iterator[tuple[str, ...]]:
        if self.as_set is not None:
            yield _option_row("The settings as they are, simulated", self.as_set)
        yield _rehearsed_row("The settings as they are, rehearsed (B)", self.as_set_rehearsed)
        yield _option_row("The plan, simulated", best)
        if self.confirmed is not None:
            yield _rehearsed_row("The plan, rehearsed (C)", self.confirmed)


def plan_findings(
    made: Plan, rehearsal: RehearsalPlan, scaled: RunRecord, confirmation: RunRecord | None
) -> PlanFindings:
    """
    Set a plan beside what was rehearsed.

    Args:
        made: The plan.
        rehearsal: What was rehearsed.
        scaled: Experiment B's record: the settings as they are.
        confirmation: Experiment C's: the plan; None when it was not rehearsed.
    """
    until = rehearsal.ramp_seconds + rehearsal.planned_hold_seconds
    return PlanFindings(
        plan=made,
        as_set=next((each for each in made.candidates if each.what == "as it is set"), None),
        as_set_rehearsed=_rehearsed(scaled, until),
        confirmed=_rehearsed(confirmation, until) if confirmation else None,
        is_objective_met=meets(confirmation.samples.between(0.0, until), made.objective)
        if confirmation
        else None,
    )


def _rehearsed(record: RunRecord, until_seconds: float) -> Rehearsed:
    assert record.fleet is not None
    whole = summarise(record.samples, start_seconds=0.0, end_seconds=until_seconds)
    counts = _in_service(record.fleet, until_seconds)
    seconds = sum(span * count for span, count in counts) * record.fleet.time_scale
    return Rehearsed(
        failed_fraction=whole.error_fraction,
        instance_hours=seconds / _HOUR,
        largest_count=max((count for _, count in counts), default=0),
    )


def _in_service(fleet: FleetTimeline, until_seconds: float) -> list[tuple[float, int]]:
    """Return how long each count was in service, in the run's own seconds."""
    changes = [(at, count) for at, _, count in fleet.instances if at < until_seconds]
    ends = [at for at, _ in changes[1:]] + [until_seconds]
    return [(end - at, count) for (at, count), end in zip(changes, ends, strict=True)]


def _option_row(name: str, option: Option) -> tuple[str, ...]:
    assert option.policy is not None
    return (
        name,
        format_fraction(option.failed_fraction),
        f"{option.policy.max_capacity}",
        f"{option.instance_hours:.2f}",
    )


def _rehearsed_row(name: str, seen: Rehearsed) -> tuple[str, ...]:
    return (
        name,
        format_fraction(seen.failed_fraction),
        f"{seen.largest_count}",
        f"{seen.instance_hours:.2f}",
    )


def _plain(seen: Rehearsed) -> dict[str, float]:
    return {
        "failed_fraction": seen.failed_fraction,
        "instance_hours": seen.instance_hours,
        "largest_count": seen.largest_count,
    }
