"""
The generator testifies against itself: was it, and not the service, that was slow?
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, Literal

from tonnage.domain import Samples, format_duration, format_fraction, percentile

__all__ = ["GeneratorHealth", "Verdict", "judge"]

BUSY_CPU_FRACTION: Final = 0.9
"""Above this a single-threaded generator has no time left to be punctual."""

BUSY_SECONDS: Final = 3
"""So many busy seconds in a row are no longer a hiccup."""

LATENESS_LIMIT_SECONDS: Final = 0.1
"""Sends this late at p99 show in every percentile of the latency."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GeneratorHealth:
    """
    What the generator spent.

    Attributes:
        cpu_fractions: CPU seconds per second of the generator's process, one for each second of
            the run; 1 is a whole core, and all that a single-threaded process can have. With
            several processes, the busiest one's.
        waited_fractions: Of each second, the share in which it was ready to run and had no core.
            Open loop only, and empty where the kernel does not say.
        collector_pause_seconds: The longest stop for garbage collection. Open loop only.
        not_sent: Requests that the generator itself could not send, by reason: ``not_sent`` (too
            many were outstanding), ``no_descriptor``, ``no_port``, ``too_late`` (it had fallen so
            far behind that it gave up; these are not among the samples). Open loop only.
        max_outstanding: How many requests it could have had outstanding; 0 closed loop.
        is_short_of_descriptors: Whether the descriptor limit made that fewer than were wanted.
        connections_most: The most connections it had at once. Open loop only.
        connections_opened: How many it opened. Open loop only.
        machine_busy_fraction: Of all cores of the machine together, the generator's own included.
            Open loop only.
        generator_busy_fraction: Of all cores of the machine, the generator's own share.
            Open loop only.
        others_busy_fraction: Of all cores, while this run had sent nothing yet and only waited
            for its start: what other programs took. NaN where there was no time to look.
        stolen_fraction: Of all cores' time, what another guest of the same host took. Open loop
            only.
    """

    cpu_fractions: Sequence[float] = ()
    waited_fractions: Sequence[float] = ()
    collector_pause_seconds: float = 0.0
    not_sent: Mapping[str, int] = field(default_factory=dict)
    max_outstanding: int = 0
    is_short_of_descriptors: bool = False
    connections_most: int = 0
    connections_opened: int = 0
    machine_busy_fraction: float = 0.0
    generator_busy_fraction: float = 0.0
    others_busy_fraction: float = math.nan
    stolen_fraction: float = 0.0

    @property
    def cpu_fraction_mean(self) -> float:
        """The mean over the run, 0 when nothing was measured."""
        return sum(self.cpu_fractions) / len(self.cpu_fractions) if self.cpu_fractions else 0.0

    @property
    def cpu_fraction_max(self) -> float:
        """The busiest second's, 0 when nothing was measured."""
        return max(self.cpu_fractions, default=0.0)

    @property
    def waited_fraction_max(self) -> float:
        """The worst second's, 0 when nothing was measured."""
        return max(self.waited_fractions, default=0.0)

    @property
    def busy_seconds(self) -> int:
        """The longest stretch of seconds in which the generator had no CPU to spare."""
        stretches = groupby(self.cpu_fractions, key=lambda cpu: cpu > BUSY_CPU_FRACTION)
        return max((len(list(stretch)) for busy, stretch in stretches if busy), default=0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """
    Whether to believe a measurement.

    Attributes:
        word: ``VALID``, ``DOUBTFUL`` (its numbers may be the generator's own) or ``INVALID`` (it
            measured nothing).
        reason: Why, in words.
        cause: What of the generator was the limit, in one word: ``cpu`` (it had no more to give),
            ``waited`` (others had its core), ``collector``, ``late`` (for no reason known),
            ``descriptors``, ``ports``, ``outstanding``, or ``nothing`` (was sent); empty if VALID.
    """

    word: Literal["VALID", "DOUBTFUL", "INVALID"]
    reason: str
    cause: str = ""


def judge(samples: Samples, health: GeneratorHealth) -> Verdict:
    """Say whether the generator kept up, from what it sent and what that cost it."""
    if len(samples) == 0:
        return Verdict(word="INVALID", reason="no request was made", cause="nothing")
    if health.busy_seconds >= BUSY_SECONDS:
        return Verdict(
            word="DOUBTFUL",
            reason=(
                f"the generator used more than {format_fraction(BUSY_CPU_FRACTION)} of its core "
                f"for {health.busy_seconds} s in a row"
            ),
            cause="cpu",
        )
    lateness = send_lateness_p99_seconds(samples)
    if lateness > LATENESS_LIMIT_SECONDS:
        return Verdict(
            word="DOUBTFUL",
            reason=(
                f"1 % of the requests were sent {format_duration(lateness)} late or later; "
                f"{format_duration(LATENESS_LIMIT_SECONDS)} is allowed"
            ),
            cause="late",
        )
    return Verdict(
        word="VALID",
        reason=(
            f"sends were at most {format_duration(lateness)} late at p99, with "
            f"{format_fraction(health.cpu_fraction_max)} of a core at the busiest"
        ),
    )


def send_lateness_p99_seconds(samples: Samples) -> float:
    """Return the 99th percentile of actual minus intended send; NaN without samples."""
    return percentile(samples.sent_seconds - samples.intended_seconds, 0.99)
