"""
The REST front as one function: ``(method, path, headers, body)`` → response.

It does no I/O. A request is either answered at once or turned into an ``Invocation`` for whoever
carries it to the endpoint; what comes back is turned into the answer. ``Front.handle`` joins the
three steps for callers that wait; an event loop calls ``accept`` and ``conclude`` around its own.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from tonnage.artefact import LoadedService
from tonnage.domain import ConfigurationError, InvalidPayloadError, error_body

from ._faults import FAULT_ANSWERS, UNKNOWN_FAULT, EndpointFault, FaultAnswer, is_envelope
from ._openapi import openapi_document

__all__ = ["CORS_HEADERS", "ApiResponse", "Front", "Invocation", "InvocationResult"]

JSON: Final = "application/json"
CORS_HEADERS: Final = (
    "Content-Type",
    "Authorization",
    "X-Amz-Date",
    "X-Amz-Security-Token",
    "X-Api-Key",
)
"""What a browser may send: the body's type, a signature, a key."""


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
        cors_origins: Where browsers may call from; ``*`` is anywhere, none is nowhere else.

    Raises:
        ConfigurationError: If the route is one of the front's own.
    """

    def __init__(
        self, service: LoadedService, *, name: str, route: str, cors_origins: Sequence[str] = ()
    ) -> None:
        self._service = service
        self._route = route
        self._cors_origins = frozenset(cors_origins)
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

    def row_schema(self) -> dict[str, Any]:
        """Return the JSON schema of what it takes, as its own pydantic model writes it."""
        return self._service.service.row.model_json_schema()

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
        if method == "OPTIONS" and self._cors_origins:
            return ApiResponse(status=204, body=b"", headers=_preflight(allowed))
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
            return _told(FAULT_ANSWERS["ServiceUnavailable"])
        if result.status >= 500:  # noqa: PLR2004 (HTTP)
            return _told(FAULT_ANSWERS["ModelError"])
        return ApiResponse(status=result.status, body=result.body)

    def conclude_fault(self, fault: EndpointFault) -> ApiResponse:
        """
        Turn an error of SageMaker's runtime into the client's answer.

        A container's own answer, inside a ``ModelError``, gets what ``conclude`` would give it.
        """
        status = fault.original_status
        if fault.shape != "ModelError" or status is None:
            return _told(FAULT_ANSWERS.get(fault.shape, UNKNOWN_FAULT))
        if not 400 <= status <= 599:  # noqa: PLR2004 (HTTP)
            return _told(FAULT_ANSWERS["ModelError"])
        if status < 500 and not is_envelope(fault.original_body):  # noqa: PLR2004 (HTTP)
            return _refusal(status, "model_refused", "the model does not take this request")
        return self.conclude(InvocationResult(status=status, body=fault.original_body))

    def for_origin(self, answer: ApiResponse, headers: Mapping[str, str]) -> ApiResponse:
        """Return an answer with what a browser wants to see, if it may call from where it does."""
        if not self._cors_origins:
            return answer
        origin = headers.get("origin", "")
        if "*" in self._cors_origins:
            allowed = [("Access-Control-Allow-Origin", "*")]
        else:
            is_known = origin in self._cors_origins
            allowed = [("Access-Control-Allow-Origin", origin)] if is_known else []
            allowed.append(("Vary", "Origin"))
        return replace(answer, headers=(*answer.headers, *allowed))

    def handle(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        invoke: Callable[[Invocation], InvocationResult | EndpointFault],
    ) -> ApiResponse:
        """Take a request, carry it to the endpoint with ``invoke`` if it is valid, and answer."""
        accepted = self.accept(method, path, headers, body)
        if isinstance(accepted, ApiResponse):
            return self.for_origin(accepted, headers)
        result = invoke(accepted)
        if isinstance(result, EndpointFault):
            return self.for_origin(self.conclude_fault(result), headers)
        return self.for_origin(self.conclude(result), headers)

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


def _told(answer: FaultAnswer) -> ApiResponse:
    return ApiResponse(status=answer.status, body=answer.body, headers=answer.headers)


def _preflight(allowed: str) -> tuple[tuple[str, str], ...]:
    """Return what a browser asks before it sends JSON across origins."""
    return (
        ("Access-Control-Allow-Methods", allowed),
        ("Access-Control-Allow-Headers", ", ".join(CORS_HEADERS)),
        ("Access-Control-Max-Age", "3600"),
    )


def _index(name: str, route: str) -> bytes:
    index = {
        "service": name,
        "predict": f"POST {route}",
        "openapi": "/openapi.json",
    }
    return json.dumps(index).encode()
