"""
The Lambda function behind an HTTP API: payload format 2.0 in, payload format 2.0 out.

All that can be done before the first request is done at import, which Lambda gives a whole
processor and does not bill by the memory that was chosen.
"""

import base64
from collections.abc import Mapping
from typing import Any

from .opening import open_front

FRONT = open_front()

# Behind the front: what it imports needs the stand-ins.
from .endpoint import SageMakerEndpoint  # noqa: E402

ENDPOINT = SageMakerEndpoint.of_this_function()

__all__ = ["handle"]


def handle(event: Mapping[str, Any], _context: object = None) -> dict[str, Any]:
    """
    Answer one request.

    Args:
        event: As API Gateway sends it, payload format 2.0.

    Returns:
        The answer in the same format.
    """
    text = event.get("body") or ""
    answer = FRONT.handle(
        event["requestContext"]["http"]["method"],
        event["rawPath"],
        event["headers"],
        base64.b64decode(text) if event.get("isBase64Encoded") else text.encode(),
        ENDPOINT.invoke,
    )
    return {
        "statusCode": answer.status,
        "headers": {"Content-Type": answer.content_type, **dict(answer.headers)},
        "body": answer.body.decode(),
    }
