"""
Load tests: requests by plan, raw samples back, and the generator's own account of itself.

``load`` takes either plan and returns a run record. A ``LoadPlan`` is a closed loop of users on
Locust: a user waits for its answer before it sends again, so an overloaded service is asked less
than was planned. Locust and gevent replace ``socket.socket`` on import, so they live in
``in_locust``, which only a child process imports. It costs about a second to start, and 0.1 to
0.5 ms of one core for each request.

An ``OpenLoopPlan`` sends at moments that were fixed before the first request and wait for nobody.
Its engine is Tonnage's own, in ``open_loop``, and also runs in child processes: the caller's own
work must not make a send late. ``OpenLoopSession`` keeps them warm for many short trials.

``judge`` and ``judge_open_loop`` say whether the generator itself was the limit.
"""

from ._load import load
from ._workers import join_load
from .calibration import (
    ConstantTarget,
    GeneratorCapacity,
    constant_target,
    measure_generator,
)
from .health import GeneratorHealth, Verdict, judge
from .judgement import judge_open_loop
from .open_plan import OpenLoopPlan, SageMakerEndpoint, Target
from .payload import Payload
from .plan import LoadPlan
from .progress import LoadProgress
from .schedule import arrival_moments
from .session import OpenLoopSession, OpenLoopTrial

__all__ = [
    "ConstantTarget",
    "GeneratorCapacity",
    "GeneratorHealth",
    "LoadPlan",
    "LoadProgress",
    "OpenLoopPlan",
    "OpenLoopSession",
    "OpenLoopTrial",
    "Payload",
    "SageMakerEndpoint",
    "Target",
    "Verdict",
    "arrival_moments",
    "constant_target",
    "join_load",
    "judge",
    "judge_open_loop",
    "load",
    "measure_generator",
]
