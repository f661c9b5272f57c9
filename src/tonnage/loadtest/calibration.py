"""
How much one core can generate, measured against a target that does next to nothing.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from tonnage.domain import PiecewiseRate, TransportError

from .payload import Payload
from .session import OpenLoopSession, OpenLoopTrial

__all__ = ["ConstantTarget", "GeneratorCapacity", "constant_target", "measure_generator"]

_FIRST_PER_SECOND: Final = 4_000.0
_MOST_PER_SECOND: Final = 100_000.0
_STEP: Final = 1.25
_KEEPS_UP: Final = 0.99
_TRIES: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class GeneratorCapacity:
    """
    What one generator process carries on this machine, now.

    Attributes:
        requests_per_second: The highest rate tried at which it was believed; 0 if at none.
        cpu_seconds_per_request: What a request cost it there.
        limit: Why the next higher rate was not believed: the generator's own reason, or that the
            target was the limit and the generator may carry more.
    """

    requests_per_second: float
    cpu_seconds_per_request: float
    limit: str


def measure_generator(*, seconds_per_rate: float = 1.0) -> GeneratorCapacity:
    """
    Return how much one generator process carries: rates rise by a quarter until one is doubted.

    Generator and target need a core each; on a machine with one they share it, and the answer is
    what is left. It takes some ten times ``seconds_per_rate``.

    Raises:
        TransportError: If the target does not start.
    """
    best = GeneratorCapacity(requests_per_second=0.0, cpu_seconds_per_request=0.0, limit="")
    rate = _FIRST_PER_SECOND
    with (
        constant_target() as target,
        OpenLoopSession.start(target.url, Payload(body={"distance": 150})) as session,
    ):
        while rate <= _MOST_PER_SECOND:
            trial, limit = _try(session, rate, seconds_per_rate)
            if limit:
                return GeneratorCapacity(
                    requests_per_second=best.requests_per_second,
                    cpu_seconds_per_request=best.cpu_seconds_per_request,
                    limit=f"at {rate:.0f}/s: {limit}",
                )
            best = GeneratorCapacity(
                requests_per_second=rate,
                cpu_seconds_per_request=trial.cpu_seconds / len(trial.samples),
                limit="no rate tried was too high",
            )
            rate *= _STEP
    return best


def _try(
    session: OpenLoopSession, rate_per_second: float, seconds: float
) -> tuple[OpenLoopTrial, str]:
    """Return a trial and what was the limit in it, the best of three: one hiccup is no limit."""
    profile = PiecewiseRate.constant(rate_per_second, seconds)
    for _ in range(_TRIES - 1):
        trial = session.trial(profile, drain_seconds=seconds)
        if not _limit(trial, rate_per_second):
            break
    else:
        trial = session.trial(profile, drain_seconds=seconds)
    return trial, _limit(trial, rate_per_second)


def _limit(trial: OpenLoopTrial, rate_per_second: float) -> str:
    if trial.verdict.word != "VALID":
        return trial.verdict.reason
    in_time = trial.samples.done_seconds <= trial.duration_seconds
    answered = int((in_time & (trial.samples.status > 0)).sum())
    if answered < _KEEPS_UP * rate_per_second * trial.duration_seconds:
        return "the target was the limit, the generator may carry more"
    return ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConstantTarget:
    """
    A running target of known behaviour.

    Attributes:
        url: Where it answers.
        process_id: Its process.
    """

    url: str
    process_id: int


@contextmanager
def constant_target(rate_per_second: float | None = None) -> Iterator[ConstantTarget]:
    """
    Run a target of known behaviour in a process of its own.

    Args:
        rate_per_second: The speed of its one first-come-first-served server; None answers at once.

    Raises:
        TransportError: If it does not start.
    """
    arguments = [] if rate_per_second is None else [repr(rate_per_second)]
    target = subprocess.Popen(
        [sys.executable, "-P", "-m", "tonnage.loadtest.open_loop.constant_target", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert target.stdin is not None
    assert target.stdout is not None
    try:
        port = target.stdout.readline().decode().strip()
        if not port:
            raise TransportError("the target of known behaviour did not start")
        yield ConstantTarget(url=f"http://127.0.0.1:{port}/evaluate", process_id=target.pid)
    finally:
        target.stdin.close()
        target.stdout.close()
        target.wait()
