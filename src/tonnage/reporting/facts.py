"""
The sections that records fill: what was measured, which settings differ, on what machine.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from tonnage.domain import (
    NO_ANSWER,
    Onset,
    RunRecord,
    failure_onset,
    format_duration,
    format_fraction,
    percentile,
    send_spread_seconds,
)

from .sections import Section
from .series import Timeline, timeline

__all__ = [
    "activities",
    "differences",
    "errors_by_kind",
    "machine",
    "notes",
    "outcome",
    "settings",
    "verdicts",
]

NONE: Final = "-"
NEAR_PEAK: Final = 0.95


def notes(records: Sequence[RunRecord]) -> Section:
    """Return what a reader must know, each note once, with the experiments it holds for."""
    holds_for: dict[str, list[str]] = {}
    for record in records:
        for note in record.notes:
            holds_for.setdefault(note, []).append(record.title)
    lines = [
        note if len(titles) == len(records) else f"{'; '.join(titles)}: {note}"
        for note, titles in holds_for.items()
    ]
    return Section(title="Read this first", lines=lines)


def verdicts(records: Sequence[RunRecord]) -> Section:
    """Return whether each record can be believed, by its generator's own account."""
    rows = [
        (
            record.title,
            str(record.generator.get("verdict") or NONE),
            str(record.generator.get("reason") or NONE),
        )
        for record in records
    ]
    return Section(
        title="Can it be believed?",
        columns=("", "Generator", "Why"),
        rows=rows,
    )


def errors_by_kind(records: Sequence[RunRecord]) -> Section:
    """Return what became of the requests that got no 2xx answer: by status, or why unanswered."""
    columns = [_errors(record) for record in records]
    names = sorted({name for column in columns for name in column})
    if not names:
        return Section(title="Errors by kind", lines=("None.",))
    rows = [(name, *(f"{column.get(name, 0):,}" for column in columns)) for name in names]
    return Section(
        title="Errors by kind", columns=("", *(record.title for record in records)), rows=rows
    )


def outcome(records: Sequence[RunRecord]) -> Section:
    """Return the table of results, one column an experiment."""
    columns = [_outcome(record) for record in records]
    return Section(
        title="What was measured",
        columns=("", *(record.title for record in records)),
        rows=[(name, *(column[name] for column in columns)) for name in columns[0]],
    )


def activities(records: Sequence[RunRecord]) -> Section:
    """Return every scaling activity with its cause."""
    rows = [
        (
            f"{activity.from_count} → {activity.to_count}",
            record.title,
            f"{_moment(activity.at_seconds)} → {_moment(activity.in_service_at_seconds)}",
            activity.cause,
        )
        for record in records
        if record.fleet
        for activity in record.fleet.activities
    ]
    columns = ("Instances", "Experiment", "Decided → in service", "Cause")
    return Section(
        title="Scaling activities",
        lines=() if rows else ("None.",),
        columns=columns if rows else (),
        rows=rows,
    )


def settings(records: Sequence[RunRecord]) -> Section:
    """Return every setting in force, one column an experiment."""
    rows = _compared(records, lambda record: record.settings)
    return _compared_section("Settings in force", "Setting", records, rows)


def differences(records: Sequence[RunRecord]) -> Section:
    """Return the settings in which the experiments differ."""
    rows = [
        row for row in _compared(records, lambda record: record.settings) if len(set(row[1:])) > 1
    ]
    return _compared_section("What differs", "Setting", records, rows)


def machine(records: Sequence[RunRecord]) -> Section:
    """Return where and with what each experiment was made."""
    rows = [
        *_compared(records, lambda record: {"machine": record.machine}),
        *_compared(records, lambda record: {"generator": record.generator}),
        ("began", *(_wall_clock(record.started_at_epoch_seconds) for record in records)),
    ]
    return _compared_section("Machine and load generator", "", records, rows)


