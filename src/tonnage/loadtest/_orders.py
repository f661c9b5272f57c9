"""
What the parent tells the child that runs Locust, and where the child reports.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from .plan import Arrivals, LoadPlan

__all__ = ["ORDERS_VARIABLE", "STOP_TIMEOUT_SECONDS", "Orders"]

ORDERS_VARIABLE: Final = "TONNAGE_LOADTEST_ORDERS"
"""The child's environment variable that names its file of orders."""

STOP_TIMEOUT_SECONDS: Final = 5
"""How long requests under way at the end may take to finish."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Orders:
    """
    The child's part of a plan, as plain JSON values; the rest is on its command line.

    Attributes:
        report_to: The inherited pipe's descriptor, for one JSON object a line.
        samples_in: The directory for files of raw samples.
        path: What the built-in user posts to.
        body: The JSON text it posts; None when ``ranges`` or ``bodies`` say what.
        ranges: Field → (low, high), drawn for each request.
        bodies: JSON texts, one of them drawn for each request.
        stays: Whether the generator stays (with its web page) when the test is over.
        pacing_seconds: As in the plan, and so are the others.
    """

    report_to: int
    samples_in: str
    path: str
    body: str | None
    ranges: Mapping[str, tuple[float, float]]
    bodies: Sequence[str]
    stays: bool
    pacing_seconds: float
    arrivals: Arrivals
    seed: int
    duration_seconds: float
    timeout_seconds: float
    start_at_monotonic_seconds: float | None

    @classmethod
    def of(cls, plan: LoadPlan, *, report_to: int, samples_in: Path) -> Self:
        """Return the orders that follow from a plan."""
        return cls(
            report_to=report_to,
            samples_in=str(samples_in),
            path=plan.path,
            body=None if plan.body is None else json.dumps(plan.body),
            ranges=dict(plan.ranges),
            bodies=[json.dumps(body) for body in plan.bodies],
            stays=plan.web_port is not None,
            pacing_seconds=plan.pacing_seconds,
            arrivals=plan.arrivals,
            seed=plan.seed,
            duration_seconds=plan.duration_seconds,
            timeout_seconds=plan.timeout_seconds,
            start_at_monotonic_seconds=plan.start_at_monotonic_seconds,
        )

    def write(self, file: Path) -> None:
        """Write them where ``ORDERS_VARIABLE`` will point."""
        file.write_text(json.dumps(asdict(self)))

    @classmethod
    def of_this_process(cls) -> Self:
        """Read the orders that this process was started with."""
        return cls(**json.loads(Path(os.environ[ORDERS_VARIABLE]).read_text()))
