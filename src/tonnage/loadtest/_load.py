"""
One verb, two engines.
"""

from collections.abc import Callable

from tonnage.domain import RunRecord

from ._closed_loop import run_closed_loop
from ._open_loop import run_open_loop
from .open_plan import OpenLoopPlan
from .plan import LoadPlan
from .progress import LoadProgress

__all__ = ["load"]


def load(
    plan: LoadPlan | OpenLoopPlan, *, on_progress: Callable[[LoadProgress], None] | None = None
) -> RunRecord:
    """
    Run a load test, closed or open loop, and return what it saw.

    On SIGINT or SIGTERM (in the main thread) it stops early, and the record holds what there is,
    with a note; a second signal does not wait for requests under way.

    Args:
        plan: What to send, how much and for how long; its type chooses the engine.
        on_progress: Called about once a second. What it raises ends the test.

    Raises:
        ConfigurationError: If the engine is not installed, or what is sent cannot be made.
        TransportError: If nothing listens at the URL.
        TonnageError: If the generator dies on the way.
    """
    if isinstance(plan, OpenLoopPlan):
        return run_open_loop(plan, on_progress=on_progress)
    return run_closed_loop(plan, on_progress=on_progress)
