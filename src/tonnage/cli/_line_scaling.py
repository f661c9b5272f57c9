"""
``tonnage line --workers-scaling``: the load line at 1, 2, 3 … workers, and the law behind it.
"""

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import click

from tonnage.domain import Check, ConfigurationError, Requirement, format_rate
from tonnage.loadtest import Payload
from tonnage.loadtest.line import (
    LineMeasurement,
    LinePlan,
    ScalingLaw,
    ScalingPoint,
    fit_scaling,
    line,
)
from tonnage.loadtest.services import started_service

from ._faults import INTERRUPTED, MEASUREMENT_INVALID
from ._line_outcome import trial_told
from ._options import emit_json
from ._plain import without_nan

__all__ = ["counts_of", "refuse_what_asks_for_one_line", "scaling_of"]

_RANGE: Final = re.compile(r"(?P<first>\d+)\.\.(?P<last>\d+)")
_MOST_WORKERS: Final = 256
_OF_ONE_LINE: Final = {
    "against": "--against",
    "junit": "--junit",
    "markdown": "--markdown",
    "with_report": "--report",
}

Write = Callable[[LineMeasurement, Path, Sequence[Check]], Path]


def scaling_of(
    plan: Callable[[], LinePlan],
    flags: dict[str, Any],
    *,
    target: str | None,
    payload: Payload,
    write: Write,
    output: Path,
    as_json: bool,
) -> int:
    """
    Find the load line at each count, within the one budget, and fit the scaling law.

    Args:
        plan: Makes the plan of what is left of the budget.
        flags: The verb's.
        target: A packed artefact that `tonnage serve` runs, or with ``--head`` the URL.
        payload: What each request carries.
        write: Writes one search's record.
        output: The folder of the records.
        as_json: Whether to print JSON.
    """
    counts = counts_of(flags["workers_scaling"])
    command, url = _command(target, flags["head"])
    found: list[LineMeasurement] = []
    for place, count in enumerate(counts):
        left = plan()
        share = left.budget_seconds / (len(counts) - place)
        click.echo(f"{count} workers, {share:.0f} s", err=True)
        started = left.budget_seconds
        with started_service(command, url=url, values={"n": str(count)}) as route:
            share -= started - plan().budget_seconds
            found.append(
                line(
                    replace(left, budget_seconds=share),
                    route,
                    payload,
                    processes=flags["processes"],
                    i_own=flags["i_own"],
                    on_trial=lambda outcome: click.echo(trial_told(outcome), err=True),
                )
            )
            write(found[-1], output / f"workers-{count}", ())
        if found[-1].line.interrupted_by is not None:
            return INTERRUPTED
    return _told(counts, found, flags, output, as_json=as_json)


def refuse_what_asks_for_one_line(
    required: Sequence[Requirement], flags: Mapping[str, Any]
) -> None:
    """
    Refuse a gate, a comparison or a page: each is of one line, and would be passed over.

    Raises:
        ConfigurationError: If there is one.
    """
    given = ["--require"] if required else []
    given += [flag for name, flag in _OF_ONE_LINE.items() if flags.get(name)]
    if given:
        raise ConfigurationError(
            f"--workers-scaling measures several lines, and {given[0]} is of one",
            hint="leave one of them out",
        )


def counts_of(text: str) -> list[int]:
    """
    Read ``1..4`` or ``1,2,4``.

    Raises:
        ConfigurationError: If it reads otherwise.
    """
    match = _RANGE.fullmatch(text.strip())
    if match is not None:
        counts = list(range(int(match["first"]), int(match["last"]) + 1))
    else:
        numbers = [part.strip() for part in text.split(",")]
        counts = sorted({int(number) for number in numbers if number.isdecimal()})
        if not all(number.isdecimal() for number in numbers):
            counts = []
    if len(counts) < 2 or counts[0] < 1 or counts[-1] > _MOST_WORKERS:  # noqa: PLR2004 (a law needs a change)
        raise ConfigurationError(
            f"--workers-scaling {text!r} names no counts", hint="write 1..4, or 1,2,4"
        )
    return counts


