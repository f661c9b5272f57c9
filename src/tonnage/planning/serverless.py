"""
Serverless inference: no instances, a price per millisecond, and a wait when it was idle.

A request occupies one container for its whole time d. With a = λ · d containers busy on average
and at most c of them, Poisson arrivals are throttled with the probability that Erlang's loss
formula gives::

    B(0, a) = 1        B(k, a) = a · B(k-1, a) ÷ (k + a · B(k-1, a))

A container that has been idle for W is gone. A request meets a cold start when none came for W,
with probability e^(-λ · W), or when more containers are needed than are warm.

What AWS does not publish is a named assumption: how long containers stay warm, how long a cold
start takes, and how the processor grows with memory (as Lambda's does: one vCPU at 1,769 MB).
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import RateProfile
from tonnage.simulation import tick_edges

from .lines import LoadLine

__all__ = [
    "ServerlessAssumptions",
    "ServerlessOutcome",
    "ServerlessSettings",
    "billed_seconds",
    "loss_probability",
    "try_serverless",
]

_Floats = NDArray[np.float64]

_CHUNK: Final = 200_000


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerlessSettings:
    """
    A serverless endpoint.

    Attributes:
        memory_mb: 1024 to 6144 in steps of 1024.
        max_concurrency: Containers at most, 1 to 200.
    """

    memory_mb: int
    max_concurrency: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerlessAssumptions:
    """
    What AWS does not publish.

    Attributes:
        setup_seconds: A cold start; 8.3 to 8.9 s were seen for an XGBoost model at 3 GB.
        warm_seconds: How long an idle container is kept.
        mb_per_vcpu: The memory that comes with one vCPU.
    """

    setup_seconds: float = 8.6
    warm_seconds: float = 300.0
    mb_per_vcpu: float = 1769.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerlessOutcome:
    """
    What came of it.

    Attributes:
        offered: Requests.
        failed: Those that were throttled.
        cold: Those that waited for a cold start, as an estimate.
        billed_seconds: Of processing.
    """

    offered: float
    failed: float
    cold: float
    billed_seconds: float

    @property
    def failed_fraction(self) -> float:
        """Failed ÷ offered, 0 without requests."""
        return self.failed / self.offered if self.offered else 0.0

    @property
    def cold_fraction(self) -> float:
        """Cold ÷ offered, 0 without requests."""
        return self.cold / self.offered if self.offered else 0.0


def billed_seconds(line: LoadLine, memory_mb: int, assumed: ServerlessAssumptions) -> float:
    """
    Return what one request is billed for, in whole milliseconds.

    The processor time of a request is the instance's vCPU ÷ its line; a container has one worker,
    and so one vCPU at most.
    """
    processor = line.kind.vcpu / line.rate_per_second
    taken = processor / min(1.0, memory_mb / assumed.mb_per_vcpu)
    return math.ceil(taken * 1000 - 1e-9) / 1000


def loss_probability(offered_load: _Floats, servers: int) -> _Floats:
    """Return Erlang's B: the fraction that finds all ``servers`` busy, for loads in erlangs."""
    lost = np.ones_like(offered_load)
    for count in range(1, servers + 1):
        lost = offered_load * lost / (count + offered_load * lost)
    return lost


def try_serverless(
    traffic: RateProfile,
    line: LoadLine,
    settings: ServerlessSettings,
    assumed: ServerlessAssumptions,
    *,
    raised_by: float = 0.0,
    tick_seconds: float = 1.0,
) -> ServerlessOutcome:
    """Return what comes of a serverless endpoint on a traffic raised by a fraction."""
    edges = tick_edges(traffic.duration_seconds, tick_seconds)
    requests = np.diff(traffic.arrivals_by(edges)) * (1 + raised_by)
    rates = requests / np.diff(edges)
    seconds = billed_seconds(line, settings.memory_mb, assumed)
    lost = _loss_of(rates * seconds, settings.max_concurrency)
    served = float(np.sum(requests * (1 - lost)))
    offered = float(requests.sum())
    return ServerlessOutcome(
        offered=offered,
        failed=offered - served,
        cold=min(served, _cold_starts(rates, requests, seconds, settings, assumed, tick_seconds)),
        billed_seconds=served * seconds,
    )


def _loss_of(loads: _Floats, servers: int) -> _Floats:
    """Return the loss at each of many loads, computed once for loads that are all but equal."""
    rounded = np.round(loads, 3)
    different, at = np.unique(rounded, return_inverse=True)
    parts = [
        loss_probability(different[start : start + _CHUNK], servers)
        for start in range(0, len(different), _CHUNK)
    ]
    lost: _Floats = np.concatenate(parts)[at]
    return lost


def _cold_starts(
    rates: _Floats,
    requests: _Floats,
    seconds: float,
    settings: ServerlessSettings,
    assumed: ServerlessAssumptions,
    tick_seconds: float,
) -> float:
    after_idling = float(np.sum(requests * np.exp(-rates * assumed.warm_seconds)))
    load = rates * seconds
    needed = np.minimum(np.ceil(load + 2 * np.sqrt(load)), settings.max_concurrency)
    window = max(1, round(assumed.warm_seconds / tick_seconds))
    warm = _running_maximum(np.concatenate(([0.0], needed[:-1])), window)
    # From none at all, every request that comes while the first sets up starts one of its own.
    together = np.minimum(rates * assumed.setup_seconds, settings.max_concurrency)
    started = np.where(warm == 0, np.maximum(needed, together), needed - warm)
    return after_idling + float(np.sum(np.maximum(started, 0.0)))


def _running_maximum(values: _Floats, window: int) -> _Floats:
    """Return the largest of the last ``window`` values, at each of them."""
    padded = np.concatenate((np.zeros((-len(values)) % window + window), values))
    blocks = padded.reshape(-1, window)
    forwards = np.maximum.accumulate(blocks, axis=1).ravel()
    backwards = np.maximum.accumulate(blocks[:, ::-1], axis=1)[:, ::-1].ravel()
    ends = np.arange(len(padded) - len(values), len(padded))
    largest: _Floats = np.maximum(forwards[ends], backwards[ends - window + 1])
    return largest
