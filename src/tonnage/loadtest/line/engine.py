"""
Trials for real: one warm open-loop generator, many short stretches of load.
"""

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from tonnage.domain import MonotonicClock, PiecewiseRate, RunRecord, Samples
from tonnage.loadtest.open_plan import SageMakerEndpoint
from tonnage.loadtest.payload import Payload
from tonnage.loadtest.session import OpenLoopSession

from .find import find_line
from .plan import LineArrivals, LinePlan
from .result import LoadLine
from .trials import Trial, TrialOutcome, TrialRun

__all__ = ["EngineTrials", "LineMeasurement", "line"]


@dataclass(slots=True)
class EngineTrials:
    """
    Runs trials on a warm generator, and keeps what each brought back.

    Attributes:
        session: The generator.
        arrivals: How requests arrive.
        runs: What came back so far, oldest first.
        cpu_seconds: What the generator used.
    """

    session: OpenLoopSession
    arrivals: LineArrivals = "constant"
    runs: list[TrialRun] = field(default_factory=list)
    cpu_seconds: float = 0.0
    _clock: MonotonicClock = field(default_factory=MonotonicClock)

    def now_seconds(self) -> float:
        """Return the machine's monotonic time."""
        return self._clock.now_seconds()

    def run(self, trial: Trial, *, seed: int) -> TrialRun:
        """Settle, load, wait for the answers, and return them."""
        start = self.now_seconds() + trial.settle_seconds
        seen = self.session.trial(
            PiecewiseRate.constant(trial.rate_per_second, trial.load_seconds),
            arrivals=self.arrivals,
            seed=seed,
            start_at_monotonic_seconds=start,
        )
        self.cpu_seconds += seen.cpu_seconds
        self.runs.append(
            TrialRun(
                began_seconds=start + seen.late_seconds,
                ended_seconds=self.now_seconds(),
                samples=seen.samples,
                generator=seen.verdict.word,
                generator_reason=seen.verdict.reason,
                generator_cause=seen.verdict.cause,
                interrupted_by=seen.interrupted_by,
            )
        )
        return self.runs[-1]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LineMeasurement:
    """
    A load line and the run record it came from.

    Attributes:
        line: The answer.
        record: Every request of every trial, in one record; times since the search began.
    """

    line: LoadLine
    record: RunRecord


def line(
    plan: LinePlan,
    url: str,
    payload: Payload,
    *,
    processes: int = 1,
    sagemaker: SageMakerEndpoint | None = None,
    i_own: str | None = None,
    on_trial: Callable[[TrialOutcome], None] = lambda _outcome: None,
) -> LineMeasurement:
    """
    Find the load line of a running service.

    The budget runs from the call on: starting the generator is part of it. On SIGINT or SIGTERM (in
    the main thread) it stops early and says what the trials so far say, with a note.

    Args:
        plan: What is looked for.
        url: The route to POST to.
        payload: What each request carries.
        processes: How many generator processes share the load, each a core.
        sagemaker: The endpoint to invoke instead of a route.
        i_own: A host that is not loopback and may be fired at.
        on_trial: Called with each trial's outcome.

    Raises:
        ConfigurationError: If the target may not be fired at.
        TransportError: If nothing listens there.
    """
    began = MonotonicClock().now_seconds()
    started_at = time.time()
    with OpenLoopSession.start(
        url,
        payload,
        timeout_seconds=plan.patience_seconds,
        processes=processes,
        seed=plan.seed,
        sagemaker=sagemaker,
        i_own=i_own,
    ) as session:
        trials = EngineTrials(session=session, arrivals=plan.arrivals)
        found = find_line(plan, trials, began_seconds=began, on_trial=on_trial)
    record = RunRecord(
        name="line",
        title=f"The load line of {session.target.full_url}",
        started_at_epoch_seconds=started_at,
        duration_seconds=found.elapsed_seconds,
        samples=_joined(trials.runs, began),
        settings={"line": _settings(plan, session, processes)},
        generator=_generator(found, trials),
        machine={
            "cores": os.cpu_count(),
            "cores_usable": len(os.sched_getaffinity(0)),
            "python": platform.python_version(),
            "platform": platform.platform(),
        },
        notes=(f"{found.verdict}: {found.reason}", *found.notes),
    )
    return LineMeasurement(line=found, record=record)


def _joined(runs: Sequence[TrialRun], origin_seconds: float) -> Samples:
    if not runs:
        return Samples.empty()
    shifts = [run.began_seconds - origin_seconds for run in runs]

    def moments(name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        columns = (getattr(run.samples, name) for run in runs)
        return np.concatenate(
            [column + shift for column, shift in zip(columns, shifts, strict=True)]
        )

    return Samples(
        intended_seconds=moments("intended_seconds"),
        sent_seconds=moments("sent_seconds"),
        done_seconds=moments("done_seconds"),
        status=np.concatenate([run.samples.status for run in runs]),
    )


def _settings(plan: LinePlan, session: OpenLoopSession, processes: int) -> Mapping[str, Any]:
    shown = asdict(plan)
    shown["terms"] = [str(term) for term in plan.terms]
    return {
        **shown,
        "url": session.target.full_url,
        "payload": session.target.payload.shown(),
        "timeout_seconds": session.target.timeout_seconds,
        "processes": processes,
    }


def _generator(found: LoadLine, trials: EngineTrials) -> Mapping[str, Any]:
    outcomes = found.trials
    doubted = [outcome for outcome in outcomes if not outcome.is_evidence]
    words = {outcome.generator for outcome in outcomes}
    return {
        "engine": "open loop",
        "model": "open loop",
        "arrivals": found.arrivals,
        "cpu_seconds": trials.cpu_seconds,
        "trials": len(outcomes),
        "trials_doubted": len(doubted),
        "verdict": "VALID" if words <= {"VALID"} else "DOUBTFUL",
        "reason": doubted[-1].generator_reason if doubted else "it kept up in every trial",
    }
