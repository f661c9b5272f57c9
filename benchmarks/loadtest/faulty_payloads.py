"""
Payload functions that harm the generator they run in, as a careless user's might.
"""

import gc
import threading
import time
from collections.abc import Callable

_started: list[threading.Thread] = []


def collects_garbage(_random: object) -> dict[str, int]:
    """Start a thread that makes the collector walk two million objects now and then."""
    return _start(_collect)


def burns(_random: object) -> dict[str, int]:
    """Start a thread that computes in pure Python, for ever."""
    return _start(_burn)


def blocks(_random: object) -> dict[str, int]:
    """Start a thread whose calls into C keep the interpreter's lock for long."""
    return _start(_block)


def _start(work: Callable[[], None]) -> dict[str, int]:
    if not _started:
        _started.append(threading.Thread(target=work, daemon=True))
        _started[0].start()
    return {"distance": 150}


def _collect() -> None:
    while True:
        time.sleep(0.3)
        heap: list[list[object]] = [[] for _ in range(2_000_000)]
        gc.collect()
        del heap


def _burn() -> None:
    number = 0
    while True:
        number = (number * 1103515245 + 12345) % 2147483648


def _block() -> None:
    while True:
        time.sleep(0.2)
        sorted(range(4_000_000), key=float)
