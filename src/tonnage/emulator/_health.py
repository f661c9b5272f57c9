"""
The health check of instances in service: one that does not answer its ping is replaced.

How often SageMaker asks in steady state, and how many misses it forgives, is not documented; that
it replaces an instance that does not answer within two seconds is
(DG: your-algorithms-inference-code).
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from tonnage.domain import TransportError

from ._instance import FleetInstance

__all__ = ["watch_health"]

logger = logging.getLogger(__name__)

_PING_TIMEOUT_SECONDS: Final = 2.0
_FORGIVEN_MISSES: Final = 2
_OK: Final = 200


async def watch_health(
    in_service: Callable[[], Sequence[FleetInstance]], every_seconds: float
) -> None:
    """
    Ping instances until cancelled, and kill those that keep failing: their fleet replaces them.

    Args:
        in_service: Returns the instances to ask.
        every_seconds: How often, in real time, for it is real processes that are asked.
    """
    misses: Counter[str] = Counter()
    while True:
        await asyncio.sleep(every_seconds)
        asked = list(in_service())
        healthy = await asyncio.gather(*map(_is_healthy, asked))
        names = {instance.instance_id for instance in asked}
        for gone in [name for name in misses if name not in names]:
            del misses[gone]
        for instance, is_healthy in zip(asked, healthy, strict=True):
            if is_healthy:
                misses.pop(instance.instance_id, None)
                continue
            misses[instance.instance_id] += 1
            if misses[instance.instance_id] > _FORGIVEN_MISSES:
                logger.error("instance %s does not answer its ping", instance.instance_id)
                instance.kill()


async def _is_healthy(instance: FleetInstance) -> bool:
    if instance.client is None:
        return True
    try:
        answer = await instance.client.request(
            "GET", "/ping", timeout_seconds=_PING_TIMEOUT_SECONDS
        )
    except TransportError:
        return False
    return answer.status == _OK
