"""
SageMaker's runtime API on the wire: ``POST /endpoints/{EndpointName}/invocations``.

Header and error names as in botocore's service model of ``sagemaker-runtime``; clients choose the
exception by ``x-amzn-errortype``, not by the status.
"""

import itertools
import json
import re
import uuid
from collections.abc import Mapping
from typing import Final, Protocol
from urllib.parse import unquote

from tonnage.http import ClientResponse, Response

from ._event_stream import event, stream_headers
from ._place import ACCOUNT
from ._refusals import InvocationRefused

__all__ = [
    "TARGET_VARIANT",
    "endpoint_of",
    "forwarded_headers",
    "is_streaming",
    "model_response",
    "not_found",
    "refusal",
    "streamed_response",
    "validation_error",
]

TARGET_VARIANT: Final = "x-amzn-sagemaker-target-variant"

_PATH: Final = re.compile(
    r"/endpoints/(?P<endpoint>[^/]+)/invocations(?P<stream>-response-stream)?/?"
)
_CUSTOM_ATTRIBUTES: Final = "x-amzn-sagemaker-custom-attributes"
_STREAM_ACCEPT: Final = "x-amzn-sagemaker-accept"
_FORWARDED: Final = ("content-type", "accept", _CUSTOM_ATTRIBUTES)
_MAX_ORIGINAL_MESSAGE_BYTES: Final = 1024
_TIMED_OUT: Final = (
    "Your invocation timed out while waiting for a response from container {variant}."
)

_run = uuid.uuid4().hex
_numbers = itertools.count()


class _Variant(Protocol):
    @property
    def endpoint_name(self) -> str: ...

    @property
    def variant_name(self) -> str: ...


def endpoint_of(path: str) -> str | None:
    """Return the endpoint that a runtime path names, None for other paths."""
    match = _PATH.fullmatch(path)
    return unquote(match["endpoint"]) if match else None


def is_streaming(path: str) -> bool:
    """Say whether a runtime path asks for the answer as a stream of events."""
    match = _PATH.fullmatch(path)
    return match is not None and match["stream"] is not None


def forwarded_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that reach the container: SageMaker drops what it does not know."""
    forwarded = {name: headers[name] for name in _FORWARDED if name in headers}
    if _STREAM_ACCEPT in headers:
        forwarded["accept"] = headers[_STREAM_ACCEPT]
    forwarded.setdefault("content-type", "application/json")
    return forwarded


def validation_error(message: str) -> Response:
    """Return the refusal of an invocation that reaches no container."""
    return refusal(InvocationRefused.validation(message))


def not_found(endpoint_name: str) -> Response:
    """Return the refusal for an endpoint that does not exist."""
    return refusal(InvocationRefused.not_found(endpoint_name))


def refusal(refused: InvocationRefused) -> Response:
    """Return what a client gets when the router itself refuses."""
    return _error(refused.status, refused.shape, {"Message": refused.message})


def model_response(answer: ClientResponse, variant: _Variant) -> Response:
    """Return what a client gets for a container's answer: its body, or a ``ModelError``."""
    if 200 <= answer.status <= 299:  # noqa: PLR2004 (HTTP's classes)
        return Response(
            status=200,
            body=answer.body,
            content_type=answer.headers.get("content-type"),
            headers=_success_headers(answer, variant),
        )
    return _model_error(answer, variant)


def streamed_response(answer: ClientResponse, variant: _Variant) -> Response:
    """Return the same for ``InvokeEndpointWithResponseStream``: the body as one event."""
    if 200 <= answer.status <= 299:  # noqa: PLR2004 (HTTP's classes)
        return Response(
            status=200,
            body=event(answer.body) if answer.body else b"",
            content_type="application/vnd.amazon.eventstream",
            headers=(
                *_success_headers(answer, variant),
                *stream_headers(answer.headers.get("content-type")),
            ),
        )
    return _model_error(answer, variant)


def _success_headers(answer: ClientResponse, variant: _Variant) -> tuple[tuple[str, str], ...]:
    headers = (
        ("x-Amzn-Invoked-Production-Variant", variant.variant_name),
        ("x-amzn-RequestId", _request_id()),
    )
    custom = answer.headers.get(_CUSTOM_ATTRIBUTES)
    if custom is None:
        return headers
    return (*headers, ("X-Amzn-SageMaker-Custom-Attributes", custom))


def _model_error(answer: ClientResponse, variant: _Variant) -> Response:
    if answer.status:
        original = answer.body[:_MAX_ORIGINAL_MESSAGE_BYTES].decode("utf-8", "replace")
    else:
        original = _TIMED_OUT.format(variant=variant.variant_name)
    whose = "client" if 400 <= answer.status <= 499 else "server"  # noqa: PLR2004 (likewise)
    return _error(
        424,
        "ModelError",
        {
            "Message": f"Received {whose} error ({answer.status}) from {variant.variant_name}"
            f' with message "{original}".',
            "OriginalStatusCode": answer.status,
            "OriginalMessage": original,
            "LogStreamArn": f"arn:aws:logs:local:{ACCOUNT}:log-group:"
            f"/aws/sagemaker/Endpoints/{variant.endpoint_name}",
        },
    )


def _error(status: int, shape: str, members: Mapping[str, object]) -> Response:
    return Response(
        status=status,
        body=json.dumps(members).encode(),
        headers=(("x-amzn-errortype", shape), ("x-amzn-RequestId", _request_id())),
    )


def _request_id() -> str:
    """Return an id like AWS's: it differs each time and costs no randomness."""
    return f"{_run[:8]}-{_run[8:12]}-{_run[12:16]}-{_run[16:20]}-{next(_numbers):012x}"
