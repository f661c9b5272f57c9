"""Samples and searches in virtual time."""

from collections.abc import Callable

import numpy as np
import pytest

from tonnage.domain import Samples
from tonnage.loadtest.line import (
    LinePlan,
    LoadLine,
    TargetShape,
    VirtualTarget,
    find_line,
    parse_terms,
)

TERMS = parse_terms(["p99 < 250ms", "errors < 0.1%"])


@pytest.fixture
def samples() -> Callable[..., Samples]:
    def make(
        latency_seconds: object,
        *,
        per_second: float = 100.0,
        late: object = 0.0,
        status: object = 200,
    ) -> Samples:
        latency = np.atleast_1d(np.asarray(latency_seconds, dtype=float))
        intended = np.arange(len(latency)) / per_second
        return Samples(
            intended_seconds=intended,
            sent_seconds=intended + late,
            done_seconds=intended + latency,
            status=np.broadcast_to(np.asarray(status, dtype=np.uint16), latency.shape).copy(),
        )

    return make


@pytest.fixture
def search() -> Callable[..., LoadLine]:
    def run(shape: TargetShape, *, seed: int = 0, **changed: object) -> LoadLine:
        settings = {"terms": TERMS, "seed": seed, **changed}
        plan = LinePlan(**settings)
        target = VirtualTarget(
            shape=shape,
            arrivals=plan.arrivals,
            seed=seed,
            patience_seconds=plan.patience_seconds,
        )
        return find_line(plan, target)

    return run
