"""
Makes faults happen, and notes what they hit.
"""

import asyncio
import json
import logging
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from tonnage.domain import FaultEvent, error_body
from tonnage.http import Request, Response

from ._hosting import AnyFleet
from ._instance import FleetInstance, Trouble
from ._local import LocalSageMaker
from ._tasks import Tasks
from ._timeline import Timelines
from ._variant import ProductionVariant
from .faults import Fault, FaultAction

__all__ = ["FAULTS_PATH", "FaultSchedule"]

logger = logging.getLogger(__name__)

FAULTS_PATH: Final = "/_tonnage/faults"


class FaultSchedule:
    """
    Faults that wait for their time, those at work, and those that happened.

    Args:
        sagemaker: Whose instances suffer.
        timelines: Where it is noted what they suffered, for reports.
    """

    def __init__(self, sagemaker: LocalSageMaker, timelines: Timelines) -> None:
        self._sagemaker = sagemaker
        self._timelines = timelines
        self._tasks = Tasks()
        self._events: list[dict[str, Any]] = []

    def begin(self, faults: Iterable[Fault]) -> None:
        """Let each fault happen at its time from now."""
        for fault in faults:
            self._tasks.run(self._happen(fault))

    async def close(self) -> None:
        """Let nothing more happen; what is frozen thaws."""
        await self._tasks.cancel()

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
        now = time.monotonic()
        instances: list[FleetInstance] = []
        for variant in self._variants(fault):
            hit = _hit(variant, fault)
            self._timelines.of(variant.endpoint_name, variant.variant_name).fault_happened(
                FaultEvent(at_seconds=now, action=fault.action, instances=_names(hit))
            )
            instances += hit
        self._note(fault, now, _names(instances))
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

    def _variants(self, fault: Fault) -> Iterator[ProductionVariant]:
        for variant in self._sagemaker.all():
            if fault.endpoint in {None, variant.endpoint_name} and fault.variant in {
                None,
                variant.variant_name,
            }:
                yield variant

    def _note(self, fault: Fault, now: float, names: tuple[str, ...]) -> None:
        if fault.action is FaultAction.FAIL_LAUNCH:
            logger.warning("fault: the next %d launches fail", fault.count)
        elif names:
            logger.warning("fault: %s of %s", fault.action, ", ".join(names))
        else:
            logger.warning("fault: %s found no instance in service", fault.action)
        self._events.append({"at_monotonic_seconds": now, "instances": names, **asdict(fault)})

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._sagemaker.clock.time_scale)


def _hit(variant: ProductionVariant, fault: Fault) -> list[FleetInstance]:
    """Return the instances that a fault hits; one of launches hits those to come."""
    if fault.action is FaultAction.FAIL_LAUNCH:
        for side in variant.sides:
            side.fleet.refuse_launches(fault.count)
        return []
    return [instance for side in variant.sides for instance in _chosen(side.fleet, fault)]


def _chosen(fleet: AnyFleet, fault: Fault) -> list[FleetInstance]:
    in_service = fleet.in_service
    if fault.instance == "all":
        return list(in_service)
    return in_service[fault.instance : fault.instance + 1]


def _names(instances: Iterable[FleetInstance]) -> tuple[str, ...]:
    return tuple(instance.instance_id for instance in instances)
