"""
The one local port: REST API, SageMaker runtime, metrics, and the endpoint's own state.
"""

import asyncio
import json
import logging
import math
from collections.abc import Coroutine
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import parse_qs

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from tonnage.api import ApiResponse, Front, Invocation, InvocationResult
from tonnage.domain import error_body
from tonnage.http import Exchange, Request, Response

from ._endpoint import Endpoint
from ._metrics import PERIOD_SECONDS
from ._runtime import endpoint_of, forwarded_headers, model_response, not_found, validation_error

__all__ = ["STATE_PATH", "TIMELINE_PATH", "Port"]

logger = logging.getLogger(__name__)

STATE_PATH: Final = "/_tonnage/state"
TIMELINE_PATH: Final = "/_tonnage/timeline"
_JSON_HEADERS: Final = {"content-type": "application/json"}


class Port:
    """
    Sends each request to the part it is for.

    Args:
        endpoint: What invocations go to.
        front: The REST API in front of it.
    """

    def __init__(self, endpoint: Endpoint, front: Front) -> None:
        self._endpoint = endpoint
        self._front = front
        self._tasks: set[asyncio.Task[None]] = set()

    def handle(self, exchange: Exchange) -> None:
        """Answer one request, now or when its instance has."""
        request = exchange.request
        endpoint_name = endpoint_of(request.path)
        if endpoint_name is not None:
            self._handle_runtime(exchange, endpoint_name)
        elif request.path in {"/metrics", STATE_PATH, TIMELINE_PATH}:
            is_read = request.method in {"GET", "HEAD"}
            exchange.respond(
                self._own(request) if is_read else _method_not_allowed(request.method, "GET")
            )
        else:
            self._handle_front(exchange)

    def _handle_front(self, exchange: Exchange) -> None:
        request = exchange.request
        accepted = self._front.accept(request.method, request.path, request.headers, request.body)
        if isinstance(accepted, Invocation):
            self._run(exchange, self._invoke_for_front(exchange, accepted))
        else:
            exchange.respond(_to_http(accepted))

    async def _invoke_for_front(self, exchange: Exchange, invocation: Invocation) -> None:
        answer = await self._endpoint.invoke(invocation.body, _JSON_HEADERS)
        result = InvocationResult(status=answer.status, body=answer.body)
        exchange.respond(_to_http(self._front.conclude(result)))

    def _handle_runtime(self, exchange: Exchange, endpoint_name: str) -> None:
        if exchange.request.method != "POST":
            exchange.respond(_method_not_allowed(exchange.request.method, "POST"))
        elif endpoint_name != self._endpoint.options.endpoint.endpoint_name:
            exchange.respond(not_found(endpoint_name))
        else:
            self._handle_variant(exchange)

    def _handle_variant(self, exchange: Exchange) -> None:
        variant = self._endpoint.options.endpoint.variant_name
        chosen = exchange.request.headers.get("x-amzn-sagemaker-target-variant", variant)
        if chosen != variant:
            message = f"Variant {chosen} not found; the endpoint has {variant}."
            exchange.respond(validation_error(message))
        else:
            self._run(exchange, self._invoke_for_runtime(exchange))

    async def _invoke_for_runtime(self, exchange: Exchange) -> None:
        request = exchange.request
        answer = await self._endpoint.invoke(request.body, forwarded_headers(request.headers))
        exchange.respond(model_response(answer, self._endpoint.options.endpoint))

    def _own(self, request: Request) -> Response:
        if request.path == "/metrics":
            metrics = generate_latest(self._endpoint.counters.registry)
            return Response(status=200, body=metrics, content_type=CONTENT_TYPE_LATEST)
        return _as_json(self._state()) if request.path == STATE_PATH else self._timeline(request)

    def _state(self) -> dict[str, Any]:
        fleet, clock = self._endpoint.fleet, self._endpoint.clock
        period_real_seconds = PERIOD_SECONDS / clock.time_scale
        return {
            "desired_instance_count": fleet.desired_count,
            "in_service_instance_count": len(fleet.in_service),
            "instances": [
                {
                    "instance_id": instance.instance_id,
                    "state": instance.state,
                    "process_id": instance.process and instance.process.process_id,
                }
                for instance in fleet.instances
            ],
            "time_scale": clock.time_scale,
            "period_origin_monotonic_seconds": clock.origin_seconds,
            "period_real_seconds": period_real_seconds,
        }

    def _timeline(self, request: Request) -> Response:
        text = parse_qs(request.query).get("since", ["0"])[0]
        try:
            origin = float(text)
        except ValueError:
            origin = math.nan
        if not math.isfinite(origin):
            message = f"since={text!r} is no moment; it is seconds of the monotonic clock"
            return Response(status=400, body=error_body("invalid_query", message))
        return _as_json(asdict(self._endpoint.timeline.since(origin)))

    def _run(self, exchange: Exchange, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(_answered(exchange, coroutine))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


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


def _as_json(value: object) -> Response:
    return Response(status=200, body=json.dumps(value).encode())
