"""
A timer finer than a millisecond.
"""

import asyncio
import ctypes
import os
import time
from collections.abc import Callable
from typing import Final

__all__ = ["Timer"]

_CLOCK_MONOTONIC: Final = 1
_ABSOLUTE: Final = 1
_FLAGS: Final = os.O_NONBLOCK | os.O_CLOEXEC
_NANO: Final = 1_000_000_000


class _Timerspec(ctypes.Structure):
    _fields_ = (
        ("interval_seconds", ctypes.c_long),
        ("interval_nanoseconds", ctypes.c_long),
        ("seconds", ctypes.c_long),
        ("nanoseconds", ctypes.c_long),
    )


class Timer:
    """
    Calls back at a ``time.monotonic`` moment, to some 50 µs, on any event loop.

    The standard library knows ``timerfd`` from Python 3.13 on, so libc is asked; where it has
    none, the loop's own timer serves, to its millisecond.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
        self._loop = loop
        self._callback = callback
        self._spec = _Timerspec()
        self._reference = ctypes.byref(self._spec)
        libc = ctypes.CDLL(None, use_errno=True)
        self._set = getattr(libc, "timerfd_settime", None)
        self._descriptor = libc.timerfd_create(_CLOCK_MONOTONIC, _FLAGS) if self._set else -1
        self._handle: asyncio.TimerHandle | None = None
        if self._descriptor >= 0:
            loop.add_reader(self._descriptor, self._fire)

    def at(self, moment_seconds: float) -> None:
        """Fire at this moment instead of any set before; a moment that has passed is now."""
        if self._descriptor < 0:
            self.stop()
            delay = max(0.0, moment_seconds - time.monotonic())
            self._handle = self._loop.call_later(delay, self._callback)
            return
        nanoseconds = max(1, int(moment_seconds * _NANO))
        self._spec.seconds, self._spec.nanoseconds = divmod(nanoseconds, _NANO)
        assert self._set is not None
        self._set(self._descriptor, _ABSOLUTE, self._reference, None)

    def stop(self) -> None:
        """Do not fire."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if self._descriptor >= 0:
            self._spec.seconds = self._spec.nanoseconds = 0
            assert self._set is not None
            self._set(self._descriptor, 0, self._reference, None)

    def close(self) -> None:
        """Fire never again."""
        self.stop()
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1
            self._set = None

    def _fire(self) -> None:
        try:
            os.read(self._descriptor, 8)
        except BlockingIOError:
            return  # set anew between the wake and this call
        self._callback()
