"""
Worker processes of a distributed closed loop: started beside the master, or joining one elsewhere.
"""

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Final

from tonnage.domain import TonnageError, TransportError

from ._command import worker_command
from ._orders import ORDERS_VARIABLE, Orders
from .plan import LoadPlan

__all__ = ["LOCUST_PORT", "join_load", "workers_of"]

LOCUST_PORT: Final = 5557
"""Where a Locust master listens unless told otherwise."""

_LAST_WORDS: Final = 3


@contextmanager
def workers_of(plan: LoadPlan, directory: Path, *, host: str, port: int) -> Iterator[None]:
    """Run a plan's workers on this machine for as long as the master does."""
    children: list[subprocess.Popen[bytes]] = []
    try:
        for index in range(plan.workers):
            place = directory / f"worker-{index}"
            place.mkdir()
            children.append(_start(plan, place, host=host, port=port))
        yield
    finally:
        # The master has ended: it has what they had to tell, and Locust's own farewell takes 5 s.
        for child in children:
            child.kill()
            child.wait()


def join_load(plan: LoadPlan, host: str, port: int | None = None) -> None:
    """
    Work for a master on another host until it ends the test.

    What is sent, at which pace, is this plan's, so give the same flags as the master's; users,
    spawn rate and duration are the master's. The samples go to it. SIGINT and SIGTERM (in the main
    thread) end the workers.

    Args:
        plan: With ``workers`` processes, at least one.
        host: The master's host.
        port: The master's port; None is Locust's own, 5557.

    Raises:
        TransportError: If there is no master.
        TonnageError: If a worker dies.
    """
    plan = replace(plan, workers=max(1, plan.workers))
    port = LOCUST_PORT if port is None else port
    with tempfile.TemporaryDirectory(prefix="tonnage-load-") as directory:
        children = []
        for index in range(plan.workers):
            place = Path(directory) / f"worker-{index}"
            place.mkdir()
            children.append(_start(plan, place, host=host, port=port))
        with _ended_by_signals(children):
            codes = [child.wait() for child in children]
        if any(codes) and not any(code < 0 for code in codes):
            words = (Path(directory) / "worker-0" / "stderr.txt").read_text(errors="replace")
            last = " | ".join(words.strip().splitlines()[-_LAST_WORDS:])
            if "connect" in last.lower():
                raise TransportError(f"no master could be joined at {host}:{port}: {last}")
            raise TonnageError(f"a worker ended with exit code {max(codes)}: {last}")


def _start(plan: LoadPlan, place: Path, *, host: str, port: int) -> subprocess.Popen[bytes]:
    orders = place / "orders.json"
    # The moment of the start is the master's to keep; its clock may be another host's.
    Orders.of(replace(plan, start_at_monotonic_seconds=None), report_to=-1, samples_in=place).write(
        orders
    )
    with (place / "stderr.txt").open("wb") as stderr:
        return subprocess.Popen(
            worker_command(plan, host=host, port=port),
            stdin=subprocess.DEVNULL,
            stdout=stderr,
            stderr=stderr,
            env={**os.environ, ORDERS_VARIABLE: str(orders)},
            process_group=0,  # Ctrl-C on the terminal reaches the parent alone, which decides
        )


@contextmanager
def _ended_by_signals(children: list[subprocess.Popen[bytes]]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(_number: int, _frame: FrameType | None) -> None:
        for child in children:
            child.terminate()

    kinds = (signal.SIGINT, signal.SIGTERM)
    before = {kind: signal.signal(kind, end) for kind in kinds}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
