"""
Trials for real: one warm open-loop generator, many short stretches of load.
"""

from dataclasses import dataclass, field

from tonnage.domain import MonotonicClock, PiecewiseRate, Samples
from tonnage.loadtest._urls import is_loopback
from tonnage.loadtest.health import GeneratorHealth
from tonnage.loadtest.session import OpenLoopSession
from tonnage.loadtest.signals import HeldSignals

from .plan import LineArrivals
from .sharing import Cores
from .trials import Trial, TrialRun

__all__ = ["EngineTrials"]


@dataclass(slots=True)
class EngineTrials:
    """
    Runs trials on a warm generator, and keeps what each brought back.

    Attributes:
        session: The generator.
        arrivals: How requests arrive.
        runs: What came back so far, oldest first.
        cpu_seconds: What the generator used.
        signals: What came between trials, which ends the search as one within a trial does.
    """

    session: OpenLoopSession
    arrivals: LineArrivals = "constant"
    runs: list[TrialRun] = field(default_factory=list)
    cpu_seconds: float = 0.0
    signals: HeldSignals = field(default_factory=HeldSignals)
    _clock: MonotonicClock = field(default_factory=MonotonicClock)

    def now_seconds(self) -> float:
        """Return the machine's monotonic time."""
        return self._clock.now_seconds()

    def run(self, trial: Trial, *, seed: int) -> TrialRun:
        """Settle, load, wait for the answers, and return them."""
        start = self.now_seconds() + trial.settle_seconds
        if self.signals.name is not None:
            return _not_run(start, self.signals.name)
        seen = self.session.trial(
            PiecewiseRate.constant(trial.rate_per_second, trial.load_seconds),
            arrivals=self.arrivals,
            seed=seed,
            start_at_monotonic_seconds=start,
        )
        self.cpu_seconds += seen.cpu_seconds
        if seen.signalled_by is not None:
            self.signals.note(seen.signalled_by)
        self.runs.append(
            TrialRun(
                began_seconds=start + seen.late_seconds,
                ended_seconds=self.now_seconds(),
                samples=seen.samples,
                generator=seen.verdict.word,
                generator_reason=seen.verdict.reason,
                generator_cause=seen.verdict.cause,
                interrupted_by=seen.interrupted_by,
                cores=self._cores(seen.health),
            )
        )
        return self.runs[-1]

    def _cores(self, health: GeneratorHealth) -> Cores:
        others, stolen = health.others_busy_fraction, health.stolen_fraction
        if not is_loopback(self.session.target.host):
            return Cores(others=others, stolen=stolen)
        return Cores(
            busy=health.machine_busy_fraction,
            generator=health.generator_busy_fraction,
            others=others,
            stolen=stolen,
        )


def _not_run(at_seconds: float, interrupted_by: str) -> TrialRun:
    return TrialRun(
        began_seconds=at_seconds,
        ended_seconds=at_seconds,
        samples=Samples.empty(),
        interrupted_by=interrupted_by,
    )
