"""
Whether to believe an open-loop measurement, by the generator's own account.

The sends' moments were fixed beforehand, so lateness is no matter of opinion: what the generator
was late for is in the latency from the intended send and not in the one from the actual send. Where
the two agree, its lateness changed nothing, whatever it was; where they differ, the difference is
the generator's and must not be put to the service.
"""

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import Samples, format_duration, format_fraction, percentile

from .health import BUSY_CPU_FRACTION, BUSY_SECONDS, GeneratorHealth, Verdict

__all__ = ["judge_open_loop"]

COMPARED: Final = (0.5, 0.9, 0.99)
"""The percentiles at which latencies from intended and from actual sends are held together."""

DOUBTFUL_SHARE: Final = 0.1
DOUBTFUL_SECONDS: Final = 0.002
"""A percentile's part that is the generator's own; both must be exceeded."""

INVALID_SHARE: Final = 0.5
INVALID_SECONDS: Final = 0.02

LONGEST_STALL_SECONDS: Final = 0.1
"""After a longer stop the sends that were due leave in one burst, which nobody planned."""

LONGEST_PAUSE_SECONDS: Final = 0.05
MOST_WAITED_FRACTION: Final = 0.25
MOST_NOT_SENT_FRACTION: Final = 0.001

BUSY_SHARE: Final = 0.2
"""So much of a short trial without CPU to spare is too much."""

LEAST_WAIT_SECONDS: Final = 0.25
"""By Little's law the outstanding requests have waited for their number ÷ the rate."""


def judge_open_loop(samples: Samples, health: GeneratorHealth) -> Verdict:
    """Say whether the generator kept to its schedule, from what it sent and what that cost it."""
    if len(samples) == 0:
        return Verdict(word="INVALID", reason="no request was made", cause="nothing")
    return (
        _judge_not_sent(samples, health)
        or _judge_lateness(samples, health)
        or _judge_spending(health)
        or Verdict(word="VALID", reason=_praise(samples, health))
    )


def _judge_not_sent(samples: Samples, health: GeneratorHealth) -> Verdict | None:
    count = sum(n for kind, n in health.not_sent.items() if kind != "too_late")
    if count == 0:
        return None
    share = f"{count} of {len(samples)} requests could not be sent"
    word: Literal["INVALID", "DOUBTFUL"] = "DOUBTFUL"
    if count > MOST_NOT_SENT_FRACTION * len(samples):
        word = "INVALID"
    if health.not_sent.get("no_port"):
        return Verdict(
            word=word, cause="ports", reason=f"{share}: no local port was free for a connection"
        )
    if health.not_sent.get("no_descriptor") or health.is_short_of_descriptors:
        return Verdict(
            word=word,
            cause="descriptors",
            reason=f"{share}: the descriptor limit leaves room for {health.max_outstanding} "
            "connections",
        )
    lasted = float(np.ptp(samples.intended_seconds))
    if health.max_outstanding * lasted >= LEAST_WAIT_SECONDS * len(samples):
        return (
            None  # so many wait only for a target that lets them: those not sent are its failures
        )
    return Verdict(
        word="DOUBTFUL",
        cause="outstanding",
        reason=f"{share}: {health.max_outstanding} were waiting for their answers, the most that "
        "this generator keeps; the target was offered less than was planned",
    )


def _judge_lateness(samples: Samples, health: GeneratorHealth) -> Verdict | None:
    answered = samples.status > 0
    latency, service = samples.latency_seconds[answered], samples.service_seconds[answered]
    for fraction in COMPARED if len(latency) else ():
        whole = percentile(latency, fraction)
        own = whole - percentile(service, fraction)
        if own > max(DOUBTFUL_SECONDS, DOUBTFUL_SHARE * whole):
            invalid = "too_late" in health.not_sent or own > max(
                INVALID_SECONDS, INVALID_SHARE * whole
            )
            return Verdict(
                word="INVALID" if invalid else "DOUBTFUL",
                cause=_cause(samples, health),
                reason=f"{format_duration(own)} of the p{fraction * 100:g} latency of "
                f"{format_duration(whole)} are the generator's own: it sent late"
                f"{_because(samples, health)}",
            )
    stall = float(_slip_seconds(samples).max())
    if stall > LONGEST_STALL_SECONDS:
        return Verdict(
            word="DOUBTFUL",
            cause=_cause(samples, health),
            reason=f"the generator stood still for {format_duration(stall)} and then sent what was "
            f"due in a burst{_because(samples, health)}",
        )
    return None


def _judge_spending(health: GeneratorHealth) -> Verdict | None:
    if health.collector_pause_seconds > LONGEST_PAUSE_SECONDS:
        return Verdict(
            word="DOUBTFUL",
            cause="collector",
            reason="garbage collection stopped the generator for "
            f"{format_duration(health.collector_pause_seconds)}",
        )
    if health.waited_fraction_max > MOST_WAITED_FRACTION:
        return Verdict(
            word="DOUBTFUL",
            cause="waited",
            reason=f"the generator had no core for {format_fraction(health.waited_fraction_max)} "
            "of a second: something else was running on it",
        )
    busy = sum(fraction > BUSY_CPU_FRACTION for fraction in health.cpu_fractions)
    if busy >= BUSY_SECONDS or (busy and busy >= BUSY_SHARE * len(health.cpu_fractions)):
        return Verdict(
            word="DOUBTFUL",
            cause="cpu",
            reason=f"the generator used {format_fraction(health.cpu_fraction_mean)} of its core, "
            f"{format_fraction(health.cpu_fraction_max)} at the busiest",
        )
    return None


def _cause(samples: Samples, health: GeneratorHealth) -> str:
    if health.waited_fraction_max > MOST_WAITED_FRACTION * 2:
        return "waited"  # then every other figure is stretched by the wait
    if health.collector_pause_seconds > float(_slip_seconds(samples).max()) / 2:
        return "collector"
    if health.cpu_fraction_max > BUSY_CPU_FRACTION:
        return "cpu"
    if health.waited_fraction_max > MOST_WAITED_FRACTION / 2:
        return "waited"
    return "late"


def _because(samples: Samples, health: GeneratorHealth) -> str:
    return {
        "collector": f", held up by garbage collection of {_pause(health)}",
        "cpu": f", with {format_fraction(health.cpu_fraction_max)} of its core in use",
        "waited": f", and had no core for {format_fraction(health.waited_fraction_max)} of a "
        "second",
        "late": "",
    }[_cause(samples, health)]


def _pause(health: GeneratorHealth) -> str:
    return format_duration(health.collector_pause_seconds)


def _praise(samples: Samples, health: GeneratorHealth) -> str:
    slip = _slip_seconds(samples)
    return (
        f"sends were at most {format_duration(percentile(slip, 0.99))} late at p99 and "
        f"{format_duration(float(np.max(slip)))} at worst, with "
        f"{format_fraction(health.cpu_fraction_max)} of a core at the busiest"
    )


def _slip_seconds(samples: Samples) -> NDArray[np.float64]:
    return np.maximum(samples.sent_seconds - samples.intended_seconds, 0.0)
