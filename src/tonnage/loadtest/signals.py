"""
Ctrl-C while what was measured is put together and put down: it must not be lost by then.
"""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Final, Self

__all__ = ["HeldSignals"]

_KINDS: Final = (signal.SIGINT, signal.SIGTERM)


class HeldSignals:
    """
    Keeps SIGINT and SIGTERM from ending what follows ``hold``, until the context is left.

    An engine that runs a test answers signals itself; this is for the moments around it. It works
    in the main thread, which is the one that signals interrupt.

    Attributes:
        name: The first signal that came, None before one did.
    """

    def __init__(self) -> None:
        self.name: str | None = None
        self._before: dict[signal.Signals, Any] = {}

    def hold(self) -> Self:
        """Hold signals from now on."""
        if threading.current_thread() is threading.main_thread():
            self._before = {kind: signal.signal(kind, self._note) for kind in _KINDS}
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def note(self, name: str) -> None:
        """Take note of a signal that someone else answered."""
        self.name = self.name or name

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.note(signal.Signals(number).name)
