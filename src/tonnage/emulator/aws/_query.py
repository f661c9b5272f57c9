"""
The older query protocol: a form in, XML out. AWS CLI v2 speaks it to CloudWatch until 2.2x.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from ._models import JsonValue, OperationModel, Shape
from .operations import AwsError

__all__ = ["form_of", "input_of_form", "xml_error", "xml_response"]


def form_of(body: bytes) -> dict[str, str]:
    """
    Return a form's fields.

    Raises:
        AwsError: If it is no form.
    """
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body)))
    except ValueError as error:
        raise AwsError("MalformedQueryString", f"the body is no form: {error}") from error


def input_of_form(shape: Shape | None, form: Mapping[str, str]) -> dict[str, Any]:
    """Return an operation's input from ``A.member.1.B=value`` fields, typed by its shape."""
    value = _structure(shape, form, "") if shape is not None else {}
    return value or {}


def _value(shape: Shape, form: Mapping[str, str], prefix: str) -> JsonValue:
    match shape.type_name:
        case "structure":
            return _structure(shape, form, prefix)
        case "list":
            return _list(shape, form, prefix)
        case "map":
            return _map(shape, form, prefix)
        case _:
            return _scalar(shape, form[prefix]) if prefix in form else None


def _structure(shape: Shape, form: Mapping[str, str], prefix: str) -> dict[str, Any] | None:
    members = {}
    for name, member in shape.members.items():
        field = member.serialization.get("name", name)
        value = _value(member, form, f"{prefix}.{field}" if prefix else field)
        if value is not None:
            members[name] = value
    return members or None


def _list(shape: Shape, form: Mapping[str, str], prefix: str) -> list[Any] | None:
    if form.get(prefix) == "":
        return []
    start = prefix
    if not shape.serialization.get("flattened"):
        start = f"{prefix}.{shape.member.serialization.get('name', 'member')}"
    items = [_value(shape.member, form, f"{start}.{index}") for index in _indices(form, start)]
    return items or None


def _map(shape: Shape, form: Mapping[str, str], prefix: str) -> dict[str, Any] | None:
    start = prefix if shape.serialization.get("flattened") else f"{prefix}.entry"
    key, value = (
        side.serialization.get("name", name)
        for side, name in ((shape.key, "key"), (shape.value, "value"))
    )
    items = {
        form[f"{start}.{index}.{key}"]: _value(shape.value, form, f"{start}.{index}.{value}")
        for index in _indices(form, start)
        if f"{start}.{index}.{key}" in form
    }
    return items or None


def _indices(form: Mapping[str, str], start: str) -> list[int]:
    heads = (name.removeprefix(f"{start}.") for name in form if name.startswith(f"{start}."))
    return sorted(
        {int(head.partition(".")[0]) for head in heads if head.partition(".")[0].isdecimal()}
    )


def _scalar(shape: Shape, text: str) -> JsonValue:
    try:
        match shape.type_name:
            case "integer" | "long":
                return int(text)
            case "float" | "double":
                return float(text)
            case "boolean":
                return {"true": True, "false": False}[text.lower()]
            case "timestamp":
                return _epoch_seconds(text)
            case _:
                return text
    except (KeyError, ValueError, OverflowError) as error:
        message = f"{text!r} is no {shape.type_name}"
        raise AwsError("MalformedInput", message) from error


def _epoch_seconds(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def xml_response(
    operation: OperationModel, namespace: str, answer: Mapping[str, Any], request_id: str
) -> bytes:
    """Return an answer as the query protocol's XML."""
    shape = operation.output_shape
    inner = "".join(_xml_members(shape, answer)) if shape is not None else ""
    if shape is not None and (wrapper := shape.serialization.get("resultWrapper")):
        inner = f"<{wrapper}>{inner}</{wrapper}>"
    name = f"{operation.name}Response"
    metadata = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
    return f'<{name} xmlns="{namespace}">{inner}{metadata}</{name}>'.encode()


def xml_error(namespace: str, code: str, message: str, request_id: str, *, sender: bool) -> bytes:
    """Return a refusal as the query protocol's XML."""
    fault = "Sender" if sender else "Receiver"
    return (
        f'<ErrorResponse xmlns="{namespace}"><Error><Type>{fault}</Type><Code>{escape(code)}</Code>'
        f"<Message>{escape(message)}</Message></Error><RequestId>{request_id}</RequestId>"
        "</ErrorResponse>"
    ).encode()


def _xml_members(shape: Shape, value: Mapping[str, Any]) -> Iterator[str]:
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield _xml(member, member.serialization.get("name", name), value[name])


def _xml(shape: Shape, name: str, value: JsonValue) -> str:
    match shape.type_name:
        case "structure":
            inner = "".join(_xml_members(shape, value))
        case "list":
            return _xml_list(shape, name, value)
        case "map":
            pairs = (
                f"<entry>{_xml(shape.key, 'key', key)}{_xml(shape.value, 'value', item)}</entry>"
                for key, item in value.items()
            )
            inner = "".join(pairs)
        case "timestamp":
            inner = datetime.fromtimestamp(value, UTC).isoformat().replace("+00:00", "Z")
        case "boolean":
            inner = "true" if value else "false"
        case _:
            inner = escape(str(value))
    return f"<{name}>{inner}</{name}>"


def _xml_list(shape: Shape, name: str, value: list[Any]) -> str:
    if shape.serialization.get("flattened"):
        return "".join(_xml(shape.member, name, item) for item in value)
    member = shape.member.serialization.get("name", "member")
    return f"<{name}>{''.join(_xml(shape.member, member, item) for item in value)}</{name}>"
