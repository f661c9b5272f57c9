"""
A place before the rest of the machine, where the generator may take it.
"""

import os
from contextlib import suppress
from typing import Final

__all__ = ["take_precedence"]

_REAL_TIME_PRIORITY: Final = 1
_NICENESS: Final = -10


def take_precedence(*, processes: int) -> str:
    """
    Let this process run as soon as it is due, and return how, in words.

    A process that wants a fifth of a core and wants it now loses milliseconds to one that wants
    all of it, and every one of them would be read as the service's. Real-time scheduling ends
    that. It is taken only where a core is left for the target, and only root may take it; without
    it a busy machine shows in the verdict.

    Args:
        processes: How many generator processes there are.
    """
    if len(os.sched_getaffinity(0)) > processes:
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_REAL_TIME_PRIORITY))
            return "real time"
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
        return f"niceness {_NICENESS}"
    return "ordinary"
