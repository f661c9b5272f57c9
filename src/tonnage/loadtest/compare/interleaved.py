"""
Base and head in one run, a fraction of a second at a time, in an order that coins decide.
"""

import math
import os
import signal
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from tonnage import __version__
from tonnage.domain import (
    ConfigurationError,
    InterruptedRunError,
    PiecewiseRate,
    RunRecord,
    Samples,
    format_duration,
    percentile,
)
from tonnage.loadtest._account import machine
from tonnage.loadtest.placement import on_cores
from tonnage.loadtest.progress import LoadProgress
from tonnage.loadtest.session import OpenLoopSession, OpenLoopTrial
from tonnage.loadtest.signals import HeldSignals

from .blocks import Blocks
from .differences import Comparison
from .records import compare_records
from .slots import ComparePlan, Side, Slots

__all__ = ["Interleaved", "compare_interleaved"]

_PILOT_SECONDS: Final = 1.0
_LEAD_SECONDS: Final = 0.3
_SECONDS_FOR_A_MILLION: Final = 0.4


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Interleaved:
    """
    What an interleaved comparison saw.

    Attributes:
        comparison: The answer.
        base: The base's record, its own turns and nothing else.
        head: The head's.
    """

    comparison: Comparison
    base: RunRecord
    head: RunRecord

    def _repr_html_(self) -> str:
        """Return it as a notebook shows it: the comparison."""
        return self.comparison._repr_html_()


def compare_interleaved(
    plan: ComparePlan,
    *,
    base_url: str,
    head_url: str,
    on_progress: Callable[[LoadProgress], None] | None = None,
) -> Interleaved:
    """
    Load base and head in turn, and compare them pair by pair.

    Both are asked for a second first, which warms them and says how long a turn has to be. On
    SIGINT or SIGTERM (in the main thread) it stops early and compares the units that are whole.

    Args:
        plan: How.
        base_url: What the head is compared with.
        head_url: What is compared.
        on_progress: Called about once a second with the head's progress.

    Raises:
        ConfigurationError: If a target may not be fired at, or neither answers.
        TransportError: If nothing listens at one of them.
    """
    with (
        HeldSignals() as signals,
        on_cores(plan.placement.generators if plan.placement else None),
        _session(plan, base_url) as base,
        _session(plan, head_url) as head,
    ):
        slots = Slots.dealt(plan, plan.slot_seconds(_median_latency(plan, base, head)))
        # Not before both are ready: each is to begin at the same moment.
        lead = _LEAD_SECONDS + _SECONDS_FOR_A_MILLION * plan.rate_per_second * (
            slots.duration_seconds / 1e6
        )
        start = time.monotonic() + lead
        signals.hold()

        def run(session: OpenLoopSession, side: Side) -> OpenLoopTrial:
            return session.trial(
                slots.profile(side, plan.rate_per_second),
                arrivals=plan.arrivals,
                seed=2 * plan.seed + (side == "head"),
                start_at_monotonic_seconds=start,
                on_progress=on_progress if side == "head" else None,
            )

        with ThreadPoolExecutor(max_workers=1) as beside:
            of_base = beside.submit(run, base, "base")
            try:
                of_head = run(head, "head")
            except BaseException:
                _end(base, of_base)
                raise
            if of_head.interrupted_by is not None:
                _end(base, of_base)
            trials: dict[Side, OpenLoopTrial] = {"base": of_base.result(), "head": of_head}
        return _compared(plan, slots, trials, (base_url, head_url))


def _compared(
    plan: ComparePlan,
    slots: Slots,
    trials: Mapping[Side, OpenLoopTrial],
    urls: tuple[str, str],
) -> Interleaved:
    lasted = min(trial.duration_seconds for trial in trials.values())
    if trials["head"].interrupted_by is None:
        lasted = math.inf
    run_name = uuid.uuid4().hex
    records = {
        side: _record(
            plan,
            trials[side],
            url,
            side,
            Blocks(run=run_name, side=side, units=slots.windows(side, until_seconds=lasted)),
        )
        for side, url in _sides(*urls)
    }
    comparison = compare_records(records["base"], records["head"])
    told = f"{comparison.method}, {format_duration(slots.seconds)} each"
    if plan.placement is not None:
        told = f"{told}; {plan.placement.told}"
    return Interleaved(
        comparison=replace(comparison, method=told), base=records["base"], head=records["head"]
    )