def _outcome(record: RunRecord) -> dict[str, str]:
    samples = record.samples
    line = timeline(record)
    onset = failure_onset(samples)
    latency = samples.latency_seconds[samples.status > 0]
    failed = int(samples.failed.sum())
    users = [count for _, count in record.users]
    return {
        "Offered at peak": _rate(float(line.sent_per_second.max())),
        "Requests": f"{len(samples):,}",
        "Failed": f"{failed:,} ({format_fraction(failed / len(samples))})" if failed else "0",
        "Failures begin": _onset(onset),
        "Carried": _rate(_carried(line, onset)),
        "Latency p50": _duration(percentile(latency, 0.5)),
        "Latency p95": _duration(percentile(latency, 0.95)),
        "Latency p99": _duration(percentile(latency, 0.99)),
        "Instances in service": _instances(record),
        "Users at peak": f"{max(users):,}" if users else NONE,
        "Sends spread over": _duration(send_spread_seconds(samples)),
        "Lasted": _lasted(record),
    }


def _errors(record: RunRecord) -> dict[str, int]:
    statuses, counts = np.unique(record.samples.status[record.samples.failed], return_counts=True)
    found = {
        f"status {status}": int(count)
        for status, count in zip(statuses.tolist(), counts.tolist(), strict=True)
        if status != NO_ANSWER
    }
    silent = int((record.samples.status == NO_ANSWER).sum())
    kinds = record.generator.get("unanswered")
    known = dict(kinds) if isinstance(kinds, Mapping) else {}
    if silent and sum(known.values()) != silent:
        known = {"reason not recorded": silent}
    for kind, count in known.items():
        found[f"no answer: {str(kind).replace('_', ' ')}"] = count
    return found


def _onset(onset: Onset | None) -> str:
    if onset is None:
        return "never"
    return f"at {_rate(onset.offered_per_second)}, {onset.at_seconds:.1f} s into the run"


def _carried(line: Timeline, onset: Onset | None) -> float:
    if onset is not None:
        chosen = line.starts_seconds >= onset.at_seconds
    else:
        chosen = line.sent_per_second >= NEAR_PEAK * line.sent_per_second.max()
    return float(np.median(line.succeeded_per_second[chosen])) if chosen.any() else math.nan


def _instances(record: RunRecord) -> str:
    if record.fleet is None or not record.fleet.instances:
        return NONE
    counts = [in_service for _, _, in_service in record.fleet.instances]
    turns = [counts[0], max(counts), counts[-1]]
    path = [count for at, count in enumerate(turns) if at == 0 or count != turns[at - 1]]
    return " → ".join(str(count) for count in path)


def _lasted(record: RunRecord) -> str:
    lasted = _duration(record.duration_seconds)
    scale = record.fleet.time_scale if record.fleet else 1
    if scale == 1:
        return lasted
    return f"{lasted} ({_duration(record.duration_seconds * scale)} of AWS time)"


def _compared(
    records: Sequence[RunRecord], part: Callable[[RunRecord], Mapping[str, Any]]
) -> list[tuple[str, ...]]:
    flat = [_flatten(part(record)) for record in records]
    names = dict.fromkeys(name for column in flat for name in column)
    return [(name, *(column.get(name, NONE) for column in flat)) for name in names]


def _compared_section(
    title: str, corner: str, records: Sequence[RunRecord], rows: Sequence[Sequence[str]]
) -> Section:
    if not rows:
        return Section(title=title, lines=("Nothing was recorded.",))
    return Section(title=title, columns=(corner, *(record.title for record in records)), rows=rows)


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in tree.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{path}.")
        else:
            flat[path] = value if isinstance(value, str) else _plain(value)
    return flat


def _plain(value: object) -> str:
    return NONE if value is None else json.dumps(value, ensure_ascii=False, default=str)


def _rate(per_second: float) -> str:
    if not math.isfinite(per_second):
        return NONE
    return f"{per_second:,.0f}/s" if per_second >= 10 else f"{per_second:.3g}/s"  # noqa: PLR2004


def _duration(seconds: float) -> str:
    return format_duration(seconds) if math.isfinite(seconds) else NONE


def _moment(seconds: float | None) -> str:
    return NONE if seconds is None else f"{seconds:.1f} s"


def _wall_clock(epoch_seconds: float) -> str:
    try:
        moment = datetime.fromtimestamp(epoch_seconds, tz=UTC)
    except (ValueError, OverflowError, OSError):  # a record from elsewhere may say anything
        return NONE
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
