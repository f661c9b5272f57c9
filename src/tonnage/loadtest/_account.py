"""
What the child reports, gathered into a run record.
"""

import math
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from tonnage.domain import RunRecord, Samples, format_duration, send_spread_seconds

from ._child import Ending
from .health import GeneratorHealth, judge, send_lateness_p99_seconds
from .plan import LoadPlan
from .progress import LoadProgress

__all__ = ["Account", "machine", "make_record", "number", "read_samples"]

_COLUMNS: Final = 4
_LATE_START_SECONDS: Final = 0.1
_TIMER_SLACK_SECONDS: Final = 0.01


@dataclass(slots=True)
class Account:
    """
    The child's reports so far.

    Attributes:
        ready: Whether the locustfile was read and the test could start.
        began: The report of the test's start.
        ended: The report of its end.
        seconds: The reports of each second.
    """

    ready: bool = False
    began: Mapping[str, Any] | None = None
    ended: Mapping[str, Any] | None = None
    seconds: list[Mapping[str, Any]] = field(default_factory=list)

    def take(self, report: Mapping[str, Any]) -> LoadProgress | None:
        """Note a report; return the progress it tells, if it does."""
        match report["event"]:
            case "ready":
                self.ready = True
            case "began":  # a test that is started anew on the web page replaces the one before
                self.began, self.ended = report, None
                self.seconds.clear()
            case "second":
                self.seconds.append(report)
                return _progress(report)
            case "ended":
                self.ended = report
        return None

    @property
    def duration_seconds(self) -> float:
        """How long users were sending, as far as is known."""
        if self.ended is not None:
            return float(self.ended["duration_seconds"])
        return float(self.seconds[-1]["elapsed_seconds"]) if self.seconds else 0.0

    @property
    def health(self) -> GeneratorHealth:
        """What the generator spent."""
        return GeneratorHealth(
            cpu_fractions=tuple(second["cpu_fraction"] for second in self.seconds)
        )


def _progress(report: Mapping[str, Any]) -> LoadProgress:
    p99 = report["p99_seconds"]
    return LoadProgress(
        elapsed_seconds=report["elapsed_seconds"],
        users=report["users"],
        requests_per_second=report["requests_per_second"],
        failures_per_second=report["failures_per_second"],
        p99_seconds=math.nan if p99 is None else p99,
    )


def make_record(plan: LoadPlan, account: Account, ending: Ending) -> RunRecord:
    """Return the run record of a test that began, or was interrupted before it did."""
    began: Mapping[str, Any] = account.began or {"started_at_epoch_seconds": time.time()}
    samples = read_samples(Path(began["samples"])) if "samples" in began else Samples.empty()
    users = tuple((second["elapsed_seconds"], second["users"]) for second in account.seconds)
    return RunRecord(
        name=plan.name,
        title=plan.title or f"{plan.users} users on {plan.url}",
        started_at_epoch_seconds=began["started_at_epoch_seconds"],
        duration_seconds=account.duration_seconds,
        samples=samples,
        users=((0.0, 0), *users) if users else (),
        settings={"load": _settings(plan)},
        generator=_generator(plan, account, samples, ending),
        machine=machine(),
        notes=tuple(_notes(plan, account, ending)),
    )


def machine() -> dict[str, Any]:
    """Return where this runs."""
    return {
        "cores": os.cpu_count(),
        "cores_usable": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "platform": platform.platform(),
    }


def read_samples(file: Path) -> Samples:
    """Return the samples the child wrote, in the order they were sent."""
    rows = np.fromfile(file, dtype=np.float64)
    rows = rows[: len(rows) // _COLUMNS * _COLUMNS].reshape(-1, _COLUMNS)
    intended, sent, done, status = rows[np.argsort(rows[:, 1], kind="stable")].T
    return Samples(
        intended_seconds=intended.copy(),
        sent_seconds=sent.copy(),
        done_seconds=done.copy(),
        status=status.astype(np.uint16),
    )


def _settings(plan: LoadPlan) -> dict[str, Any]:
    shown = asdict(plan)
    del shown["name"], shown["title"], shown["start_at_monotonic_seconds"]
    shown["locustfile"] = None if plan.locustfile is None else str(plan.locustfile)
    return shown


def _generator(
    plan: LoadPlan, account: Account, samples: Samples, ending: Ending
) -> dict[str, Any]:
    health = account.health
    verdict = judge(samples, health)
    ended = account.ended or {}
    cpu_seconds = ended.get("cpu_seconds", sum(health.cpu_fractions))
    return {
        "engine": "locust",
        "version": (account.began or {}).get("version"),
        "model": "closed loop",
        "workers": ended.get("workers", 0),
        "arrivals": (account.began or {}).get("arrivals", plan.arrivals),
        "seed": plan.seed,
        "cpu_seconds": cpu_seconds,
        "cpu_seconds_per_request": cpu_seconds / len(samples) if len(samples) else None,
        "cpu_fraction_mean": health.cpu_fraction_mean,
        "cpu_fraction_max": health.cpu_fraction_max,
        "send_spread_seconds": number(send_spread_seconds(samples)),
        "send_lateness_p99_seconds": number(send_lateness_p99_seconds(samples)),
        "interrupted_by": _cut_short_by(plan, account, ending),
        "verdict": verdict.word,
        "reason": verdict.reason,
        "cause": verdict.cause,
    }


def number(value: float) -> float | None:
    """Return a value as JSON has it: NaN is null."""
    return None if math.isnan(value) else value


def _cut_short_by(plan: LoadPlan, account: Account, ending: Ending) -> str | None:
    # With a web page the signal ends the page, often long after the test was over.
    complete = account.duration_seconds >= plan.duration_seconds - _TIMER_SLACK_SECONDS
    return None if complete else ending.interrupted_by


def _notes(plan: LoadPlan, account: Account, ending: Ending) -> list[str]:
    ended = account.ended or {}
    notes = []
    interrupted_by = _cut_short_by(plan, account, ending)
    if interrupted_by is not None:
        lasted = format_duration(account.duration_seconds)
        planned = format_duration(plan.duration_seconds)
        notes.append(f"interrupted by {interrupted_by} after {lasted} of {planned}")
    elif ending.exit_code > 0:
        notes.append(f"Locust ended with exit code {ending.exit_code}: {' | '.join(ending.words)}")
    late = (account.began or {}).get("late_seconds", 0.0)
    if late > _LATE_START_SECONDS:
        notes.append(f"the load began {format_duration(late)} after the moment it was asked for")
    if ended.get("unanswered"):
        notes.append(f"{ended['unanswered']} requests were still without an answer at the end")
    if ended.get("workers_lost"):
        notes.append(
            f"{ended['workers_lost']} of {ended['workers']} workers were lost on the way; what"
            " they saw in their last second is missing"
        )
    if ended.get("marked_failed"):
        notes.append(
            f"the locustfile marked {ended['marked_failed']} answers as failures by their content; "
            "the samples keep their HTTP status"
        )
    notes += [f"the locustfile raised {fault}" for fault in ended.get("exceptions", ())]
    return notes
