"""
A cap on what an instance carries: one virtual first-come-first-served server.

Its service time is constant, 1 ÷ rate, and it is kept as the time at which it is free again, never
as a sleep per request: what is let in is answered at its virtual finish, what would wait too long
is refused at once. An unbounded queue would never refuse closed-loop users; it would only get
slower.
"""

from dataclasses import dataclass

__all__ = ["InstanceCapacity", "VirtualServer"]


@dataclass(frozen=True, kw_only=True, slots=True)
class InstanceCapacity:
    """
    What one emulated instance carries.

    Attributes:
        rate_per_second: Valid predictions it answers per second, > 0.
        queue_seconds: The longest a request may wait before its service starts, >= 0.
    """

    rate_per_second: float
    queue_seconds: float


@dataclass(slots=True)
class VirtualServer:
    """
    The server and its queue.

    Attributes:
        capacity: Its rate and the bound of its queue.
        free_at_seconds: When it will have served all it let in.
    """

    capacity: InstanceCapacity
    free_at_seconds: float = 0.0

    def admit(self, now_seconds: float) -> float | None:
        """
        Let one request in and return when it is to be answered; None refuses it.

        A refused request consumes nothing.
        """
        start = max(now_seconds, self.free_at_seconds)
        if start - now_seconds > self.capacity.queue_seconds:
            return None
        self.free_at_seconds = start + 1.0 / self.capacity.rate_per_second
        return self.free_at_seconds
