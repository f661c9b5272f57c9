"""
Load tests: requests by plan, raw samples back, and the generator's own account of itself.

``load`` runs a closed loop of users on Locust and returns a run record. Locust and gevent replace
``socket.socket`` on import, so they live in ``in_locust``, which only a child process imports; the
child says once a second how it goes and leaves every request's times in a file. What that costs:
about a second to start, and 0.1 to 0.5 ms of one core for each request.

The model is closed: a user waits for its answer before it sends again, so an overloaded service is
asked less than was planned. ``judge`` says whether the generator itself was the limit.
"""

from ._closed_loop import load
from .health import GeneratorHealth, Verdict, judge
from .plan import LoadPlan
from .progress import LoadProgress

__all__ = [
    "GeneratorHealth",
    "LoadPlan",
    "LoadProgress",
    "Verdict",
    "judge",
    "load",
]
