"""
The front's routes in a Chalice app, as they are written in ``app.py``: one view, any method.

Chalice knows its routes when it packages and API Gateway knows no others, so each is named; what
the front refuses (a wrong method, a wrong type of body) it refuses itself, in its own envelope.
"""

from collections.abc import Callable
from typing import Any, Final

from chalice.app import Chalice, IAMAuthorizer, Response

from tonnage.api import ApiResponse, Front

from .endpoint import SageMakerEndpoint

__all__ = ["add_routes"]

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def add_routes(
    app: Chalice,
    front: Front,
    endpoint: Callable[[], SageMakerEndpoint],
    *,
    auth: str,
    cross_origin: bool,
) -> None:
    """
    Add a front's routes to an app.

    Args:
        app: The app.
        front: The front.
        endpoint: Gives the endpoint behind it, asked at the first request: Chalice imports the app
            to package it, where there are no credentials and no region.
        auth: ``iam``, ``api_key`` or ``none``.
        cross_origin: Whether browsers may call from elsewhere: their preflight is let in unsigned.
    """
    asked: list[SageMakerEndpoint] = []

    def answer() -> Response:
        if not asked:
            asked.append(endpoint())
        request: Any = app.current_request
        headers = {name.lower(): value for name, value in request.headers.items()}
        given = front.handle(
            request.method, request.path, headers, request.raw_body, asked[0].invoke
        )
        return _response(given)

    allowed: dict[str, Any] = {}
    if auth == "iam":
        allowed["authorizer"] = IAMAuthorizer()
    elif auth == "api_key":
        allowed["api_key_required"] = True
    for number, path in enumerate(front.routes):
        methods = [*_METHODS, *(("OPTIONS",) if auth == "none" and cross_origin else ())]
        # No list of content types: the front's refusal has the envelope, Chalice's has not.
        route = app.route(path, methods=methods, content_types=[], name=f"front{number}", **allowed)
        route(answer)
        if cross_origin and auth != "none":
            preflight = app.route(path, methods=["OPTIONS"], name=f"preflight{number}")
            preflight(answer)


def _response(answer: ApiResponse) -> Response:
    headers: dict[str, str | list[str]] = {
        "Content-Type": answer.content_type,
        **dict(answer.headers),
    }
    return Response(body=answer.body.decode(), status_code=answer.status, headers=headers)
