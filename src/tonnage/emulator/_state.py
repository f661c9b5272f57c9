"""
The endpoint's own pages for programs: its state and its timeline.
"""

import json
import math
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import parse_qs

from tonnage.domain import error_body
from tonnage.http import Request, Response

from ._endpoint import Endpoint
from ._local import LocalSageMaker
from ._metrics import PERIOD_SECONDS
from ._timeline import Timeline
from ._variant import ProductionVariant

__all__ = ["STATE_PATH", "TIMELINE_PATH", "StatePages"]

STATE_PATH: Final = "/_tonnage/state"
TIMELINE_PATH: Final = "/_tonnage/timeline"


class StatePages:
    """
    Tells what there is and what happened.

    Args:
        sagemaker: What is told of.
        variant: Whose instances the state and the timeline tell.
        timeline: What the fleet did.
    """

    def __init__(
        self, sagemaker: LocalSageMaker, variant: ProductionVariant, timeline: Timeline
    ) -> None:
        self._sagemaker = sagemaker
        self._variant = variant
        self._timeline = timeline

    def pages(self) -> dict[tuple[str, str], Callable[[Request], Response]]:
        """Return the pages by method and path."""
        return {("GET", STATE_PATH): self.state, ("GET", TIMELINE_PATH): self.timeline}

    def state(self, _request: Request) -> Response:
        """Return the instances and the clock, as they are now."""
        variant, clock = self._variant, self._sagemaker.clock
        state: dict[str, Any] = {
            "desired_instance_count": variant.desired_instance_count,
            "in_service_instance_count": variant.in_service_instance_count,
            "instances": _instances(variant),
            "endpoints": [_endpoint(each) for each in self._sagemaker.endpoints.values()],
            "time_scale": clock.time_scale,
            "period_origin_monotonic_seconds": clock.origin_seconds,
            "period_real_seconds": PERIOD_SECONDS / clock.time_scale,
        }
        return _as_json(state)

    def timeline(self, request: Request) -> Response:
        """Return what the fleet did since a moment of the machine's monotonic clock."""
        text = parse_qs(request.query).get("since", ["0"])[0]
        try:
            origin = float(text)
        except ValueError:
            origin = math.nan
        if not math.isfinite(origin):
            message = f"since={text!r} is no moment; it is seconds of the monotonic clock"
            return Response(status=400, body=error_body("invalid_query", message))
        return _as_json(asdict(self._timeline.since(origin)))


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "endpoint_name": endpoint.endpoint_name,
        "status": endpoint.status,
        "variants": [
            {
                "variant_name": variant.variant_name,
                "desired_instance_count": variant.desired_instance_count,
                "in_service_instance_count": variant.in_service_instance_count,
                "instances": _instances(variant),
            }
            for variant in endpoint.variants.values()
        ],
    }


def _instances(variant: ProductionVariant) -> list[dict[str, Any]]:
    return [
        {
            "instance_id": instance.instance_id,
            "state": instance.state,
            "process_id": instance.process and instance.process.process_id,
            "port": instance.process and instance.process.port,
            "outstanding": instance.outstanding,
        }
        for instance in variant.instances
    ]


def _as_json(value: object) -> Response:
    return Response(status=200, body=json.dumps(value).encode())
