"""
The protocols a service may be spoken to in: JSON, query, and smithy's rpc-v2-cbor.

Each turns a request into ``(operation, parameters)`` and an answer or a refusal into a response.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from tonnage.http import Response

from ._cbor import Timestamp, cbor_of, value_of_cbor
from ._models import JsonValue, OperationModel, Shape
from ._query import form_of, input_of_form, xml_error, xml_response
from .operations import AwsError

__all__ = ["CborWire", "JsonWire", "QueryWire", "Refusal", "Wire"]

_SERVER_FAULT: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """
    A refusal, ready for any protocol.

    Attributes:
        shape: The error's shape, or its code where the service's model has none.
        code: What query clients know it by; often the same.
        message_member: How its shape spells its message.
        message: The message.
        status: The HTTP status.
    """

    shape: str
    code: str
    message_member: str
    message: str
    status: int

    @property
    def is_senders(self) -> bool:
        """Whether the client is at fault."""
        return self.status < _SERVER_FAULT


class Wire(Protocol):
    """One protocol."""

    def parameters(self, operation: OperationModel, body: bytes) -> object:
        """Return an operation's parameters from a request's body."""

    def answer(
        self, operation: OperationModel, answer: Mapping[str, Any], request_id: str
    ) -> Response:
        """Return the response for an answer."""

    def refusal(self, refusal: Refusal, request_id: str) -> Response:
        """Return the response for a refusal."""


@dataclass(frozen=True, slots=True)
class JsonWire:
    """JSON 1.0 or 1.1; ``is_query_compatible`` adds the code that query clients knew."""

    content_type: str
    is_query_compatible: bool = False

    def parameters(self, operation: OperationModel, body: bytes) -> object:  # noqa: ARG002 (the protocol's)
        """Return the body's object; none is an empty one."""
        try:
            return json.loads(body or b"{}")
        except (ValueError, RecursionError) as error:
            raise AwsError("SerializationException", f"the body is not JSON: {error}") from error

    def answer(
        self, operation: OperationModel, answer: Mapping[str, Any], request_id: str
    ) -> Response:
        """Return the answer's members as an object."""
        shape = operation.output_shape
        body = b"{}" if shape is None else _json(_ready(shape, answer, _JSON_LEAVES))
        if shape is None:
            body = b"" if not self.is_query_compatible else body
        return _response(200, body, self.content_type, request_id)

    def refusal(self, refusal: Refusal, request_id: str) -> Response:
        """Return the error's shape with its name in ``__type``."""
        body = _json({"__type": refusal.shape, refusal.message_member: refusal.message})
        headers = [("x-amzn-errortype", refusal.shape)]
        if self.is_query_compatible:
            headers.append(_query_error(refusal))
        return _response(refusal.status, body, self.content_type, request_id, *headers)


@dataclass(frozen=True, slots=True)
class CborWire:
    """Smithy's rpc-v2-cbor."""

    def parameters(self, operation: OperationModel, body: bytes) -> object:  # noqa: ARG002 (the protocol's)
        """Return the body's map; none is an empty one."""
        return value_of_cbor(body) if body else {}

    def answer(
        self, operation: OperationModel, answer: Mapping[str, Any], request_id: str
    ) -> Response:
        """Return the answer's members as a map."""
        shape = operation.output_shape
        members = {} if shape is None else _ready(shape, answer, _CBOR_LEAVES)
        return self._response(200, cbor_of(members), request_id)

    def refusal(self, refusal: Refusal, request_id: str) -> Response:
        """Return the error's shape with its name in ``__type``."""
        body = cbor_of({"__type": refusal.shape, refusal.message_member: refusal.message})
        return self._response(refusal.status, body, request_id, _query_error(refusal))

    def _response(
        self, status: int, body: bytes, request_id: str, *headers: tuple[str, str]
    ) -> Response:
        protocol = ("smithy-protocol", "rpc-v2-cbor")
        return _response(status, body, "application/cbor", request_id, protocol, *headers)


@dataclass(frozen=True, slots=True)
class QueryWire:
    """The query protocol, in the XML namespace of its service."""

    namespace: str

    def parameters(self, operation: OperationModel, body: bytes) -> object:
        """Return the form's fields, nested as the input's shape says."""
        return input_of_form(operation.input_shape, form_of(body))

    def answer(
        self, operation: OperationModel, answer: Mapping[str, Any], request_id: str
    ) -> Response:
        """Return the answer as XML."""
        body = xml_response(operation, self.namespace, answer, request_id)
        return _response(200, body, "text/xml", request_id)

    def refusal(self, refusal: Refusal, request_id: str) -> Response:
        """Return the refusal as XML."""
        body = xml_error(
            self.namespace, refusal.code, refusal.message, request_id, sender=refusal.is_senders
        )
        return _response(refusal.status, body, "text/xml", request_id)


def _response(
    status: int, body: bytes, content_type: str, request_id: str, *headers: tuple[str, str]
) -> Response:
    return Response(
        status=status,
        body=body,
        content_type=content_type,
        headers=(("x-amzn-RequestId", request_id), *headers),
    )


def _query_error(refusal: Refusal) -> tuple[str, str]:
    fault = "Sender" if refusal.is_senders else "Receiver"
    return "x-amzn-query-error", f"{refusal.code};{fault}"


def _json(value: object) -> bytes:
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()


def _text_of_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode()


_Leaves = Mapping[str, Callable[[Any], object]]
_JSON_LEAVES: Final[_Leaves] = {
    "blob": _text_of_bytes,
    "integer": round,  # settings may be finer than AWS's whole seconds
    "long": round,
    "timestamp": float,
    "double": float,
    "float": float,
}
_CBOR_LEAVES: Final[_Leaves] = {**_JSON_LEAVES, "blob": bytes, "timestamp": Timestamp}


def _ready(shape: Shape, value: JsonValue, encode: _Leaves) -> JsonValue:
    """Return an answer with what its shape knows, nulls left out, for the encoder."""
    match shape.type_name:
        case "structure":
            return {
                name: _ready(member, value[name], encode)
                for name, member in shape.members.items()
                if value.get(name) is not None
            }
        case "list":
            return [_ready(shape.member, item, encode) for item in value]
        case "map":
            return {name: _ready(shape.value, item, encode) for name, item in value.items()}
        case kind:
            return encode[kind](value) if kind in encode else value
