"""
The open-loop engine: a plan's arrivals in a session of its own.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from tonnage import __version__
from tonnage.domain import (
    RunRecord,
    format_duration,
    format_fraction,
    format_rate,
    percentile,
    send_spread_seconds,
)

from ._account import machine, number
from ._ticks import GENERATORS_OWN
from ._urls import is_loopback
from .neighbours import LOOK_SECONDS, judge_neighbours
from .open_plan import OpenLoopPlan
from .progress import LoadProgress
from .session import OpenLoopSession, OpenLoopTrial
from .signals import HeldSignals

__all__ = ["run_open_loop"]

_LATE_START_SECONDS: Final = 0.1
_BUSY_MACHINE: Final = 0.97
_SECONDS_FOR_A_MILLION: Final = 0.2
_SLIPS: Final = (0.5, 0.9, 0.99, 0.999)


def run_open_loop(
    plan: OpenLoopPlan, *, on_progress: Callable[[LoadProgress], None] | None = None
) -> RunRecord:
    """
    Run an open-loop load test and return what it saw.

    Latency counts from the moment a request was meant to go. A target that stalls is asked on at
    the planned moments, on more connections, so that its stall is seen by every request it met.

    Args:
        plan: What to send, and when.
        on_progress: Called about once a second. What it raises ends the test.

    Raises:
        ConfigurationError: If what is sent cannot be made.
        TransportError: If nothing listens at the URL.
        TonnageError: If the generator dies on the way.
    """
    with (
        HeldSignals() as signals,
        OpenLoopSession.start(
            plan.url,
            plan.payload,
            timeout_seconds=plan.timeout_seconds,
            processes=plan.processes,
            max_outstanding=plan.max_outstanding,
            seed=plan.seed,
            sagemaker=plan.sagemaker,
            i_own=plan.i_own,
        ) as session,
    ):
        signals.hold()
        trial = session.trial(
            plan.profile,
            arrivals=plan.arrivals,
            seed=plan.seed,
            start_at_monotonic_seconds=_start(plan),
            on_progress=on_progress,
        )
        return _record(plan, trial)


def _start(plan: OpenLoopPlan) -> float | None:
    """Return when to begin: after a moment's look at what else runs, unless a moment is given."""
    if plan.start_at_monotonic_seconds is not None or not is_loopback(plan.target.host):
        return plan.start_at_monotonic_seconds
    return (
        time.monotonic()
        + LOOK_SECONDS
        + _SECONDS_FOR_A_MILLION * plan.mean_per_second * (plan.duration_seconds / 1e6)
    )


def _record(plan: OpenLoopPlan, trial: OpenLoopTrial) -> RunRecord:
    return RunRecord(
        name=plan.name,
        title=plan.title or _title(plan),
        started_at_epoch_seconds=trial.started_at_epoch_seconds,
        duration_seconds=trial.duration_seconds,
        samples=trial.samples,
        settings={"load": plan.shown()},
        generator=_generator(plan, trial),
        machine=machine(),
        notes=tuple(_notes(plan, trial)),
    )


def _title(plan: OpenLoopPlan) -> str:
    rate = plan.profile_text or f"{format_rate(plan.mean_per_second)} on average"
    return f"{plan.arrivals} arrivals, {rate}, on {plan.target.full_url}"


def _generator(plan: OpenLoopPlan, trial: OpenLoopTrial) -> dict[str, Any]:
    samples, health = trial.samples, trial.health
    verdict = trial.verdict
    if is_loopback(plan.target.host):
        verdict = judge_neighbours(verdict, [health.others_busy_fraction], health.stolen_fraction)
    slip = np.maximum(samples.sent_seconds - samples.intended_seconds, 0.0)
    each = trial.cpu_seconds / len(samples) if len(samples) else None
    return {
        "engine": "tonnage",
        "version": __version__,
        "model": "open loop",
        "arrivals": plan.arrivals,
        "seed": plan.seed,
        "processes": plan.processes,
        "scheduling": trial.scheduling,
        "cpu_seconds": trial.cpu_seconds,
        "cpu_seconds_per_request": each,
        "cpu_fraction_mean": health.cpu_fraction_mean,
        "cpu_fraction_max": health.cpu_fraction_max,
        # What it spent here says what it could: below its limit a request costs more, not less,
        # because fewer leave in one turn. So this is a floor.
        "requests_per_second_per_core": 1 / each if each else None,
        "waited_fraction_max": health.waited_fraction_max,
        "collector_pause_max_seconds": health.collector_pause_seconds,
        "send_lateness_seconds": {
            f"p{fraction * 100:g}": number(percentile(slip, fraction)) for fraction in _SLIPS
        },
        "send_lateness_p99_seconds": number(percentile(slip, 0.99)),
        "send_lateness_max_seconds": float(slip.max()) if len(slip) else None,
        "send_spread_seconds": number(send_spread_seconds(samples)),
        "machine_busy_fraction": health.machine_busy_fraction,
        "others_busy_fraction": number(health.others_busy_fraction),
        "stolen_fraction": health.stolen_fraction,
        "connections_opened": health.connections_opened,
        "connections_most": health.connections_most,
        "max_outstanding": health.max_outstanding,
        "unanswered": dict(trial.unanswered),
        "interrupted_by": trial.interrupted_by,
        "verdict": verdict.word,
        "reason": verdict.reason,
        "cause": verdict.cause,
    }


def _notes(plan: OpenLoopPlan, trial: OpenLoopTrial) -> list[str]:
    notes = []
    if trial.interrupted_by is not None:
        notes.append(
            f"interrupted by {trial.interrupted_by} after {format_duration(trial.duration_seconds)}"
            f" of {format_duration(plan.duration_seconds)}"
        )
    if trial.late_seconds > _LATE_START_SECONDS:
        late = format_duration(trial.late_seconds)
        notes.append(f"the load began {late} after the moment it was asked for")
    theirs = {k: n for k, n in trial.unanswered.items() if k not in GENERATORS_OWN}
    if theirs:
        kinds = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in theirs.items())
        notes.append(f"requests without an answer: {kinds}")
    not_sent = trial.health.not_sent.get("not_sent")
    if not_sent:
        notes.append(
            f"{not_sent} requests were not sent, because {trial.health.max_outstanding} were"
            " waiting for their answers already; they are counted as failed"
        )
    if never_sent := trial.health.not_sent.get("too_late"):
        notes.append(
            f"{never_sent} requests were never sent: the generator had fallen too far behind"
        )
    if trial.health.machine_busy_fraction > _BUSY_MACHINE and is_loopback(plan.target.host):
        notes.append(
            f"{format_fraction(trial.health.machine_busy_fraction)} of all cores were busy: the"
            " target may have waited for one"
        )
    redirected = int(((trial.samples.status >= 300) & (trial.samples.status < 400)).sum())  # noqa: PLR2004 (HTTP's class)
    if redirected:
        notes.append(f"{redirected} answers were redirects, which are not followed")
    return notes
