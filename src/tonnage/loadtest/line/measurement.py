"""
A load line found for real, with the run record of the trials it came from.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from tonnage.domain import MonotonicClock, RunRecord, Samples
from tonnage.loadtest._account import machine, number
from tonnage.loadtest._urls import is_loopback
from tonnage.loadtest.health import Verdict
from tonnage.loadtest.neighbours import NEIGHBOURS, judge_neighbours, mean_busy
from tonnage.loadtest.open_plan import SageMakerEndpoint
from tonnage.loadtest.payload import Payload
from tonnage.loadtest.session import OpenLoopSession
from tonnage.loadtest.signals import HeldSignals

from .engine import EngineTrials
from .find import find_line
from .plan import LinePlan
from .result import LoadLine
from .sharing import SHARED
from .trials import TrialOutcome, TrialRun

__all__ = ["LineMeasurement", "line", "measurement"]


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

    def _repr_html_(self) -> str:
        """Return it as a notebook shows it: the line."""
        return self.line._repr_html_()


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
    with (
        HeldSignals() as signals,
        OpenLoopSession.start(
            url,
            payload,
            timeout_seconds=plan.patience_seconds,
            processes=processes,
            seed=plan.seed,
            sagemaker=sagemaker,
            i_own=i_own,
        ) as session,
    ):
        trials = EngineTrials(session=session, arrivals=plan.arrivals, signals=signals.hold())
        found = find_line(plan, trials, began_seconds=began, on_trial=on_trial)
        return measurement(
            plan,
            found,
            trials,
            name="line",
            began_seconds=began,
            started_at_epoch_seconds=started_at,
            duration_seconds=found.elapsed_seconds,
        )


def measurement(
    plan: LinePlan,
    found: LoadLine,
    trials: EngineTrials,
    *,
    name: str,
    began_seconds: float,
    started_at_epoch_seconds: float,
    duration_seconds: float,
) -> LineMeasurement:
    """Return a line with the run record of the trials it came from."""
    generator = _generator(found, trials)
    busy = [generator["reason"]] if generator["cause"] == NEIGHBOURS else []
    found = replace(found, notes=(*found.notes, *busy))
    record = RunRecord(
        name=name,
        title=f"The load line of {trials.session.target.full_url}",
        started_at_epoch_seconds=started_at_epoch_seconds,
        duration_seconds=duration_seconds,
        samples=_joined(trials.runs, began_seconds),
        settings={"line": _settings(plan, trials.session)},
        generator=generator,
        machine=machine(),
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


def _settings(plan: LinePlan, session: OpenLoopSession) -> Mapping[str, Any]:
    shown = asdict(plan)
    shown["terms"] = [str(term) for term in plan.terms]
    return {
        **shown,
        "url": session.target.full_url,
        "payload": session.target.payload.shown(),
        "timeout_seconds": session.target.timeout_seconds,
        "processes": len(session.process_ids),
    }


def _generator(found: LoadLine, trials: EngineTrials) -> Mapping[str, Any]:
    outcomes = found.trials
    doubted = [outcome for outcome in outcomes if not outcome.is_evidence]
    verdict = _verdict(outcomes, doubted)
    looks = [run.cores.others for run in trials.runs]
    stolen = max((run.cores.stolen for run in trials.runs), default=0.0)
    if is_loopback(trials.session.target.host):
        verdict = judge_neighbours(verdict, looks, stolen)
    if found.verdict == "MACHINE_LIMITED" and verdict.word == "VALID":
        verdict = Verdict(word="DOUBTFUL", cause=SHARED, reason=found.reason)
    return {
        "engine": "open loop",
        "model": "open loop",
        "arrivals": found.arrivals,
        "cpu_seconds": trials.cpu_seconds,
        "trials": len(outcomes),
        "trials_doubted": len(doubted),
        "others_busy_fraction": number(mean_busy(looks)),
        "stolen_fraction_max": stolen,
        "verdict": verdict.word,
        "reason": verdict.reason,
        "cause": verdict.cause,
    }


def _verdict(outcomes: Sequence[TrialOutcome], doubted: Sequence[TrialOutcome]) -> Verdict:
    if all(outcome.generator == "VALID" for outcome in outcomes):
        return Verdict(word="VALID", reason="it kept up in every trial")
    reason = doubted[-1].generator_reason if doubted else "it was a little late in some trials"
    return Verdict(word="DOUBTFUL", reason=reason, cause="trials")
