"""
The REST front as one function: ``(method, path, headers, body)`` → response.

It does no I/O. A request is either answered at once or turned into an ``Invocation`` for whoever
carries it to the endpoint; what comes back is turned into the answer. ``Front.handle`` joins the
three steps for callers that wait; an event loop calls ``accept`` and ``conclude`` around its own.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tonnage.artefact import LoadedService
from tonnage.domain import ConfigurationError, InvalidPayloadError, error_body

from ._openapi import openapi_document

__all__ = ["ApiResponse", "Front", "Invocation", "InvocationResult"]

JSON: Final = "application/json"


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiResponse:
    """An answer to a client, for the edge to send."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Invocation:
    """A valid request on its way to the endpoint: its body, as JSON."""

    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class InvocationResult:
    """What the endpoint's container answered; status 503 also stands for no instance in service."""

    status: int
    body: bytes


class Front:
    """
    A service's REST API: ``GET /``, ``POST`` to its route, ``GET /openapi.json``.

    Args:
        service: The service whose rows it takes and whose results it gives.
        name: The service's name.
        route: Where predictions are asked for, e.g. ``/evaluate``; a trailing slash is tolerated.

    Raises:
        ConfigurationError: If the route is one of the front's own.
    """

    def __init__(self, service: LoadedService, *, name: str, route: str) -> None:
        self._service = service
        self._route = route
        self._documents = {
            "/": _index(name, route),
            "/openapi.json": openapi_document(service, name=name, route=route),
        }
        if route in self._documents:
            raise ConfigurationError(
                f"the route {route} is taken", hint="choose another, such as /evaluate"
            )

    @property
    def routes(self) -> Mapping[str, str]:
        """The method that each path answers to."""
        return {**dict.fromkeys(self._documents, "GET"), self._route: "POST"}

    def accept(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> ApiResponse | Invocation:
        """
        Take a request.

        Args:
            method: As it came, upper case.
            path: Without the query.
            headers: By lower-case name.
            body: Its bytes.

        Returns:
            The answer, or the invocation to make before ``conclude``.
        """
        path = path.rstrip("/") or "/"
        allowed = self.routes.get(path)
        if allowed is None:
            message = f"there is no {path} here; there are {', '.join(sorted(self.routes))}"
            return _refusal(404, "not_found", message)
        if method != allowed and not (method == "HEAD" and allowed == "GET"):
            return ApiResponse(
                status=405,
                body=error_body(
                    "method_not_allowed", f"{method} is not allowed on {path}; {allowed} is"
                ),
                headers=(("Allow", "GET, HEAD" if allowed == "GET" else allowed),),
            )
        if path in self._documents:
            return ApiResponse(status=200, body=self._documents[path])
        return self._check(headers, body)

    def conclude(self, result: InvocationResult) -> ApiResponse:
        """Turn what the endpoint answered into the client's answer."""
        if result.status == 503:  # noqa: PLR2004 (HTTP)
            return ApiResponse(
                status=503,
                body=error_body("over_capacity", "no instance has room now; try again later"),
                headers=(("Retry-After", "1"),),
            )
        if result.status >= 500:  # noqa: PLR2004 (HTTP)
            return _refusal(424, "model_error", "the model failed on this request")
        return ApiResponse(status=result.status, body=result.body)

    def handle(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        invoke: Callable[[Invocation], InvocationResult],
    ) -> ApiResponse:
        """Take a request, carry it to the endpoint with ``invoke`` if it is valid, and answer."""
        accepted = self.accept(method, path, headers, body)
        if isinstance(accepted, Invocation):
            return self.conclude(invoke(accepted))
        return accepted

    def _check(self, headers: Mapping[str, str], body: bytes) -> ApiResponse | Invocation:
        content_type = headers.get("content-type", JSON)
        if content_type.partition(";")[0].strip().lower() != JSON:
            message = f"content-type {content_type!r} is not supported; {JSON} is"
            return _refusal(415, "unsupported_media_type", message)
        try:
            self._service.parse_row(body)
        except InvalidPayloadError as error:
            envelope = error_body("invalid_payload", error.message, error.faults)
            return ApiResponse(status=400, body=envelope)
        return Invocation(body=body)


def _refusal(status: int, code: str, message: str) -> ApiResponse:
    return ApiResponse(status=status, body=error_body(code, message))


def _index(name: str, route: str) -> bytes:
    index = {
        "service": name,
        "predict": f"POST {route}",
        "openapi": "/openapi.json",
    }
    return json.dumps(index).encode()
