"""
One instance: its process, the connections to it, and what a fault makes of its answers.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tonnage.domain import TransportError, error_body
from tonnage.http import Client, ClientResponse

from ._zygote import SpawnedInstance, kill, terminate

__all__ = ["RESPONSE_DEADLINE_SECONDS", "TIMED_OUT", "FleetInstance", "InstanceState", "Trouble"]

RESPONSE_DEADLINE_SECONDS: Final = 60.0
"""A real-time container's time to answer (DG: your-algorithms-inference-code)."""

TIMED_OUT: Final = ClientResponse(status=0, headers={}, body=b"")
"""What becomes of an invocation that its container did not answer in time."""

_CONNECTIONS: Final = 512
_FAILED: Final = ClientResponse(
    status=500,
    headers={"content-type": "application/json"},
    body=error_body("injected_fault", "this instance was told to fail"),
)


class InstanceState(StrEnum):
    """Where an instance is in its life."""

    PENDING = "Pending"
    IN_SERVICE = "InService"
    DRAINING = "Draining"


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """
    What a fault makes of an instance's answers.

    Attributes:
        fails: Whether it answers 500 to everything.
        factor: How many times longer than its own its answers take.
        delay_seconds: What is added to each, in real time.
    """

    fails: bool = False
    factor: float = 1.0
    delay_seconds: float = 0.0


@dataclass(slots=True, eq=False)
class FleetInstance:
    """
    One instance.

    Attributes:
        instance_id: Its name.
        state: Where it is in its life.
        client: Connections to it, once its process is ready.
        process: Its process, likewise.
        outstanding: Invocations that it has been given and has not answered.
        trouble: A fault that it suffers from.
    """

    instance_id: str
    state: InstanceState = InstanceState.PENDING
    client: Client | None = None
    process: SpawnedInstance | None = None
    outstanding: int = 0
    trouble: Trouble | None = None

    def connect(self, process: SpawnedInstance) -> None:
        """Take note of its process and reach it from now on."""
        self.process = process
        self.client = Client("127.0.0.1", process.port, max_connections=_CONNECTIONS)

    async def ask(self, body: bytes, headers: Mapping[str, str]) -> ClientResponse:
        """
        Send an invocation and return what the container answers, ``TIMED_OUT`` if it is too late.

        Raises:
            TransportError: If it broke off.
        """
        if self.trouble is not None:
            return await self._ask_in_trouble(self.trouble, body, headers)
        return await self._ask(body, headers)

    def drain(self) -> None:
        """Let its process answer what it has and end."""
        if self.process is not None:
            terminate(self.process.process_id)

    def kill(self) -> None:
        """End its process at once."""
        if self.process is not None:
            kill(self.process.process_id)

    async def _ask(self, body: bytes, headers: Mapping[str, str]) -> ClientResponse:
        assert self.client is not None
        deadline = time.monotonic() + RESPONSE_DEADLINE_SECONDS
        try:
            return await self.client.request(
                "POST",
                "/invocations",
                headers=headers,
                body=body,
                timeout_seconds=RESPONSE_DEADLINE_SECONDS,
            )
        except TransportError:
            if time.monotonic() >= deadline:  # it may still be at work: no other is asked
                return TIMED_OUT
            raise

    async def _ask_in_trouble(
        self, trouble: Trouble, body: bytes, headers: Mapping[str, str]
    ) -> ClientResponse:
        if trouble.fails:
            return _FAILED
        began = time.monotonic()
        answer = await self._ask(body, headers)
        own_seconds = time.monotonic() - began
        await asyncio.sleep((trouble.factor - 1.0) * own_seconds + trouble.delay_seconds)
        return answer
