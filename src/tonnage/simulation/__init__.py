"""
A fleet over a traffic trace in virtual time, for one scaling policy or hundreds at once.

Traffic is open loop: what is offered does not depend on what is answered, so the fleet can be
followed first and its queues looked at afterwards. ``simulate`` walks each fleet from one metric
period to the next by ``tonnage.scaling.decide_target``, the law that the emulator calls, showing it
many future periods at once as if nothing happened in them; the first that acts ends the look ahead.
Then each stretch of constant instance count is served by the formulas of ``queueing``.

A fleet has one target tracking policy, or several with steps and schedules among them; n fleets
have the same kinds of policies, with numbers of their own.

Senders that retry: ``simulate_retries`` adds to the traffic what it refused, until both agree.

What it is not: a simulation of single requests. Arrivals are expected values, so a metric has no
noise of its own, and a queue is in its steady state within each tick unless it is slower than one.

The price: 30 days of one-second traffic take one policy about a second, and 500 of them on one
core less than half a minute, in a few hundred MiB.
"""

from tonnage.scaling import (
    ScalableTarget,
    ScheduledAction,
    StepScaling,
    SuspendedState,
    TargetTracking,
    TargetTrackingPolicy,
)

from ._simulate import simulate
from ._ticks import tick_edges
from .activities import Activities
from .fleet_model import FleetModel
from .provisioning import (
    EmpiricalDelay,
    LognormalDelay,
    ProvisioningDelay,
    UniformDelay,
)
from .queueing import InstanceQueue
from .results import Simulation, Timeline
from .retrying import RetriedSimulation, simulate_retries
from .writing import timeline_csv, to_json

__all__ = [
    "Activities",
    "EmpiricalDelay",
    "FleetModel",
    "InstanceQueue",
    "LognormalDelay",
    "ProvisioningDelay",
    "RetriedSimulation",
    "ScalableTarget",
    "ScheduledAction",
    "Simulation",
    "StepScaling",
    "SuspendedState",
    "TargetTracking",
    "TargetTrackingPolicy",
    "Timeline",
    "UniformDelay",
    "simulate",
    "simulate_retries",
    "tick_edges",
    "timeline_csv",
    "to_json",
]
