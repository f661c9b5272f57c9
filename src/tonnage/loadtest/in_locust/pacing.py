"""
When a user sends: the ticks of its pace.
"""

import math
from dataclasses import dataclass

__all__ = ["Pacer"]


@dataclass(kw_only=True, slots=True)
class Pacer:
    """
    One user's pace, a tick every ``pacing_seconds``.

    Attributes:
        pacing_seconds: Time between ticks; 0 is as fast as answers come.
        keeps_phase: What a user does that comes too late for its tick. It sends at once either way
            and never catches up; a user that keeps its phase takes the next tick as if nothing had
            been, one that does not starts its pace anew from there, as Locust's
            ``constant_pacing`` does. Without it, a stall of the service answers all users at one
            moment and leaves them in step for good.
        tick_seconds: The last tick that was taken.
    """

    pacing_seconds: float
    keeps_phase: bool
    tick_seconds: float

    def next_send_seconds(self, now_seconds: float) -> float:
        """Take the next tick and return when to send: at the tick, or now when it has passed."""
        due = self.tick_seconds + self.pacing_seconds
        if due >= now_seconds:
            self.tick_seconds = due
            return due
        if self.keeps_phase and self.pacing_seconds > 0:
            passed = math.floor((now_seconds - self.tick_seconds) / self.pacing_seconds)
            self.tick_seconds += passed * self.pacing_seconds
        else:
            self.tick_seconds = now_seconds
        return now_seconds