def _sides(base_url: str, head_url: str) -> tuple[tuple[Side, str], tuple[Side, str]]:
    return ("base", base_url), ("head", head_url)


def _session(plan: ComparePlan, url: str) -> OpenLoopSession:
    return OpenLoopSession.start(
        url,
        plan.payload,
        timeout_seconds=plan.timeout_seconds,
        processes=plan.processes,
        seed=plan.seed,
        i_own=plan.i_own,
    )


def _median_latency(plan: ComparePlan, *sessions: OpenLoopSession) -> float:
    medians = []
    for session in sessions:
        pilot = session.trial(
            PiecewiseRate.constant(plan.rate_per_second, _PILOT_SECONDS),
            drain_seconds=_PILOT_SECONDS,
        )
        if pilot.signalled_by is not None:
            raise InterruptedRunError("interrupted before base and head were compared")
        answered = pilot.samples.latency_seconds[pilot.samples.status > 0]
        medians.append(percentile(answered, 1 / 2))
    known = [median for median in medians if not math.isnan(median)]
    if not known:
        raise ConfigurationError("neither base nor head answers in time", hint="look at their logs")
    return max(known)


def _end(session: OpenLoopSession, running: "Future[OpenLoopTrial]") -> None:
    """Ask a session that runs in another thread to end its trial, as a signal would."""
    while not running.done():
        for process_id in session.process_ids:
            with suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGTERM)
        with suppress(TimeoutError):
            running.exception(timeout=1.0)


def _record(
    plan: ComparePlan, trial: OpenLoopTrial, url: str, side: Side, blocks: Blocks
) -> RunRecord:
    notes = [f"the {side} of an interleaved comparison: asked in turn with the other"]
    if trial.interrupted_by is not None:
        lasted = format_duration(trial.duration_seconds)
        notes.append(f"interrupted by {trial.interrupted_by} after {lasted}")
    return RunRecord(
        name=side,
        title=f"{side} {url}",
        started_at_epoch_seconds=trial.started_at_epoch_seconds,
        duration_seconds=trial.duration_seconds,
        samples=_on_time(trial),
        settings={
            "load": {
                "url": url,
                "rate_per_second": plan.rate_per_second,
                "arrivals": plan.arrivals,
                "payload": plan.payload.shown(),
                "timeout_seconds": plan.timeout_seconds,
                "processes": plan.processes,
                "seed": plan.seed,
                "cores": plan.placement.shown() if plan.placement else None,
            },
            "comparison": blocks.shown(),
        },
        generator=_generator(plan, trial),
        machine=machine(),
        notes=notes,
    )


def _on_time(trial: OpenLoopTrial) -> Samples:
    """Return the samples on the clock that both sides share: one of them may have begun later."""
    late, samples = trial.late_seconds, trial.samples
    return Samples(
        intended_seconds=samples.intended_seconds + late,
        sent_seconds=samples.sent_seconds + late,
        done_seconds=samples.done_seconds + late,
        status=samples.status,
    )


def _generator(plan: ComparePlan, trial: OpenLoopTrial) -> dict[str, Any]:
    health = trial.health
    return {
        "engine": "tonnage",
        "version": __version__,
        "model": "open loop",
        "arrivals": plan.arrivals,
        "seed": plan.seed,
        "processes": plan.processes,
        "scheduling": trial.scheduling,
        "cpu_seconds": trial.cpu_seconds,
        "cpu_fraction_max": health.cpu_fraction_max,
        "waited_fraction_max": health.waited_fraction_max,
        "machine_busy_fraction": health.machine_busy_fraction,
        "unanswered": dict(trial.unanswered),
        "send_spread_seconds": None,
        "interrupted_by": trial.interrupted_by,
        "verdict": trial.verdict.word,
        "reason": trial.verdict.reason,
        "cause": trial.verdict.cause,
    }
