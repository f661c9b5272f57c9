"""
Samples made by hand.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tonnage.domain import Samples

MakeSamples = Callable[..., Samples]


def _samples(
    intended: Sequence[float],
    *,
    status: Sequence[int] | int = 200,
    latency: Sequence[float] | float = 0.01,
    late: Sequence[float] | float = 0.0,
) -> Samples:
    moments = np.asarray(intended, dtype=np.float64)
    return Samples(
        intended_seconds=moments,
        sent_seconds=moments + late,
        done_seconds=moments + latency,
        status=np.broadcast_to(np.asarray(status, dtype=np.uint16), moments.shape).copy(),
    )


@pytest.fixture(scope="session")
def samples() -> MakeSamples:
    """Makes samples from intended sends, statuses, latencies and how late each was sent."""
    return _samples
