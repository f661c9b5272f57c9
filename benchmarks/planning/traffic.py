"""
Seeded traffic for the planning benchmarks: weeks of minutes, some to plan on, some held out.

A family is a shape; a trace is a family with a seed. All weeks of a trace share their level and
their day, and differ in what weeks differ in: a level of their own (3 % of it, one sigma), noise
that lasts for minutes, and their own bursts, ramps or flash crowds. Flash crowds come at an hour
that the trace is used to, as those of broadcasts and mailings do. Crowds at any hour are a family
of their own, ``surprise``, reported apart: no plan made on one week can know of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import PiecewiseRate

Floats = NDArray[np.float64]

MINUTES = 7 * 24 * 60
HELD_OUT_WEEKS = 4
SEEDS = 4
SURPRISES = 2


@dataclass(frozen=True, kw_only=True)
class Trace:
    """One week to plan on, and weeks that the plan has not seen."""

    family: str
    seed: int
    planned_on: PiecewiseRate
    held_out: tuple[PiecewiseRate, ...]

    @property
    def name(self) -> str:
        """Family and seed."""
        return f"{self.family}-{self.seed}"


def traces() -> Iterator[Trace]:
    for family, shape in FAMILIES.items():
        for seed in range(SURPRISES if family == UNFORESEEABLE else SEEDS):
            yield _trace(family, shape, seed)


def _trace(family: str, shape: "Shape", seed: int) -> Trace:
    shared = np.random.default_rng([seed, *family.encode()])
    level = float(np.exp(shared.uniform(np.log(700), np.log(4000))))
    day = _day(shared, swing=0.15 if family in ("bursts", "ramps") else 0.55)
    habits = shared.integers(2**32)
    weeks = []
    for week in range(1 + HELD_OUT_WEEKS):
        own = np.random.default_rng([seed, week + 1, *family.encode()])
        rate = level * day * shape(own, np.random.default_rng(habits))
        rate *= np.exp(own.normal(0, 0.03)) * _noise(own)
        weeks.append(PiecewiseRate.held(np.arange(MINUTES + 1) * 60.0, np.maximum(rate, 0.0)))
    return Trace(family=family, seed=seed, planned_on=weeks[0], held_out=tuple(weeks[1:]))


def _day(rng: np.random.Generator, *, swing: float) -> Floats:
    """Two harmonics of a day with a random phase, mean 1."""
    hours = np.arange(MINUTES) / 60.0
    first, second = rng.uniform(0, 24, 2)
    return (
        1
        + swing * np.sin(2 * np.pi * (hours - first) / 24)
        + swing / 3 * np.sin(4 * np.pi * (hours - second) / 24)
    )


def _noise(rng: np.random.Generator) -> Floats:
    """Factors that differ by 4 % and remember about ten minutes."""
    keeps = 0.9
    steps = rng.normal(0, 0.04 * np.sqrt(1 - keeps**2), MINUTES)
    noise = np.empty(MINUTES)
    value = 0.0
    for minute, step in enumerate(steps):
        value = keeps * value + step
        noise[minute] = value
    return np.exp(noise)


def _diurnal(_own: np.random.Generator, _habits: np.random.Generator) -> Floats:
    return np.ones(MINUTES)


def _weekly(_own: np.random.Generator, habits: np.random.Generator) -> Floats:
    quiet = habits.uniform(0.35, 0.7)
    weekend = (np.arange(MINUTES) // 1440) >= 5
    return np.where(weekend, quiet, 1.0)


def _bursts(own: np.random.Generator, habits: np.random.Generator) -> Floats:
    """About 40 bursts a week, a quarter to three quarters more for 3 to 20 minutes."""
    rate = np.ones(MINUTES)
    tallest = habits.uniform(1.4, 1.75)
    for _ in range(own.poisson(40)):
        start, length = own.integers(0, MINUTES - 30), own.integers(3, 21)
        rate[start : start + length] *= own.uniform(1.25, tallest)
    return np.minimum(rate, tallest)


def _ramps(own: np.random.Generator, habits: np.random.Generator) -> Floats:
    """Two ramps a day to two to three times the level within 20 to 60 minutes, and back."""
    rate = np.ones(MINUTES)
    hours = habits.integers(1, 20, 2)
    height, minutes = habits.uniform(1.0, 2.0), int(habits.integers(20, 61))
    rise = np.concatenate((np.linspace(0, 1, minutes), np.ones(45), np.linspace(1, 0, minutes)))
    for day in range(7):
        for hour in hours:
            start = day * 1440 + int(hour) * 60 + int(own.integers(0, 16))
            end = min(MINUTES, start + len(rise))
            rate[start:end] = np.maximum(
                rate[start:end], 1 + height * own.uniform(0.92, 1.08) * rise[: end - start]
            )
    return rate


def _flash_crowd(own: np.random.Generator, habits: np.random.Generator) -> Floats:
    """Three crowds a week, each on a day of its own, within half an hour of the trace's hour."""
    hour = int(habits.integers(1, 20))
    starts = [
        day * 1440 + hour * 60 + int(own.integers(-30, 31))
        for day in own.choice(7, 3, replace=False)
    ]
    return _crowds(starts, own, habits)


def _surprise(own: np.random.Generator, habits: np.random.Generator) -> Floats:
    """One crowd a week at any hour of any day: nothing in one week tells of the next one's."""
    return _crowds([int(own.integers(0, MINUTES - 400))], own, habits)


def _crowds(starts: list[int], own: np.random.Generator, habits: np.random.Generator) -> Floats:
    """Up to 2.5 times the level within 3 to 8 minutes, then it fades within hours."""
    rate = np.ones(MINUTES)
    height, minutes = habits.uniform(0.8, 1.5), int(habits.integers(3, 9))
    crowd = np.concatenate((np.linspace(0, 1, minutes), np.exp(-np.arange(300) / 60)))
    for start in starts:
        end = min(MINUTES, start + len(crowd))
        rate[start:end] += height * own.uniform(0.92, 1.08) * crowd[: end - start]
    return rate


Shape = Callable[[np.random.Generator, np.random.Generator], Floats]
FAMILIES: dict[str, Shape] = {
    "diurnal": _diurnal,
    "weekly": _weekly,
    "bursts": _bursts,
    "ramps": _ramps,
    "flash-crowd": _flash_crowd,
    "surprise": _surprise,
}
UNFORESEEABLE = "surprise"
"""The family that is reported apart."""
