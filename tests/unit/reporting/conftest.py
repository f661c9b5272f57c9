"""
Two tiny records whose every number can be worked out by hand.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tonnage.domain import FleetTimeline, RunRecord, Samples, ScalingActivity

SECONDS = 12
PER_SECOND = 20


def _record(*, failing_from_seconds: float, **described: Any) -> RunRecord:  # noqa: ANN401 (a record's fields)
    """20 requests each second, evenly spaced; from a moment on, every fourth of them fails."""
    sent = np.arange(SECONDS * PER_SECOND) / PER_SECOND + 0.01
    status = np.full(len(sent), 200, dtype=np.uint16)
    status[(np.arange(len(sent)) % 4 == 3) & (sent >= failing_from_seconds)] = 503
    samples = Samples(
        intended_seconds=sent - 0.001,
        sent_seconds=sent,
        done_seconds=sent + 0.004 + 0.001 * (np.arange(len(sent)) % PER_SECOND),
        status=status,
    )
    return RunRecord(
        started_at_epoch_seconds=1_767_225_600.0,
        duration_seconds=float(SECONDS),
        samples=samples,
        users=[(0.0, 5), (1.0, 20)],
        generator={"engine": "locust", "arrivals": "dephased"},
        machine={"cores": 2, "python": "3.11.2"},
        **described,
    )


@pytest.fixture
def records() -> list[RunRecord]:
    """The same load on one instance that fails from 6 s on, and on three that do not."""
    out = ScalingActivity(
        at_seconds=3.0,
        from_count=1,
        to_count=3,
        cause="1,200 invocations per instance | target 60",
        in_service_at_seconds=5.5,
    )
    one = _record(
        failing_from_seconds=6.0,
        name="a-one",
        title="A: one instance",
        fleet=FleetTimeline(time_scale=20, instances=[(0.0, 1, 1)]),
        settings={"scaling": {"enabled": False}, "local": {"instance_rate": "15/s"}},
        notes=["An emulated cap of 15/s, not what this machine carries.", "Noisy <machine>."],
    )
    three = _record(
        failing_from_seconds=np.inf,
        name="b-three",
        title="B: up to three",
        fleet=FleetTimeline(
            time_scale=20,
            instances=[(0.0, 1, 1), (3.0, 3, 1), (5.5, 3, 3)],
            activities=[out],
        ),
        settings={"scaling": {"enabled": True}, "local": {"instance_rate": "15/s"}},
        notes=["An emulated cap of 15/s, not what this machine carries."],
    )
    return [one, three]


@pytest.fixture
def empty() -> RunRecord:
    """A run in which nothing happened: no request, no user, no fleet, no setting."""
    return RunRecord(
        name="nothing",
        title="Nothing",
        started_at_epoch_seconds=float("nan"),
        duration_seconds=0.0,
        samples=Samples.empty(),
    )


@pytest.fixture
def golden() -> Callable[[str, str], bool]:
    """Compare text with a file; ``UPDATE_GOLDEN=1`` writes the file instead of trusting it."""

    def matches(name: str, text: str) -> bool:
        path = Path(__file__).parent / "golden" / name
        if os.environ.get("UPDATE_GOLDEN"):
            path.write_text(text, encoding="utf-8")
        return path.read_text(encoding="utf-8") == text

    return matches
