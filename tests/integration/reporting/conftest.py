"""
The story's two experiments, generated: shaped like a rehearsal, the same on every machine.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tonnage.domain import FleetTimeline, RunRecord, Samples, ScalingActivity

Floats = NDArray[np.float64]
InService = Callable[[float], int]

RAMP_SECONDS = 50.0
USERS = 1000
CAP_PER_SECOND = 600.0
QUEUE_SECONDS = 0.07
NOTE = (
    "The capacity of an instance is an emulated cap of 600/s with a queue of 70 ms, "
    "not what this machine carries."
)
MACHINE = {"cores": 2, "python": "3.11.2", "platform": "Linux x86_64"}
GENERATOR = {"engine": "locust", "version": "2.44.4", "arrivals": "dephased", "cpu_fraction": 0.43}


def _sends(rng: np.random.Generator, duration_seconds: float) -> Floats:
    """Each user starts on the ramp and sends once a second, at a phase of its own."""
    starts = np.arange(USERS) * RAMP_SECONDS / USERS + rng.uniform(0, 1, USERS)
    sends = [np.arange(start, duration_seconds, 1.0) for start in starts]
    return np.sort(np.concatenate(sends))


def _serve(sent: Floats, in_service: InService) -> tuple[Floats, NDArray[np.uint16]]:
    """One virtual first-come-first-served queue an instance, least busy first."""
    free_at = np.zeros(10)
    waited = np.zeros(len(sent))
    status = np.full(len(sent), 200, dtype=np.uint16)
    for at, now in enumerate(sent):
        serving = in_service(now)
        instance = int(np.argmin(free_at[:serving]))
        start = max(now, free_at[instance])
        if start - now > QUEUE_SECONDS:
            status[at] = 503
        else:
            free_at[instance] = start + 1 / CAP_PER_SECOND
            waited[at] = free_at[instance] - now
    return waited, status


def _record(
    rng: np.random.Generator,
    duration_seconds: float,
    in_service: InService,
    **described: Any,  # noqa: ANN401 (a record's fields)
) -> RunRecord:
    intended = _sends(rng, duration_seconds)
    sent = intended + rng.exponential(0.0004, len(intended))
    waited, status = _serve(sent, in_service)
    done = sent + waited + 0.0012 + rng.lognormal(-7.0, 0.7, len(sent))
    return RunRecord(
        started_at_epoch_seconds=1_767_225_600.0,
        duration_seconds=duration_seconds,
        samples=Samples(
            intended_seconds=intended, sent_seconds=sent, done_seconds=done, status=status
        ),
        users=[
            (float(at), min(USERS, round(at * USERS / RAMP_SECONDS)))
            for at in range(int(duration_seconds) + 1)
        ],
        machine=MACHINE,
        generator=GENERATOR,
        notes=[NOTE],
        **described,
    )


def _settings(*, enabled: bool, most: int) -> dict[str, object]:
    return {
        "load": {"users": USERS, "spawn_rate": "20/s", "pacing": "1s", "arrivals": "dephased"},
        "scaling": {
            "enabled": enabled,
            "min_capacity": 1,
            "max_capacity": most,
            "target_value": 60,
            "scale_in_cooldown": "60s",
            "scale_out_cooldown": "60s",
        },
        "local": {
            "instance_rate": "600/s",
            "instance_queue": "70ms",
            "provisioning_delay": "5m",
            "time_scale": 20,
        },
    }


@pytest.fixture(scope="session")
def story() -> list[RunRecord]:
    """A ramps to 1,000 users on one instance; B does with scaling, and holds them."""
    rng = np.random.default_rng(20)
    one = _record(
        rng,
        65.0,
        lambda now: 1,
        name="a-one-instance",
        title="A: one instance, no scaling",
        fleet=FleetTimeline(time_scale=20, instances=[(0.0, 1, 1)]),
        settings=_settings(enabled=False, most=1),
    )
    out = ScalingActivity(
        at_seconds=9.02,
        from_count=1,
        to_count=10,
        cause=(
            "alarm TargetTracking-endpoint/real-estate-evaluation/variant/linear-model-AlarmHigh: "
            "SageMakerVariantInvocationsPerInstance was 600, 4800 and 9000 for 3 of 3 periods, "
            "above the target of 60"
        ),
        in_service_at_seconds=24.05,
    )
    ten = _record(
        rng,
        82.0,
        lambda now: 10 if now >= 24.05 else 1,
        name="b-with-scaling",
        title="B: target tracking from 1 to 10 instances",
        fleet=FleetTimeline(
            time_scale=20,
            instances=[(0.0, 1, 1), (9.02, 10, 1), (24.05, 10, 10)],
            activities=[out],
        ),
        settings=_settings(enabled=True, most=10),
    )
    return [one, ten]
