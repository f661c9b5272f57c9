"""``tonnage verify``."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from tonnage.deployment import Expected, open_session, verify
from tonnage.domain import ConfigurationError, parse_fraction
from tonnage.planning import read_prices

from ._convert_deployment import expected_of
from ._faults import OBJECTIVE_MISSED
from ._options import DURATION, RATE, emit_json, json_option, settings_options, with_settings

__all__ = ["command"]

_PLAN_NAME = "plan.json"


@click.command(
    "verify",
    epilog="Examples: tonnage verify --plan plan;"
    " tonnage verify real-estate-evaluation --line 600/s --window 1h",
)
@click.argument("endpoint", required=False)
@settings_options
@click.option(
    "--plan",
    type=click.Path(path_type=Path),
    help="What `tonnage plan` wrote (its directory, or plan.json): line and cost.",
)
@click.option("--line", type=RATE, help="What one instance carries, e.g. 600/s.")
@click.option("--window", type=DURATION, default=10_800.0, help="How far back.  [default: 3h]")
@click.option(
    "--tolerance", default="10%", show_default=True, help="How far line and cost may be off."
)
@json_option
def command(
    *,
    endpoint: str | None,
    config: Path | None,
    overrides: tuple[str, ...],
    plan: Path | None,
    line: float | None,
    window: float,
    tolerance: str,
    as_json: bool,
) -> int:
    """
    Hold ENDPOINT, deployed or local, against tonnage.toml and its plan, and name what differs.

    It reads SageMaker, Application Auto Scaling and CloudWatch with your credentials and changes
    nothing; AWS_ENDPOINT_URL=http://127.0.0.1:8000 names a local one. Exit code 3: something
    differs.
    """
    settings = with_settings(config, overrides)
    planned_line, planned_cost = _planned(plan)
    expected: Expected = expected_of(
        settings,
        endpoint_name=endpoint,
        line_per_second=line or planned_line,
        instances_usd_month=planned_cost,
        tolerance=parse_fraction(tolerance),
    )
    session = open_session(settings.aws.region)
    result = verify(
        session.client, expected, read_prices(None), now=datetime.now(UTC), window_seconds=window
    )
    if as_json:
        emit_json(result.to_json())
    else:
        for finding in result.findings:
            click.echo(str(finding))
    for note in result.notes:
        click.echo(f"note: {note}", err=True)
    return OBJECTIVE_MISSED if result.drift else 0


def _planned(plan: Path | None) -> tuple[float | None, float | None]:
    if plan is None:
        return None, None
    file = plan / _PLAN_NAME if plan.is_dir() else plan
    try:
        best: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["best"]
        return float(best["line_per_second"]), float(best["cost_usd_month_split"]["instances"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{file} is no plan with a best: {error}",
            hint="write one with `tonnage plan … -o DIR`, or keep what `--json` prints",
        ) from error
