"""
Tonnage: know the load your model carries.

The package imports nothing heavy by itself; each public name is imported when it is first used.
What a notebook needs for the whole story is here; the rooms have the rest.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .artefact import Service, pack
    from .domain import (
        ErrorObjective,
        LatencyObjective,
        Objective,
        TonnageError,
        parse_profile,
        read_record,
        read_trace,
    )
    from .emulator import EndpointOptions, LocalOptions, ScalingOptions, UpOptions, up_in_background
    from .loadtest import LoadPlan, OpenLoopPlan, Payload, load
    from .loadtest.compare import compare_records
    from .loadtest.line import LinePlan, line, parse_terms
    from .planning import plan
    from .rehearsal import RehearsalPlan, rehearse
    from .reporting import report
    from .scaling import ScalableTarget, TargetTrackingPolicy
    from .serving import InstanceCapacity
    from .simulation import FleetModel, simulate
    from .starting import init

__all__ = [
    "EndpointOptions",
    "ErrorObjective",
    "FleetModel",
    "InstanceCapacity",
    "LatencyObjective",
    "LinePlan",
    "LoadPlan",
    "LocalOptions",
    "Objective",
    "OpenLoopPlan",
    "Payload",
    "RehearsalPlan",
    "ScalableTarget",
    "ScalingOptions",
    "Service",
    "TargetTrackingPolicy",
    "TonnageError",
    "UpOptions",
    "__version__",
    "compare_records",
    "init",
    "line",
    "load",
    "pack",
    "parse_profile",
    "parse_terms",
    "plan",
    "read_record",
    "read_trace",
    "rehearse",
    "report",
    "simulate",
    "up_in_background",
]

__version__ = "0.1.0"

_ROOMS = {
    "EndpointOptions": "emulator",
    "ErrorObjective": "domain",
    "FleetModel": "simulation",
    "InstanceCapacity": "serving",
    "LatencyObjective": "domain",
    "LinePlan": "loadtest.line",
    "LoadPlan": "loadtest",
    "LocalOptions": "emulator",
    "Objective": "domain",
    "OpenLoopPlan": "loadtest",
    "Payload": "loadtest",
    "RehearsalPlan": "rehearsal",
    "ScalableTarget": "scaling",
    "ScalingOptions": "emulator",
    "Service": "artefact",
    "TargetTrackingPolicy": "scaling",
    "TonnageError": "domain",
    "UpOptions": "emulator",
    "compare_records": "loadtest.compare",
    "init": "starting",
    "line": "loadtest.line",
    "load": "loadtest",
    "pack": "artefact",
    "parse_profile": "domain",
    "parse_terms": "loadtest.line",
    "plan": "planning",
    "read_record": "domain",
    "read_trace": "domain",
    "rehearse": "rehearsal",
    "report": "reporting",
    "simulate": "simulation",
    "up_in_background": "emulator",
}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_ROOMS[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
