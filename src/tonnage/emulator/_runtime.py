"""
SageMaker's runtime API on the wire: ``POST /endpoints/{EndpointName}/invocations``.

Header and error names as in botocore's service model of ``sagemaker-runtime``; clients choose the
exception by ``x-amzn-errortype``, not by the status.
"""

import json
import re
import uuid
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from tonnage.http import ClientResponse, Response

from .options import EndpointOptions

__all__ = ["endpoint_of", "forwarded_headers", "model_response", "not_found", "validation_error"]

_PATH: Final = re.compile(r"/endpoints/(?P<endpoint>[^/]+)/invocations/?")
_CUSTOM_ATTRIBUTES: Final = "x-amzn-sagemaker-custom-attributes"
_FORWARDED: Final = ("content-type", "accept", _CUSTOM_ATTRIBUTES)
_MAX_ORIGINAL_MESSAGE_BYTES: Final = 1024
_ACCOUNT: Final = "000000000000"


def endpoint_of(path: str) -> str | None:
    """Return the endpoint that a runtime path names, None for other paths."""
    match = _PATH.fullmatch(path)
    return unquote(match["endpoint"]) if match else None


def forwarded_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that reach the container: SageMaker drops what it does not know."""
    forwarded = {name: headers[name] for name in _FORWARDED if name in headers}
    forwarded.setdefault("content-type", "application/json")
    return forwarded


def validation_error(message: str) -> Response:
    """Return the refusal of an invocation that reaches no container."""
    return _error(400, "ValidationError", {"Message": message})


def not_found(endpoint_name: str) -> Response:
    """Return the refusal for an endpoint that does not exist."""
    return validation_error(f"Endpoint {endpoint_name} of account {_ACCOUNT} not found.")


def model_response(answer: ClientResponse, endpoint: EndpointOptions) -> Response:
    """Return what a client gets for a container's answer: its body, or a ``ModelError``."""
    if 200 <= answer.status <= 299:  # noqa: PLR2004 (HTTP's classes)
        headers = [
            ("x-Amzn-Invoked-Production-Variant", endpoint.variant_name),
            ("x-amzn-RequestId", str(uuid.uuid4())),
        ]
        if _CUSTOM_ATTRIBUTES in answer.headers:
            custom = answer.headers[_CUSTOM_ATTRIBUTES]
            headers.append(("X-Amzn-SageMaker-Custom-Attributes", custom))
        return Response(
            status=200,
            body=answer.body,
            content_type=answer.headers.get("content-type"),
            headers=tuple(headers),
        )
    original = answer.body[:_MAX_ORIGINAL_MESSAGE_BYTES].decode("utf-8", "replace")
    message = (
        f"Received client error ({answer.status})"
        if answer.status < 500  # noqa: PLR2004 (HTTP's classes)
        else f"Received server error ({answer.status})"
    )
    return _error(
        424,
        "ModelError",
        {
            "Message": f'{message} from {endpoint.variant_name} with message "{original}".',
            "OriginalStatusCode": answer.status,
            "OriginalMessage": original,
            "LogStreamArn": f"arn:aws:logs:local:{_ACCOUNT}:log-group:"
            f"/aws/sagemaker/Endpoints/{endpoint.endpoint_name}",
        },
    )


def _error(status: int, shape: str, members: Mapping[str, object]) -> Response:
    return Response(
        status=status,
        body=json.dumps(members).encode(),
        headers=(("x-amzn-errortype", shape), ("x-amzn-RequestId", str(uuid.uuid4()))),
    )
