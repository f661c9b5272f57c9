"""
The closed-loop engine: a plan's users in Locust, in a child process.
"""

import importlib.util
import signal
import socket
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from tonnage.domain import ConfigurationError, RunRecord, TonnageError, TransportError

from ._account import Account, make_record
from ._child import Ending, run_child
from .plan import LoadPlan
from .progress import LoadProgress
from .signals import HeldSignals

__all__ = ["run_closed_loop"]

_LONGEST_PROBE_SECONDS: Final = 5.0


def run_closed_loop(
    plan: LoadPlan, *, on_progress: Callable[[LoadProgress], None] | None = None
) -> RunRecord:
    """
    Run a closed-loop load test and return what it saw.

    Latency counts from the intended send: the tick of the user's pace. A user still waiting for
    its answer when the tick comes cannot send; it sends as soon as it is free, and that moment is
    the intended one then. So under overload a closed loop asks less, and looks better, than
    arrivals that do not wait.

    On SIGINT or SIGTERM (in the main thread) it stops early, and the record holds what there is,
    with a note.

    Args:
        plan: What to send, how much and for how long.
        on_progress: Called about once a second. What it raises ends the test.

    Raises:
        ConfigurationError: If Locust is not installed, or the locustfile does not run.
        TransportError: If nothing listens at the URL.
        TonnageError: If the generator dies on the way.
    """
    _require_locust()
    _require_reachable(plan)
    account = Account()

    def hear(report: Mapping[str, Any]) -> None:
        progress = account.take(report)
        if progress is not None and on_progress is not None:
            on_progress(progress)

    with (
        HeldSignals().hold(),
        tempfile.TemporaryDirectory(prefix="tonnage-load-") as directory,
    ):
        ending = run_child(plan, Path(directory), hear)
        if ending.interrupted_by is None and account.ended is None:
            raise _fault(plan, account, ending)
        return make_record(plan, account, ending)


def _require_locust() -> None:
    # find_spec looks without importing: Locust replaces socket.socket on import.
    if importlib.util.find_spec("locust") is None:
        raise ConfigurationError("Locust is not installed", hint="pip install 'tonnage[load]'")


def _require_reachable(plan: LoadPlan) -> None:
    timeout = min(plan.timeout_seconds, _LONGEST_PROBE_SECONDS)
    try:
        socket.create_connection((plan.host, plan.port), timeout=timeout).close()
    except OSError as error:
        raise TransportError(
            f"{plan.url} cannot be reached: {error.strerror or error}",
            hint="start the service first, or name another URL",
        ) from error


def _fault(plan: LoadPlan, account: Account, ending: Ending) -> TonnageError:
    words = " | ".join(ending.words[-3:]) or "it said nothing"
    if not account.ready and plan.locustfile is not None and ending.exit_code >= 0:
        last = ending.words[-1] if ending.words else "it said nothing"
        return ConfigurationError(f"{plan.locustfile} does not run in Locust: {last}")
    how = (
        f"killed by {signal.Signals(-ending.exit_code).name}"
        if ending.exit_code < 0
        else f"exit code {ending.exit_code}"
    )
    return TonnageError(f"the load generator ended too soon ({how}): {words}")
