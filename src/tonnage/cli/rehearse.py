"""``tonnage rehearse``."""

from pathlib import Path

import click

from tonnage.config import Settings
from tonnage.loadtest import LoadProgress
from tonnage.rehearsal import Experiment, Rehearsal, RehearsalPlan, rehearse

from ._convert import objective, settings_shown, up_options
from ._options import emit_json, json_option, settings_options, with_settings
from ._progress import ProgressLine
from .load import load_plan

__all__ = ["command"]


@click.command("rehearse", epilog="Example: tonnage rehearse --set scaling.target_value=3000")
@settings_options
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Where records and report go.  [default: runs/rehearsal beside tonnage.toml]",
)
@click.option(
    "--confirm-plan",
    is_flag=True,
    help="Rehearse the plan, too: one more load test, of about a minute.",
)
@json_option
def command(
    *,
    config: Path | None,
    overrides: tuple[str, ...],
    output: Path | None,
    confirm_plan: bool,
    as_json: bool,
) -> None:
    """
    Rehearse the whole story on this machine, in compressed time.

    A: one instance, no scaling. B: the same with scaling. Then the plan for this load, and on
    demand C: the same with what was planned. Each is ramped to the settings' users; all are told
    in one report.
    """
    settings = with_settings(config, overrides)
    plan = RehearsalPlan(
        up=up_options(settings, host="127.0.0.1", port=0),
        load=load_plan(settings, None, {}),
        output=output or settings.path("runs/rehearsal"),
        settings=settings_shown(settings),
        confirms_plan=confirm_plan,
    )
    count = "three" if confirm_plan else "two"
    minutes = (plan.duration_seconds + 20) / 60
    click.echo(f"{count} load tests, about {minutes:.1f} minutes", err=True)
    held = rehearse(plan, objective(settings), on_progress=_Progress())
    if as_json:
        emit_json(held.to_json())
    else:
        click.echo(_told(settings, plan, held))


class _Progress:
    """One progress line an experiment."""

    def __init__(self) -> None:
        self._line = ProgressLine()

    def __call__(self, experiment: Experiment, progress: LoadProgress | None) -> None:
        if progress is None:
            self._line.end()
            click.echo(experiment.title, err=True)
            self._line = ProgressLine(label="  ", total_seconds=experiment.duration_seconds)
        else:
            self._line.update(progress)


def _told(settings: Settings, plan: RehearsalPlan, held: Rehearsal) -> str:
    alone, scaled = plan.experiments
    objective_words = "met" if held.scaled.is_objective_met else "missed"
    return "\n".join(
        [
            "",
            alone.title,
            *(f"  {sentence}" for sentence in held.alone.sentences()),
            scaled.title,
            *(f"  {sentence}" for sentence in held.scaled.sentences()),
            f"  Objective {objective(settings)}: {objective_words}.",
            *_planned(held),
            "Settings",
            *(f"  {line}" for line in _settings(plan)),
            f"Report: {held.report.page}",
        ]
    )


def _planned(held: Rehearsal) -> list[str]:
    if held.planned is None:
        return []
    section = held.planned.section()
    return [section.title, *(f"  {sentence}" for sentence in held.planned.sentences())]


def _settings(plan: RehearsalPlan) -> list[str]:
    local, load, scaling = plan.up.local, plan.load, plan.up.scaling
    assert scaling is not None
    cap = local.capacity
    return [
        (
            f"{load.users} users, one more every {1 / plan.spawn_rate_per_second:g} s,"
            f" a request every {load.pacing_seconds:g} s each, {load.arrivals}"
        ),
        (
            f"target {scaling.target_value:g} invocations per instance and minute,"
            f" {scaling.min_capacity} to {scaling.max_capacity} instances, cooldowns"
            f" {scaling.scale_out_cooldown_seconds:g} s out and"
            f" {scaling.scale_in_cooldown_seconds:g} s in,"
            f" provisioning {local.provisioning_delay_seconds:g} s"
        ),
        f"time compressed {local.time_scale:g} times; "
        + (
            f"an instance's {cap.rate_per_second:g}/s is an emulated cap"
            f" ({cap.queue_seconds * 1000:g} ms of queue)"
            if cap
            else "an instance carries what this machine does"
        ),
    ]
