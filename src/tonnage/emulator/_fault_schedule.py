"""
Makes faults happen, and notes what they hit.
"""

import asyncio
import json
import logging
import os
import signal
import time
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from tonnage.domain import error_body
from tonnage.http import Request, Response

from ._hosting import AnyFleet
from ._instance import FleetInstance, Trouble
from ._local import LocalSageMaker
from .faults import Fault, FaultAction

__all__ = ["FAULTS_PATH", "FaultSchedule"]

logger = logging.getLogger(__name__)

FAULTS_PATH: Final = "/_tonnage/faults"


class FaultSchedule:
    """
    Faults that wait for their time, those at work, and those that happened.

    Args:
        sagemaker: Whose instances suffer.
    """

    def __init__(self, sagemaker: LocalSageMaker) -> None:
        self._sagemaker = sagemaker
        self._tasks: set[asyncio.Task[None]] = set()
        self._events: list[dict[str, Any]] = []

    def begin(self, faults: Iterable[Fault]) -> None:
        """Let each fault happen at its time from now."""
        for fault in faults:
            self._run(self._happen(fault))

    async def close(self) -> None:
        """Let nothing more happen; what is frozen thaws."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def pages(self) -> dict[tuple[str, str], Callable[[Request], Response]]:
        """Return the pages by method and path."""
        return {("GET", FAULTS_PATH): self.told, ("POST", FAULTS_PATH): self.injected}

    def told(self, _request: Request) -> Response:
        """Answer which faults happened."""
        return Response(status=200, body=json.dumps({"events": self._events}).encode())

    def injected(self, request: Request) -> Response:
        """Take a fault, and answer that it will happen at its time from now."""
        try:
            fault = TypeAdapter(Fault).validate_json(request.body)
        except ValidationError as error:
            message = f"this is no fault: {error.error_count()} errors, the first is"
            first = error.errors()[0]
            message += f" {'.'.join(map(str, first['loc']))}: {first['msg']}"
            return Response(status=400, body=error_body("invalid_fault", message))
        self.begin([fault])
        return Response(status=202, body=b"{}")

    async def _happen(self, fault: Fault) -> None:
        await self._sleep(fault.at_seconds)
        fleets = self._fleets(fault)
        if fault.action is FaultAction.FAIL_LAUNCH:
            for fleet in fleets:
                fleet.refuse_launches(fault.count)
            self._note(fault, [])
            return
        instances = [instance for fleet in fleets for instance in _chosen(fleet, fault)]
        self._note(fault, instances)
        await asyncio.gather(*(self._strike(fault, instance) for instance in instances))

    async def _strike(self, fault: Fault, instance: FleetInstance) -> None:
        if fault.action is FaultAction.KILL:
            instance.kill()
        elif fault.action is FaultAction.FREEZE:
            await self._freeze(fault, instance)
        else:
            instance.trouble = Trouble(
                fails=fault.action is FaultAction.FAIL,
                factor=fault.factor,
                delay_seconds=fault.delay_seconds,
            )
            try:
                await self._sleep(fault.for_seconds)
            finally:
                instance.trouble = None

    async def _freeze(self, fault: Fault, instance: FleetInstance) -> None:
        process = instance.process
        if process is None:
            return
        os.kill(process.process_id, signal.SIGSTOP)
        try:
            await self._sleep(fault.for_seconds)
        finally:
            if instance.process is process:  # else it is gone, and its number may be another's
                with suppress(ProcessLookupError):
                    os.kill(process.process_id, signal.SIGCONT)

    def _fleets(self, fault: Fault) -> list[AnyFleet]:
        return [
            hosted.fleet
            for endpoint in self._sagemaker.endpoints.values()
            if fault.endpoint in {None, endpoint.endpoint_name}
            for variant in endpoint.variants.values()
            if fault.variant in {None, variant.variant_name}
            for hosted in (variant.hosted, variant.incoming)
            if hosted is not None
        ]

    def _note(self, fault: Fault, instances: list[FleetInstance]) -> None:
        names = [instance.instance_id for instance in instances]
        if fault.action is FaultAction.FAIL_LAUNCH:
            logger.warning("fault: the next %d launches fail", fault.count)
        elif names:
            logger.warning("fault: %s of %s", fault.action, ", ".join(names))
        else:
            logger.warning("fault: %s found no instance in service", fault.action)
        self._events.append(
            {
                "at_monotonic_seconds": time.monotonic(),
                "instances": names,
                **asdict(fault),
            }
        )

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._sagemaker.clock.time_scale)

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _chosen(fleet: AnyFleet, fault: Fault) -> list[FleetInstance]:
    in_service = fleet.in_service
    if fault.instance == "all":
        return list(in_service)
    return in_service[fault.instance : fault.instance + 1]
