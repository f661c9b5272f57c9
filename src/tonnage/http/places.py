"""
What the processes behind one listening socket know of each other: how many connections each has.

The table is made before they are forked, in memory that they share. Each writes only its own row,
one whole number at a time, so nobody waits for a lock and nobody can leave one locked behind.
"""

import mmap
from collections.abc import Mapping
from typing import Final

__all__ = ["Place", "Places"]

_OPEN: Final = 0
_CONNECTIONS: Final = 1
_SIGNS: Final = 2
_WORDS: Final = 3
_MOST_AHEAD: Final = 3


class Places:
    """
    The table; make it before the processes are forked.

    Args:
        count: How many processes there will be.
    """

    def __init__(self, count: int = 1) -> None:
        self._count = count
        self._words = memoryview(mmap.mmap(-1, 8 * _WORDS * count)).cast("q")

    def place(self, number: int = 0) -> "Place":
        """Return the place of one process, from 0."""
        return Place(self._words, number, self._count)

    def connections(self) -> list[int]:
        """Return how many connections each process has."""
        return self._words[_CONNECTIONS::_WORDS].tolist()


class Place:
    """
    One process's row, and what it sees of the others.

    Args:
        words: The whole table.
        number: Whose place it is.
        count: How many there are.
    """

    __slots__ = ("_mine", "_others", "_seen", "_words")

    def __init__(self, words: memoryview, number: int, count: int) -> None:
        self._words = words
        self._mine = number * _WORDS
        self._others = tuple(i * _WORDS for i in range(count) if i != number)
        self._seen: Mapping[int, int] = {}

    @property
    def is_shared(self) -> bool:
        """Whether there may be others."""
        return bool(self._others)

    @property
    def connections(self) -> int:
        """How many connections the process has."""
        return self._words[self._mine + _CONNECTIONS]

    def open(self) -> None:
        """Take the place, with no connections yet."""
        self.vacate()
        self._words[self._mine + _OPEN] = 1

    def close(self) -> None:
        """Take no more connections: nobody shall wait for that."""
        self._words[self._mine + _OPEN] = 0

    def vacate(self) -> None:
        """Say of a process that has ended that it has no connections any more."""
        self.close()
        self._words[self._mine + _CONNECTIONS] = 0

    def add(self, connections: int) -> None:
        """Count connections that came, or with a minus sign went."""
        self._words[self._mine + _CONNECTIONS] += connections

    def show(self) -> None:
        """Give a sign of life."""
        self._words[self._mine + _SIGNS] += 1

    def favoured(self) -> Mapping[int, int]:
        """
        Return the neighbours whose turn it is to take the next connection, and their signs so far.

        There are some as soon as one has fewer; among many connections a few do not matter.
        """
        words, mine = self._words, self.connections
        open_ones = [other for other in self._others if words[other + _OPEN]]
        least = min((words[other + _CONNECTIONS] for other in open_ones), default=mine)
        if mine <= least + _few(least):
            return {}
        return {
            other: words[other + _SIGNS]
            for other in open_ones
            if words[other + _CONNECTIONS] < mine
        }

    def stand_still(self, favoured: Mapping[int, int]) -> bool:
        """Say whether none of these neighbours has given a sign of life since."""
        return all(self._words[other + _SIGNS] == signs for other, signs in favoured.items())

    def surplus(self) -> int:
        """
        Return how many connections this process should give up, for the neighbours to take.

        It is 0 unless it is ahead by more than taking them in turn allows; neighbours that have
        given no sign of life since the last call do not count.
        """
        words, seen = self._words, self._seen
        signs = {other: words[other + _SIGNS] for other in self._others if words[other + _OPEN]}
        self._seen = signs
        counts = [
            words[other + _CONNECTIONS]
            for other, shown in signs.items()
            if seen.get(other, shown) != shown
        ]
        least, mine = min(counts, default=0), self.connections
        if not counts or mine <= least + _few(least) + 1:
            return 0
        together = mine + sum(counts)
        return mine - -(-together // (len(counts) + 1))


def _few(least: int) -> int:
    """Return how far ahead of who has least one may be: not at all while there are few."""
    return min(_MOST_AHEAD, least // 4)
