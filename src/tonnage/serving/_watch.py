"""
The parent's eye on workers that run and do nothing.

A model may hold the interpreter's lock and never let go of it: then its worker answers nobody, not
even a SIGTERM, and only somebody else can see that. One that takes a dead worker's place may do so
before it serves.
"""

import math
from collections.abc import Iterable
from typing import Final

from ._metrics import Scoreboard

__all__ = ["BEAT_SECONDS", "Watch"]

BEAT_SECONDS: Final = 0.5
"""How often a worker's loop shows that it turns."""
_LEAST_PATIENCE_SECONDS: Final = 5.0
_LOOKS: Final = 5
_SLOWER: Final = 10.0
"""A worker that takes so many times what the first ones took to serve will never."""


class Watch:
    """
    Tells which workers' loops have stood still for too long.

    It counts its own looks and not the seconds: if the whole machine stood still, so did the
    watch.

    Args:
        scoreboard: Where workers show that they turn.
        patience_seconds: How long one may show nothing: what a request may take, for a worker that
            stands still for as long has failed every request it had; 5 s at least.
    """

    def __init__(self, scoreboard: Scoreboard, patience_seconds: float) -> None:
        self._scoreboard = scoreboard
        self._seen: dict[int, tuple[int, int]] = {}
        self._due_seconds = 0.0
        self._looks_to_start = math.inf
        self.look_seconds = max(_LEAST_PATIENCE_SECONDS, patience_seconds) / _LOOKS

    def bound_starts(self, first_seconds: float) -> None:
        """
        From now on a worker may take no more than this to serve: as long as it may stand still.

        Until this is called it may take its time: a large model does, and whoever started the
        instance waits for it.

        Args:
            first_seconds: What the slowest of the first workers took; ten times that are allowed,
                too.
        """
        self._looks_to_start = max(_LOOKS, math.ceil(_SLOWER * first_seconds / self.look_seconds))

    def begin(self, slot: int) -> None:
        """Forget who was in this place: another worker starts there."""
        self._seen.pop(slot, None)

    def look(self, slots: Iterable[int], now_seconds: float) -> list[int]:
        """Return those of ``slots`` that have stood still for too long; none before it is time."""
        if now_seconds < self._due_seconds:
            return []
        self._due_seconds = now_seconds + self.look_seconds
        still = []
        for slot in slots:
            tally = self._scoreboard.tally(slot)
            beats, missed = self._seen.get(slot, (-1, 0))
            missed = missed + 1 if tally.beats == beats else 0
            self._seen[slot] = (tally.beats, missed)
            if missed >= (_LOOKS if tally.is_ready else self._looks_to_start):
                still.append(slot)
        return still
