"""
The one local port: REST API, SageMaker runtime, AWS's control plane, metrics, and the state.

A page for people belongs at ``/``: what ``Port.put_pages`` puts there answers before the REST API.
"""

import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from tonnage.api import ApiResponse, Front, Invocation, InvocationResult
from tonnage.domain import error_body
from tonnage.http import Exchange, Request, Response

from ._endpoint import Endpoint
from ._local import LocalSageMaker
from ._refusals import InvocationRefused
from ._runtime import (
    TARGET_VARIANT,
    endpoint_of,
    forwarded_headers,
    is_streaming,
    model_response,
    not_found,
    refusal,
    streamed_response,
)
from ._tasks import Tasks
from .aws import AwsError, AwsFront

__all__ = ["Page", "Port"]

logger = logging.getLogger(__name__)

Page = Callable[[Request], Response | Awaitable[Response]]
"""Answers a request for one path, now or later."""

_JSON_HEADERS: Final = {"content-type": "application/json"}
_TIMED_OUT_STATUS: Final = 504
_RUNTIME_SIGNING_NAME: Final = "sagemaker"
_STARTING: Final = Response(
    status=503,
    body=error_body("starting", "the endpoint is not in service yet; try again in a second"),
    headers=(("Retry-After", "1"),),
)


class Port:
    """
    Sends each request to the part it is for.

    Args:
        sagemaker: What invocations go to.
        aws: The control plane; None without one.
    """

    def __init__(self, sagemaker: LocalSageMaker, *, aws: AwsFront | None = None) -> None:
        self._sagemaker = sagemaker
        self._aws = aws
        self._front: Front | None = None
        self._front_endpoint = ""
        self._pages: dict[tuple[str, str], Page] = {("GET", "/metrics"): self._metrics}
        self._page_paths = {"/metrics"}
        self._tasks = Tasks()

    def put_front(self, front: Front, endpoint_name: str) -> None:
        """Have a REST API in front of an endpoint answer what nothing else does."""
        self._front, self._front_endpoint = front, endpoint_name

    def put_pages(self, pages: Mapping[tuple[str, str], Page]) -> None:
        """Have pages answer, by method and path; HEAD asks like GET."""
        self._pages.update(pages)
        self._page_paths = {path for _, path in self._pages}

    def handle(self, exchange: Exchange) -> None:
        """Answer one request, now or when its instance has."""
        request = exchange.request
        path = request.path
        if path.startswith("/endpoints/") and (name := endpoint_of(path)) is not None:
            self._handle_runtime(exchange, name)
        elif self._aws is not None and self._aws.takes(request):
            self._run(exchange, self._answer_aws(exchange, self._aws))
        elif path in self._page_paths:
            self._answer_page(exchange, self._page(request))
        elif self._front is not None:
            self._handle_front(exchange, self._front)
        else:
            exchange.respond(_STARTING)

    async def _answer_aws(self, exchange: Exchange, aws: AwsFront) -> None:
        exchange.respond(await aws.answer(exchange.request))

    # The REST API.

    def _handle_front(self, exchange: Exchange, front: Front) -> None:
        request = exchange.request
        accepted = front.accept(request.method, request.path, request.headers, request.body)
        if isinstance(accepted, Invocation):
            self._run(exchange, self._invoke_for_front(exchange, front, accepted))
        else:
            exchange.respond(_to_http(front.for_origin(accepted, request.headers)))

    async def _invoke_for_front(
        self, exchange: Exchange, front: Front, invocation: Invocation
    ) -> None:
        answer = front.conclude(await self.invoke(invocation))
        exchange.respond(_to_http(front.for_origin(answer, exchange.request.headers)))

    async def invoke(self, invocation: Invocation) -> InvocationResult:
        """Carry a request that the REST API has accepted to its endpoint."""
        try:
            endpoint = self._endpoint(self._front_endpoint)
            answer, _ = await endpoint.invoke(invocation.body, _JSON_HEADERS)
        except InvocationRefused:  # whatever its shape: there is no room now
            return InvocationResult(status=503, body=b"")
        return InvocationResult(status=answer.status or _TIMED_OUT_STATUS, body=answer.body)

    # SageMaker's runtime API.

    def _handle_runtime(self, exchange: Exchange, endpoint_name: str) -> None:
        if exchange.request.method != "POST":
            exchange.respond(_method_not_allowed(exchange.request.method, "POST"))
        elif endpoint_name not in self._sagemaker.endpoints:
            exchange.respond(not_found(endpoint_name))
        else:
            self._run(exchange, self._invoke_for_runtime(exchange, endpoint_name))

    async def _invoke_for_runtime(self, exchange: Exchange, endpoint_name: str) -> None:
        request = exchange.request
        headers = request.headers
        try:
            self._authorise(request)
            answer, variant = await self._endpoint(endpoint_name).invoke(
                request.body, forwarded_headers(headers), headers.get(TARGET_VARIANT)
            )
        except InvocationRefused as refused:
            exchange.respond(refusal(refused))
            return
        respond = streamed_response if is_streaming(request.path) else model_response
        exchange.respond(respond(answer, variant))

    def _authorise(self, request: Request) -> None:
        if self._aws is not None:
            try:
                self._aws.authorise(request, _RUNTIME_SIGNING_NAME)
            except AwsError as error:
                raise InvocationRefused(error.code, error.status, error.message) from error

    def _endpoint(self, endpoint_name: str) -> Endpoint:
        endpoint = self._sagemaker.endpoints.get(endpoint_name)
        if endpoint is None:
            raise InvocationRefused.not_found(endpoint_name)
        return endpoint

    # What this port tells of itself.

    def _answer_page(self, exchange: Exchange, answer: Response | Awaitable[Response]) -> None:
        if isinstance(answer, Response):
            exchange.respond(answer)
        else:
            self._run(exchange, _answered_later(exchange, answer))

    def _page(self, request: Request) -> Response | Awaitable[Response]:
        method = "GET" if request.method == "HEAD" else request.method
        page = self._pages.get((method, request.path))
        if page is None:
            allowed = sorted(known for known, path in self._pages if path == request.path)
            return _method_not_allowed(request.method, ", ".join(allowed))
        return page(request)

    def _metrics(self, _request: Request) -> Response:
        metrics = generate_latest(self._sagemaker.counters.registry)
        return Response(status=200, body=metrics, content_type=CONTENT_TYPE_LATEST)

    def _run(self, exchange: Exchange, coroutine: Coroutine[Any, Any, None]) -> None:
        self._tasks.run(_answered(exchange, coroutine))


async def _answered_later(exchange: Exchange, answer: Awaitable[Response]) -> None:
    exchange.respond(await answer)


async def _answered(exchange: Exchange, coroutine: Coroutine[Any, Any, None]) -> None:
    """See to it that a fault of ours is an answer, too: nobody else would give one."""
    try:
        await coroutine
    except Exception:
        logger.exception("an invocation could not be answered")
        if exchange.answer is None:
            body = error_body("internal", "the endpoint failed to answer this request")
            exchange.respond(Response(status=500, body=body))


def _method_not_allowed(method: str, allowed: str) -> Response:
    return Response(
        status=405,
        body=error_body("method_not_allowed", f"{method} is not allowed here; {allowed} is"),
        headers=(("Allow", allowed),),
    )


def _to_http(answer: ApiResponse) -> Response:
    return Response(
        status=answer.status,
        body=answer.body,
        content_type=answer.content_type,
        headers=answer.headers,
    )
