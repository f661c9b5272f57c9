"""
A warm open-loop generator: many short trials without the cost of a new process each.
"""

import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import RateProfile, Samples, TransportError

from ._account import read_samples
from ._generators import Generators
from ._ticks import Ticks, summed
from .health import GeneratorHealth, Verdict
from .judgement import judge_open_loop
from .neighbours import Look
from .open_loop.orders import Setup, TrialOrders
from .open_plan import MAX_OUTSTANDING, OpenArrivals, SageMakerEndpoint, Target, check_engine
from .payload import Payload
from .progress import LoadProgress
from .schedule import arrival_moments

__all__ = ["OpenLoopSession", "OpenLoopTrial"]

_WARM_CONNECTIONS: Final = 16
_LONGEST_PROBE_SECONDS: Final = 5.0
_LEAD_SECONDS: Final = 0.03
_SECONDS_FOR_A_MILLION: Final = 0.2
_SHORTEST_TICK_SECONDS: Final = 0.25
_TICKS: Final = 4
_GRACE_SECONDS: Final = 0.2
"""An answer's own deadline comes first; this is for what has none, like a name's look-up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenLoopTrial:
    """
    What one trial saw.

    Attributes:
        samples: Its raw samples, in the order they were sent; seconds since the trial began.
        health: What the generator spent, and how late it was.
        verdict: Whether to believe it; ``verdict.cause`` names what of the generator was the limit.
        duration_seconds: How long requests were sent: the profile's duration, unless interrupted.
        started_at_epoch_seconds: When the trial began, wall clock.
        late_seconds: How long after the moment it was asked for it began.
        unanswered: Kind → requests without an answer: ``refused``, ``reset``, ``timed_out``,
            ``garbage``, ``unreachable`` by the target; ``not_sent``, ``no_descriptor``, ``no_port``
            by the generator; ``cut_off`` by the end of the wait for answers.
        cpu_seconds: CPU the generator used, its processes together.
        scheduling: How the machine schedules it: ``real time``, ``niceness -10`` or ``ordinary``.
        interrupted_by: The signal on which it was stopped, None when it came to its end.
        signalled_by: The signal that came while it ran, also when all had been sent by then.
    """

    samples: Samples
    health: GeneratorHealth
    verdict: Verdict
    duration_seconds: float
    started_at_epoch_seconds: float
    late_seconds: float = 0.0
    unanswered: Mapping[str, int] = field(default_factory=dict)
    cpu_seconds: float = 0.0
    scheduling: str = "ordinary"
    interrupted_by: str | None = None
    signalled_by: str | None = None


class OpenLoopSession:
    """
    A warm generator: processes with open connections to one target; ``start`` makes one.

    Use it as a context manager, or ``close`` it.
    """

    def __init__(self, target: Target, generators: Generators, wanted: int) -> None:
        self.target = target
        self._generators = generators
        self._wanted_outstanding = wanted

    @classmethod
    def start(
        cls,
        url: str,
        payload: Payload,
        *,
        timeout_seconds: float = 30.0,
        processes: int = 1,
        max_outstanding: int = MAX_OUTSTANDING,
        seed: int = 0,
        sagemaker: SageMakerEndpoint | None = None,
        i_own: str | None = None,
    ) -> Self:
        """
        Start the generator's processes and wait until they are ready.

        Args:
            url: The route, or with ``sagemaker`` the service's origin.
            payload: What each request carries.
            timeout_seconds: How long an answer may take, from the actual send.
            processes: As in ``OpenLoopPlan``; so is ``max_outstanding``.
            max_outstanding: How many requests may wait for their answers.
            seed: Where the draws of payloads start.
            sagemaker: The endpoint to call instead of a route.
            i_own: A host that is not loopback and may be fired at.

        Raises:
            ConfigurationError: If the target may not be fired at, or has no payload.
            TransportError: If nothing listens there.
            TonnageError: If the generator does not start.
        """
        target = Target(
            url=url,
            payload=payload,
            timeout_seconds=timeout_seconds,
            sagemaker=sagemaker,
            i_own=i_own,
        )
        check_engine(processes=processes, max_outstanding=max_outstanding)
        address = _reachable_address(target)
        setups = [
            Setup(
                target=target,
                address=address,
                seed=seed * processes + index,
                max_outstanding=max_outstanding // processes,
                warm_connections=min(_WARM_CONNECTIONS, max_outstanding // processes),
                processes=processes,
            )
            for index in range(processes)
        ]
        return cls(target, Generators(setups), max_outstanding // processes)

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The generator's processes."""
        return self._generators.process_ids

    def trial(
        self,
        profile: RateProfile,
        *,
        arrivals: OpenArrivals = "constant",
        seed: int = 0,
        drain_seconds: float | None = None,
        start_at_monotonic_seconds: float | None = None,
        on_progress: Callable[[LoadProgress], None] | None = None,
    ) -> OpenLoopTrial:
        """
        Send one profile's requests and return what they saw.

        Args:
            profile: The rate over time; the trial sends for as long as it lasts.
            arrivals: Evenly spaced or Poisson, as in ``OpenLoopPlan``.
            seed: Where the draws of Poisson arrivals start.
            drain_seconds: How long after the last send answers are waited for; by default, and at
                most, until each has timed out. What is unanswered then is ``cut_off``.
            start_at_monotonic_seconds: When the profile begins; None begins at once.
            on_progress: Called about once a second.

        Raises:
            ConfigurationError: If the profile asks for no request, or too many.
            TonnageError: If the generator dies on the way.
        """
        moments = arrival_moments(profile, arrivals=arrivals, seed=seed)
        lead = _LEAD_SECONDS + _SECONDS_FOR_A_MILLION * len(moments) / 1e6
        start = max(time.monotonic() + lead, start_at_monotonic_seconds or 0.0)
        late = start - (start_at_monotonic_seconds or start)
        ticks = Ticks(len(self._generators), on_progress)
        orders = self._orders(moments, start, profile.duration_seconds, drain_seconds)
        started_at = time.time() + (start - time.monotonic())
        look = Look(until_seconds=start)
        endings = self._generators.run(orders, ticks.hear, look.take)
        samples = _merged([read_samples(Path(each.samples)) for each in orders])
        unanswered = summed(endings)
        health = ticks.health(
            endings,
            unanswered,
            limits=[report["max_outstanding"] for report in self._generators.ready],
            wanted=self._wanted_outstanding,
        )
        health = replace(health, others_busy_fraction=look.busy_fraction)
        all_sent = len(samples) == len(moments)
        return OpenLoopTrial(
            samples=samples,
            health=health,
            verdict=judge_open_loop(samples, health),
            duration_seconds=profile.duration_seconds if all_sent else _lasted(samples),
            started_at_epoch_seconds=started_at,
            late_seconds=late,
            unanswered=unanswered,
            scheduling=self._generators.ready[0]["scheduling"],
            cpu_seconds=sum(ending["cpu_seconds"] for ending in endings),
            interrupted_by=None if all_sent else self._generators.interrupted_by,
            signalled_by=self._generators.interrupted_by,
        )

    def close(self) -> None:
        """End the processes."""
        self._generators.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _orders(
        self,
        moments: NDArray[np.float64],
        start_seconds: float,
        duration_seconds: float,
        drain_seconds: float | None,
    ) -> list[TrialOrders]:
        directory, processes = self._generators.directory, len(self._generators)
        timeout = self.target.timeout_seconds
        drain = timeout if drain_seconds is None else min(drain_seconds, timeout)
        orders = []
        for index in range(processes):
            schedule = directory / f"schedule-{index}.bin"
            moments[index::processes].tofile(schedule)
            orders.append(
                TrialOrders(
                    schedule=str(schedule),
                    samples=str(directory / f"samples-{index}.bin"),
                    start_at_monotonic_seconds=start_seconds,
                    drain_seconds=drain + _GRACE_SECONDS,
                    report_every_seconds=min(
                        1.0, max(_SHORTEST_TICK_SECONDS, duration_seconds / _TICKS)
                    ),
                )
            )
        return orders


def _reachable_address(target: Target) -> tuple[str, int]:
    timeout = min(target.timeout_seconds, _LONGEST_PROBE_SECONDS)
    try:
        with socket.create_connection((target.host, target.port), timeout=timeout) as probe:
            host, port = probe.getpeername()[:2]
    except OSError as error:
        raise TransportError(
            f"{target.full_url} cannot be reached: {error.strerror or error}",
            hint="start the service first, or name another URL",
        ) from error
    return host, port


def _merged(parts: Sequence[Samples]) -> Samples:
    if len(parts) == 1:
        return parts[0]
    return Samples(
        intended_seconds=np.concatenate([part.intended_seconds for part in parts]),
        sent_seconds=np.concatenate([part.sent_seconds for part in parts]),
        done_seconds=np.concatenate([part.done_seconds for part in parts]),
        status=np.concatenate([part.status for part in parts]),
    ).sorted_by_send()


def _lasted(samples: Samples) -> float:
    return float(samples.intended_seconds.max()) if len(samples) else 0.0
