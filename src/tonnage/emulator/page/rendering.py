"""
The page's moving parts as HTML, the same for the first paint and for every second after it.

All text is escaped here: names of endpoints and alarms are their users' own.
"""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any, Final

from tonnage.emulator._wall import WallTime
from tonnage.emulator.autoscaling.records import Activity

from .facts import Watched
from .fields import Field
from .history import Sample
from .model import Answer, Curve

__all__ = [
    "answer_html",
    "calls_html",
    "curve_html",
    "field_html",
    "moving_parts",
    "news",
    "options_html",
    "table",
]

_RECENT: Final = 10
_MODEL: Final = "of the model"
_MARKS: Final = {"OK": "●", "ALARM": "▲", "INSUFFICIENT_DATA": "○"}
_DASH: Final = "\N{EN DASH}"


def moving_parts(watched: Watched, samples: Sequence[Sample], wall: WallTime) -> dict[str, str]:
    """Return each part that changes, by the id of the element it goes into."""
    return {
        "summary": _summary(watched, samples[-1] if samples else None),
        "alarms": _alarms(watched, wall),
        "activities": _activities(watched.activities, wall),
        "instances": _instances(watched),
        "recent": _recent(samples),
    }


def news(watched: Watched) -> str:
    """Return what those hear who do not see the page: only what changes now and then."""
    variant = watched.variant
    count = f"{variant.in_service_instance_count} of {variant.desired_instance_count}"
    return ". ".join(
        [
            f"{count} instances in service",
            *(f"{label} is {alarm.state}" for label, alarm in watched.alarms),
            *(activity.words.description for activity in watched.activities[:1]),
        ]
    )


def field_html(field: Field, value: object) -> str:
    """Return one field of the form, with its label and its hint."""
    identity = f"row-{field.name}"
    hint = f"{identity}-hint"
    said = " ".join(part for part in (field.description, _allowed(field)) if part)
    unit = f' <span class="unit">({escape(field.unit)})</span>' if field.unit else ""
    title = escape(field.name or "row")
    attributes = f'id="{escape(identity)}" name="row.{escape(field.name)}"'
    if said:
        attributes += f' aria-describedby="{escape(hint)}"'
    told = f'<p class="hint" id="{escape(hint)}">{escape(said)}</p>' if said else ""
    label = f'<label for="{escape(identity)}">{title}{unit}</label>'
    return f'<div class="field">{label}{_control(field, value, attributes)}{told}</div>'


def answer_html(answer: Answer | None, results: Mapping[str, Any]) -> str:
    """
    Return a prediction, or why there is none.

    Args:
        answer: What the REST API answered; None before it was asked.
        results: The result's properties, for their units.
    """
    if answer is None:
        return '<p class="hint">No answer yet.</p>'
    if not answer.is_prediction:
        return _refusal(answer)
    if not isinstance(answer.value, Mapping):
        return f'<p class="value">{escape(json.dumps(answer.value))}</p>'
    rows = (_result(name, value, results.get(name, {})) for name, value in answer.value.items())
    return f'<dl class="answer">{"".join(rows)}</dl>'


def calls_html(*, url: str, route: str, endpoint_name: str, row: object) -> str:
    """Return the same request as command lines."""
    body = shlex.quote(json.dumps(row))
    curl = f"curl {url}{route} -H 'Content-Type: application/json' -d {body}"
    aws = (
        "AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local aws sagemaker-runtime invoke-endpoint"
        f" --endpoint-url {url} --region us-east-1 --endpoint-name {shlex.quote(endpoint_name)}"
        f" --content-type application/json --cli-binary-format raw-in-base64-out --body {body}"
        " /dev/stdout"
    )
    return _code("With curl", curl) + _code("With the AWS CLI", aws)


def curve_html(curve: Curve, unit: str) -> str:
    """Return a curve as numbers."""
    points = [(_number(x), _number(y)) for x, y in curve.points]
    heading = (_with_unit(curve.field.name, curve.field.unit), _with_unit(curve.result, unit))
    return table(heading, points)


