"""
An AwsFront behind a real socket, and boto3's own clients for it.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from tonnage.emulator.aws import AwsError, AwsFront
from tonnage.http import Exchange, Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore.client import BaseClient

    from tonnage.emulator.aws import Operation

KEY, SECRET, REGION = "AKIDLOCAL", "a-local-secret", "us-east-1"


@contextmanager
def served(front: AwsFront) -> Iterator[str]:
    """Serve a front from a thread's own loop; its URL, until the block ends."""
    loop = asyncio.new_event_loop()
    tasks: set[asyncio.Task[None]] = set()

    async def answered(exchange: Exchange) -> None:
        exchange.respond(await front.answer(exchange.request))

    def handle(exchange: Exchange) -> None:
        assert front.takes(exchange.request)
        task = loop.create_task(answered(exchange))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(Server.start(handle), loop).result(10)
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        asyncio.run_coroutine_threadsafe(server.drain(timeout_seconds=1.0), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def client(
    service: str, url: str, *, secret: str = SECRET, key: str = KEY, region: str = REGION
) -> BaseClient:
    """Return boto3's client; it checks nothing itself and does not try again."""
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}, proxies={}, parameter_validation=False),
    )


class Recorder:
    """An operation that keeps what it is given and answers what it is told to."""

    def __init__(self, answer: Mapping[str, Any] | Exception) -> None:
        self.answer = answer
        self.given: list[Mapping[str, Any]] = []

    async def __call__(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        self.given.append(parameters)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def refusing(code: str, message: str) -> Operation:
    """Return an operation that refuses."""
    return Recorder(AwsError(code, message))
