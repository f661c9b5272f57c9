"""
A simulation as CSV and as plain JSON values.
"""

from typing import Any

import numpy as np

from tonnage.domain import ConfigurationError
from tonnage.scaling import PolicyNames

from .activities import SIMULATED
from .results import Simulation

__all__ = ["timeline_csv", "to_json"]

_COLUMNS = (
    "offered",
    "served",
    "failed",
    "queued",
    "utilisation",
    "latency_seconds",
    "desired",
    "in_service",
    "pending",
)


def to_json(
    simulation: Simulation, policy: int = 0, names: PolicyNames = SIMULATED
) -> dict[str, Any]:
    """Return a policy's totals, its instance counts and activities as plain values."""
    return {
        "offered": float(simulation.offered[policy]),
        "served": float(simulation.served[policy]),
        "failed": float(simulation.failed[policy]),
        "failed_fraction": float(simulation.failed_fraction[policy]),
        "instance_hours": float(simulation.instance_hours[policy]),
        "duration_seconds": simulation.duration_seconds,
        "instances": [[at, count] for at, count in simulation.instances(policy)],
        "activities": [
            {
                "at_seconds": activity.at_seconds,
                "from_count": activity.from_count,
                "to_count": activity.to_count,
                "in_service_at_seconds": activity.in_service_at_seconds,
                "cause": activity.cause,
            }
            for activity in simulation.activities_of(policy, names)
        ],
    }


def timeline_csv(simulation: Simulation, policy: int = 0) -> str:
    """
    Return a policy's timeline as CSV, a tick a row, under a line of column names.

    Raises:
        ConfigurationError: If the simulation kept none.
    """
    timeline = simulation.timeline
    if timeline is None:
        raise ConfigurationError("the simulation kept no timeline", hint="give keep_timeline=True")
    columns = [timeline.seconds, timeline.offered]
    columns += [getattr(timeline, name)[:, policy] for name in _COLUMNS[1:]]
    lines = [",".join(("time_seconds", *_COLUMNS))]
    table = np.stack(columns, axis=1)
    lines += [",".join(f"{value:.6g}" for value in row) for row in table.tolist()]
    return "\n".join(lines) + "\n"
