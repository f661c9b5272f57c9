"""
What a load test keeps: when each request was meant to go, went, and was answered, and how.

Raw samples are the record; every number that is printed can be derived from them again.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["NO_ANSWER", "Samples"]

NO_ANSWER = 0
"""The status of a request that got no answer: refused, reset, timed out."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Samples:
    """
    One load test's requests, in the order they were sent.

    Attributes:
        intended_seconds: ``(n,) float64``, when each should have been sent, since the run began.
        sent_seconds: ``(n,) float64``, when it was.
        done_seconds: ``(n,) float64``, when its last byte arrived, or it was given up.
        status: ``(n,) uint16``, the HTTP status; ``NO_ANSWER`` (0) when there was none.
    """

    intended_seconds: NDArray[np.float64]
    sent_seconds: NDArray[np.float64]
    done_seconds: NDArray[np.float64]
    status: NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.status)

    @classmethod
    def empty(cls) -> Self:
        """Return no samples at all."""
        none = np.empty(0)
        return cls(
            intended_seconds=none,
            sent_seconds=none,
            done_seconds=none,
            status=np.empty(0, dtype=np.uint16),
        )

    @property
    def latency_seconds(self) -> NDArray[np.float64]:
        """From the intended send to the last byte: a stalled generator or server cannot hide."""
        return self.done_seconds - self.intended_seconds

    @property
    def service_seconds(self) -> NDArray[np.float64]:
        """From the actual send to the last byte."""
        return self.done_seconds - self.sent_seconds

    @property
    def failed(self) -> NDArray[np.bool_]:
        """Which requests were not answered with a 2xx status, ``(n,) bool``."""
        return (self.status < 200) | (self.status > 299)  # noqa: PLR2004 (HTTP's classes)

    def between(self, start_seconds: float, end_seconds: float) -> Self:
        """Return the requests whose intended send lies in ``[start, end)``."""
        chosen = (self.intended_seconds >= start_seconds) & (self.intended_seconds < end_seconds)
        return self._where(chosen)

    def sorted_by_send(self) -> Self:
        """Return the same requests in the order they were sent."""
        return self._where(np.argsort(self.sent_seconds, kind="stable"))

    def _where(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        return type(self)(
            intended_seconds=self.intended_seconds[chosen],
            sent_seconds=self.sent_seconds[chosen],
            done_seconds=self.done_seconds[chosen],
            status=self.status[chosen],
        )