def options_html(names: Iterable[tuple[str, str]], chosen: tuple[str, str]) -> str:
    """Return the variants to choose from."""
    return "".join(
        f'<option value="{escape("/".join(pair))}"{" selected" if pair == chosen else ""}>'
        f"{escape(' / '.join(pair))}</option>"
        for pair in names
    )


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of text."""
    return _raw_table(heading, ([escape(cell) for cell in row] for row in rows))


def _raw_table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heading)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>{"".join(f"<td>{cell}</td>" for cell in row[1:])}</tr>'
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


# The form and its answer.


def _control(field: Field, value: object, attributes: str) -> str:
    if field.kind == "boolean":
        return f'<input type="checkbox" value="true" {attributes}{" checked" if value else ""}>'
    if field.kind == "choice":
        options = "".join(
            f'<option value="{escape(json.dumps(choice))}"'
            f"{' selected' if choice == value else ''}>{escape(str(choice))}</option>"
            for choice in field.choices
        )
        return f"<select {attributes}>{options}</select>"
    if field.is_numeric:
        return f'<input type="number" {attributes}{_limits(field)} value="{_entered(value)}">'
    if field.kind == "text":
        return f'<input type="text" {attributes} value="{_entered(value)}">'
    return f'<textarea rows="3" {attributes}>{_entered(value)}</textarea>'


def _limits(field: Field) -> str:
    step = "1" if field.kind == "integer" else "any"
    low = field.schema.get("minimum", field.schema.get("exclusiveMinimum"))
    high = field.schema.get("maximum", field.schema.get("exclusiveMaximum"))
    bounds = "".join(
        f' {name}="{bound}"' for name, bound in (("min", low), ("max", high)) if bound is not None
    )
    return f' step="{step}" inputmode="decimal"{bounds}'


def _allowed(field: Field) -> str:
    parts = [field.bounds] if field.bounds else []
    if field.is_numeric and field.typical_range is not None:
        low, high = field.typical_range
        parts.append(f"usually {low:,g} to {high:,g}")
    return f"{'; '.join(parts).capitalize()}." if parts else ""


def _entered(value: object) -> str:
    if value is None:
        return ""
    return escape(value if isinstance(value, str) else json.dumps(value))


def _result(name: str, value: object, schema: Mapping[str, Any]) -> str:
    shown = value if isinstance(value, str) else json.dumps(value)
    unit = f' <span class="unit">{escape(str(schema["unit"]))}</span>' if "unit" in schema else ""
    said = schema.get("description")
    hint = f'<dd class="hint">{escape(str(said))}</dd>' if said else ""
    return f'<div><dt>{escape(name)}</dt><dd class="value">{escape(shown)}{unit}</dd>{hint}</div>'


def _refusal(answer: Answer) -> str:
    error = answer.value.get("error", {}) if isinstance(answer.value, Mapping) else {}
    message = escape(str(error.get("message", "no answer")))
    return f'<p class="refused"><strong>Refused with {answer.status}.</strong> {message}</p>'


def _code(title: str, line: str) -> str:
    return (
        f'<h3>{escape(title)}</h3><pre tabindex="0" aria-label="{escape(title)}">'
        f"<code>{escape(line)}</code></pre>"
    )


# What moves.


def _summary(watched: Watched, sample: Sample | None) -> str:
    variant, target, tracked = watched.variant, watched.target, watched.target_value
    count = f"{variant.in_service_instance_count} of {variant.desired_instance_count}"
    bounds = f"scales from {target.min_capacity} to {target.max_capacity}" if target else "fixed"
    aim = "" if tracked is None else f"; target {tracked:,g}"
    per_instance = sample.invocations_per_instance if sample else None
    return "".join(
        (
            _tile("Requests", _rate(_total(sample) if sample else None), "per second"),
            _tile("Failures", _rate(sample.failed_per_second if sample else None), "per second"),
            _tile("Latency p50", _latency(sample.p50_milliseconds if sample else None), _MODEL),
            _tile("Latency p99", _latency(sample.p99_milliseconds if sample else None), _MODEL),
            _tile("Instances", count, f"in service; {bounds}"),
            _tile("Invocations per instance", _number(per_instance), f"per minute{aim}"),
            _tile("Endpoint", watched.endpoint_status, variant.instance_type or "serverless"),
        )
    )


def _tile(name: str, value: str, more: str) -> str:
    return (
        f'<div><dt>{escape(name)}</dt><dd class="value">{escape(value)}</dd>'
        f'<dd class="hint">{escape(more)}</dd></div>'
    )


def _alarms(watched: Watched, wall: WallTime) -> str:
    if not watched.alarms:
        return '<p class="hint">No alarm watches this variant.</p>'
    rows = []
    for label, alarm in watched.alarms:
        members = alarm.members
        metric = members.get("MetricName", "an expression")
        sign = "&lt;" if str(members["ComparisonOperator"]).startswith("Less") else "&gt;"
        rule = f"{escape(str(metric))} {sign} {members.get('Threshold', 0):,g}"
        rows.append(
            (
                escape(label),
                _marked("state", alarm.state, _MARKS.get(alarm.state, "")),
                f"{rule} in {members['EvaluationPeriods']} periods",
                _when(alarm.transitioned_seconds, wall),
                escape(alarm.reason),
            )
        )
    return _raw_table(("Alarm", "State", "Fires at", "Since", "Why"), rows)


def _activities(activities: Sequence[Activity], wall: WallTime) -> str:
    if not activities:
        return '<p class="hint">Nothing has been scaled yet.</p>'
    rows = (
        (
            _when(activity.started_seconds, wall),
            _marked("status", _status(activity)),
            escape(activity.words.description),
            escape(activity.words.cause),
        )
        for activity in activities
    )
    return _raw_table(("When", "Status", "What", "Cause"), rows)


def _marked(kind: str, word: str, mark: str = "") -> str:
    """Return a word whose colour says what the word says, too."""
    name = escape(word.partition(":")[0].replace(" ", "-").lower())
    return f'<span class="{kind} {name}">{mark} {escape(word)}</span>'


def _status(activity: Activity) -> str:
    if activity.words.not_scaled_reasons:
        codes = ", ".join(reason.code for reason in activity.words.not_scaled_reasons)
        return f"Not scaled: {codes}"
    return str(activity.words.status_code)


def _instances(watched: Watched) -> str:
    variant = watched.variant
    rows = [
        (
            instance.instance_id,
            str(instance.state).replace("_", " "),
            str(instance.process.process_id) if instance.process else _DASH,
            str(instance.outstanding),
        )
        for hosted in (variant.hosted, variant.incoming)
        if hosted is not None
        for instance in hosted.fleet.instances
    ]
    if not rows:
        return '<p class="hint">No instance runs now.</p>'
    return table(("Instance", "State", "Process", "In flight"), rows)


def _recent(samples: Sequence[Sample]) -> str:
    rows = [
        (
            f"{samples[-1].at_seconds - sample.at_seconds:.0f} s ago",
            _rate(sample.succeeded_per_second),
            _rate(sample.failed_per_second),
            _latency(sample.p50_milliseconds),
            _latency(sample.p99_milliseconds),
            f"{sample.in_service} of {sample.desired}",
            _number(sample.invocations_per_instance),
        )
        for sample in reversed(samples[-_RECENT:])
    ]
    heading = (
        *("Second", "Succeeded / s", "Failed / s", "p50", "p99", "In service"),
        "Per instance and minute",
    )
    return table(heading, rows)


# Numbers and times.


def _total(sample: Sample) -> float:
    return sample.succeeded_per_second + sample.failed_per_second


def _rate(per_second: float | None) -> str:
    return _DASH if per_second is None else f"{per_second:,.0f}"


def _latency(milliseconds: float | None) -> str:
    if milliseconds is None:
        return _DASH
    return f"{milliseconds:,.1f} ms" if milliseconds < 100 else f"{milliseconds:,.0f} ms"  # noqa: PLR2004 (digits)


def _number(value: float | None) -> str:
    if value is None:
        return _DASH
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"  # noqa: PLR2004 (digits)


def _with_unit(name: str, unit: str) -> str:
    return f"{name}, {unit}" if unit else name


def _when(seconds: float, wall: WallTime) -> str:
    moment = datetime.fromtimestamp(wall.epoch_of(seconds), UTC)
    return f'<time datetime="{moment:%Y-%m-%dT%H:%M:%SZ}">{moment:%H:%M:%S}&nbsp;UTC</time>'
