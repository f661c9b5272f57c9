"""
The raw samples of one test, kept compactly and written to a file once a second.
"""

from array import array
from collections import deque
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import NO_ANSWER, Samples, percentile

__all__ = ["Recording"]

_COLUMNS: Final = 4
_SECONDS_FOR_P99: Final = 3


class Recording:
    """
    Rows of (intended, sent, done, status) as float64, times in seconds since the test began.

    They leave memory with each ``flush``, so that a generator that is killed has kept all but the
    last second.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._fresh = array("d")
        self._recent: deque[NDArray[np.float64]] = deque(maxlen=_SECONDS_FOR_P99)
        # Held open: a generator that has run out of descriptors must still keep what it saw.
        self._stream = file.open("wb", buffering=0)

    def __del__(self) -> None:
        self._stream.close()

    def add(self, intended: float, sent: float, done: float, status: int) -> None:
        """Note one request, answered or given up."""
        self._fresh.extend((intended, sent, done, status))

    def add_rows(self, rows: NDArray[np.float64]) -> None:
        """Note several requests, ``(n, 4) float64``, as another process recorded them."""
        self._fresh.frombytes(np.ascontiguousarray(rows).tobytes())

    def flush(self) -> tuple[int, int, float]:
        """Write what is new; return its requests and failures, and the recent p99 latency."""
        rows = np.array(self._fresh, dtype=np.float64).reshape(-1, _COLUMNS)
        self._fresh = array("d")
        self._stream.write(rows.tobytes())
        self._recent.append(rows)
        recent = _samples(np.concatenate(self._recent))
        answered = recent.latency_seconds[recent.status != NO_ANSWER]
        return len(rows), int(_samples(rows).failed.sum()), percentile(answered, 0.99)


def _samples(rows: NDArray[np.float64]) -> Samples:
    return Samples(
        intended_seconds=rows[:, 0],
        sent_seconds=rows[:, 1],
        done_seconds=rows[:, 2],
        status=rows[:, 3].astype(np.uint16),
    )
