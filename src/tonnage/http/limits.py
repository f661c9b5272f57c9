"""
What a server tolerates from its clients.
"""

from dataclasses import dataclass
from typing import Final

__all__ = ["DEFAULT_LIMITS", "Limits"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """
    Bounds in bytes, seconds and counts; beyond them a client is refused or cut off.

    Attributes:
        max_body_bytes: A larger request body is answered 413. The default is SageMaker's own.
        max_header_bytes: More of request target and headers is answered 431.
        header_timeout_seconds: From a request's first byte to the end of its headers; then 408.
        body_timeout_seconds: From there to the end of its body; then 408.
        idle_timeout_seconds: How long a connection may wait for a request; then it is closed.
        write_timeout_seconds: How long a client may leave its answers unread; then it is cut off.
        max_pipelined: With this many unanswered requests a connection is not read further.
        max_connections: Beyond it a new connection is answered 503 and closed.
    """

    max_body_bytes: int = 6 * 1024 * 1024
    max_header_bytes: int = 16 * 1024
    header_timeout_seconds: float = 10.0
    body_timeout_seconds: float = 30.0
    idle_timeout_seconds: float = 75.0
    write_timeout_seconds: float = 30.0
    max_pipelined: int = 32
    max_connections: int = 20_000

    @property
    def sweep_seconds(self) -> float:
        """How often deadlines are looked at: a quarter of the shortest, at most each second."""
        shortest = min(
            self.header_timeout_seconds,
            self.body_timeout_seconds,
            self.idle_timeout_seconds,
            self.write_timeout_seconds,
        )
        return min(1.0, max(0.01, shortest / 4))


DEFAULT_LIMITS: Final = Limits()
