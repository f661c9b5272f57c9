"""
A plan → its page and pictures.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from tonnage.planning import (
    MARKS,
    Option,
    Plan,
    PolicyKind,
    instance_dollars,
    plan_rows,
    policy_timeline,
    what_if,
)
from tonnage.reporting.plan_report import PlanFigure, PlanReport, write_plan_report
from tonnage.reporting.planning_figures import (
    CostPoint,
    PlanTimeline,
    WhatIf,
    frontier_chart,
    timeline_chart,
    what_if_chart,
)
from tonnage.reporting.sections import Section

__all__ = ["write_report"]

_NAMED: Final = ("AWS's recipe", "as it is set", "scheduled", "steps", "10 s metric")
"""Options that have a name in the picture, where they are not the plan itself."""


def write_report(made: Plan, output: Path) -> list[Path]:
    """Write a plan's page, pictures and numbers; a plan without a best has none."""
    assert made.best is not None
    columns, *rows = plan_rows(made)
    report = PlanReport(
        title=f"The plan: {made.best.name}, ${made.best.cost.cents:,} a month",
        notes=Section(title="Note"),
        sections=[
            Section(title="Why", lines=made.why),
            Section(title="Cheapest first", lines=MARKS, columns=columns, rows=rows),
        ],
        figures=list(_figures(made)),
        background=[
            Section(title="What it rests on", lines=made.warnings),
            Section(title="What AWS would refuse", lines=made.refused or ("Nothing considered.",)),
        ],
    )
    files = write_plan_report(report, output)
    numbers = output / "plan.json"
    numbers.write_text(json.dumps(made.to_json(), indent=1) + "\n", encoding="utf-8")
    return [files.page, *files.pictures, numbers]


def _figures(made: Plan) -> Iterator[PlanFigure]:
    best = made.best
    assert best is not None
    allowed = made.objective.errors.max_fraction
    if best.policy is None:
        return
    line = policy_timeline(made.trial, best.line, best.policy)
    yield PlanFigure(
        name="timeline",
        title=f"What {best.name} does on this traffic",
        caption="Offered requests, what the instances in service carry together, and what fails."
        " Between desired and in service lies the time that a new instance takes.",
        chart=timeline_chart(
            PlanTimeline(
                title=best.name,
                seconds=line.seconds,
                offered_per_second=line.offered_per_second,
                failed_per_second=line.failed_per_second,
                capacity_per_second=line.capacity_per_second,
                desired=line.desired,
                in_service=line.in_service,
            )
        ),
    )
    yield PlanFigure(
        name="frontier",
        title="What attainment costs",
        caption=f"Every policy tried for {made.line.kind.name}, by what its instances cost and the"
        " share of requests it fails. The plan stands right of the frontier's foot when it keeps a"
        f" margin: it must hold {made.margin:.0%} more traffic, too.",
        chart=frontier_chart(list(_points(made)), allowed),
    )
    if best.policy.scales:
        moved = what_if(made)
        yield PlanFigure(
            name="what-if",
            title="What the target does",
            caption="The plan with another target value, everything else held.",
            chart=what_if_chart(
                WhatIf(
                    knob="target value, invocations per instance and minute",
                    values=moved.values,
                    cost_usd_month=moved.usd_month,
                    failed_fraction=moved.failed_fraction,
                    chosen=best.policy.target_value,
                ),
                allowed,
            ),
        )


def _points(made: Plan) -> Iterator[CostPoint]:
    searched, best = made.searched, made.best
    dollars = instance_dollars(made, searched.outcomes.instance_seconds)
    _, which = np.unique(
        np.column_stack((dollars.round(2), searched.outcomes.failed_fraction.round(6))),
        axis=0,
        return_index=True,
    )
    for row in which.tolist():
        policy = searched.policies.row(row)
        yield CostPoint(
            cost_usd_month=float(dollars[row]),
            failed_fraction=float(searched.outcomes.failed_fraction[row]),
            what=f"{policy.min_capacity} to {policy.max_capacity}, target"
            f" {policy.target_value:,g}{_beside(policy.kind)}",
        )
    for option in made.candidates:
        if option is not best and option.what in _NAMED and option.line == made.line:
            yield _named(option, f"{option.what}, assumed" if option.assumed else option.what)
    assert best is not None
    yield _named(best, "the plan", chosen=True)


def _beside(kind: PolicyKind) -> str:
    """Say what a policy has beside target tracking on invocations."""
    said = []
    if kind.is_high_resolution:
        said.append("10 s metric")
    if kind.steps:
        said.append("steps")
    if kind.scheduled:
        said.append(f"{len(kind.scheduled)} scheduled actions")
    return "".join(f", {each}" for each in said)


def _named(option: Option, label: str, *, chosen: bool = False) -> CostPoint:
    assert option.policy is not None
    return CostPoint(
        cost_usd_month=float(option.cost.instances),
        failed_fraction=option.failed_fraction,
        what=f"{option.name}, target {option.policy.target_value:,g}{_beside(option.policy.kind)}",
        kind="chosen" if chosen else "compared",
        label=label,
    )
