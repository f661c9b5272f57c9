"""
What the parent tells a generator's process, as JSON lines.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from tonnage.loadtest.open_plan import SageMakerEndpoint, Target
from tonnage.loadtest.payload import Payload

__all__ = ["Setup", "TrialOrders"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Setup:
    """
    What holds for all of a process's trials.

    Attributes:
        target: Where requests go.
        address: The target's address, resolved, and its port.
        seed: Where the draws of payloads start.
        max_outstanding: This process's share of the bound.
        warm_connections: How many connections are opened before the first trial.
        processes: How many processes there are.
    """

    target: Target
    address: tuple[str, int]
    seed: int
    max_outstanding: int
    warm_connections: int
    processes: int = 1

    def to_line(self) -> str:
        """Return it as one line."""
        shown = asdict(self)
        shown["target"]["payload"]["directory"] = str(self.target.payload.directory)
        return json.dumps(shown)

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Read what ``to_line`` wrote."""
        shown: dict[str, Any] = json.loads(line)
        target = shown.pop("target")
        payload, sagemaker = target.pop("payload"), target.pop("sagemaker")
        payload["directory"] = Path(payload["directory"])
        payload["ranges"] = {name: tuple(span) for name, span in payload["ranges"].items()}
        payload["bodies"] = tuple(payload["bodies"])
        host, port = shown.pop("address")
        return cls(
            **shown,
            address=(host, port),
            target=Target(
                **target,
                payload=Payload(**payload),
                sagemaker=SageMakerEndpoint(**sagemaker) if sagemaker else None,
            ),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialOrders:
    """
    One trial of one process.

    Attributes:
        schedule: The file of intended send times, float64 seconds since the trial begins.
        samples: The file for the raw samples.
        start_at_monotonic_seconds: When the trial begins.
        drain_seconds: How long after the last send answers are waited for.
        report_every_seconds: How often it says how it goes.
    """

    schedule: str
    samples: str
    start_at_monotonic_seconds: float
    drain_seconds: float
    report_every_seconds: float

    def to_line(self) -> str:
        """Return them as one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Read what ``to_line`` wrote."""
        return cls(**json.loads(line))
