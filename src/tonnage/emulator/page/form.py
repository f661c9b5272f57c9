"""
The form that asks the model, and what it answered, as HTML.

All text is escaped here: names and descriptions are their users' own.
"""

import json
import shlex
from collections.abc import Mapping
from html import escape
from typing import Any

from tonnage.emulator._place import REGION

from .fields import Field
from .markup import number, table, with_unit
from .model import Answer, Curve

__all__ = ["answer_html", "calls_html", "curve_html", "field_html"]


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
        f" --endpoint-url {url} --region {REGION} --endpoint-name {shlex.quote(endpoint_name)}"
        f" --content-type application/json --cli-binary-format raw-in-base64-out --body {body}"
        " /dev/stdout"
    )
    return _code("With curl", curl) + _code("With the AWS CLI", aws)


def curve_html(curve: Curve, unit: str) -> str:
    """Return a curve as numbers."""
    points = [(number(x), number(y)) for x, y in curve.points]
    heading = (with_unit(curve.field.name, curve.field.unit), with_unit(curve.result, unit))
    return table(heading, points)


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