def _command(target: str | None, head: str | None) -> tuple[str, str]:
    """Return the command that starts n workers, and where they are."""
    if head is not None:
        if "{n}" not in head:
            raise ConfigurationError(
                "--head starts the same however many workers there are to be",
                hint="put {n} where the count belongs",
            )
        return head, target or "http://127.0.0.1:{port}/invocations"
    if target is None or not (Path(target) / "manifest.json").is_file():
        raise ConfigurationError(
            f"--workers-scaling starts `tonnage serve` itself, and {target or 'nothing'} is no"
            " packed artefact",
            hint="name the folder that `tonnage pack` wrote, or give --head COMMAND with {n}",
        )
    serve = f"'{Path(sys.executable).with_name('tonnage')}' serve '{target}'"
    return (
        f"{serve} --host 127.0.0.1 --port {{port}} --workers {{n}}",
        "http://127.0.0.1:{port}/invocations",
    )


def _told(
    counts: Sequence[int],
    found: Sequence[LineMeasurement],
    flags: dict[str, Any],
    output: Path,
    *,
    as_json: bool,
) -> int:
    points = [
        point for count, each in zip(counts, found, strict=True) if (point := _point(count, each))
    ]
    lines = [
        {
            "workers": count,
            "verdict": each.line.verdict,
            "line": each.line.line_per_second,
            "interval": list(each.line.interval_per_second),
        }
        for count, each in zip(counts, found, strict=True)
    ]
    law = fit_scaling(points) if len({point.count for point in points}) > 1 else None
    outcome = without_nan(
        {
            "lines": lines,
            "law": None if law is None else {**asdict(law), "told": law.told()},
            "record": str(output),
        }
    )
    (output / "scaling.json").write_text(json.dumps(outcome, indent=1) + "\n", encoding="utf-8")
    if flags["picture"] is not None and law is not None:
        _draw(law, flags["picture"])
    if as_json:
        emit_json(outcome)
    else:
        click.echo("\n".join(_words(lines, law, output)))
    return MEASUREMENT_INVALID if law is None else 0


def _point(count: int, measured: LineMeasurement) -> ScalingPoint | None:
    found = measured.line
    low, high = found.interval_per_second
    if found.verdict != "FOUND" or found.line_per_second is None or low is None or high is None:
        return None
    return ScalingPoint(
        count=count,
        line_per_second=found.line_per_second,
        interval_per_second=(low, high),
        level=found.level,
    )


def _words(lines: Sequence[dict[str, Any]], law: ScalingLaw | None, output: Path) -> list[str]:
    rows = []
    for each in lines:
        told = "none" if each["line"] is None else format_rate(round(each["line"], 1))
        predicted = "" if law is None else f", by the law {law.line_at(each['workers']):.1f}/s"
        rows.append(f"{each['workers']} workers: {told} ({each['verdict']}){predicted}")
    if law is None:
        rows.append("no scaling law: fewer than two counts have a load line")
    else:
        rows += [law.told(), *law.notes]
    return [*rows, f"records: {output}"]


def _draw(law: ScalingLaw, file: Path) -> None:
    from tonnage.reporting.scaling_figure import ScalingCurve, scaling_picture

    most = max(max(point.count for point in law.points) + 2, law.peak_count or 0)
    counts = range(1, min(most, 2 * max(point.count for point in law.points) + 4) + 1)
    curve = ScalingCurve(
        title="Load line against workers, and the universal scalability law",
        points=[
            (point.count, point.line_per_second, *point.interval_per_second) for point in law.points
        ],
        law=[(count, law.line_at(count)) for count in counts],
        notes=[law.told(), *law.notes],
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(scaling_picture(curve))
