"""
What a rehearsal is to do.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from tonnage.domain import ConfigurationError
from tonnage.emulator import ScalingOptions, UpOptions
from tonnage.loadtest import LoadPlan

__all__ = ["Experiment", "RehearsalPlan"]

DEFAULT_ALONE_HOLD_SECONDS: Final = 8.0
DEFAULT_SCALED_HOLD_SECONDS: Final = 32.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RehearsalPlan:
    """
    The story's two experiments: one instance alone, and the same with scaling.

    Attributes:
        up: The endpoint, with the scaling policy of the second experiment.
        load: The load test on an uncompressed clock; its spawn rate is compressed like all else,
            its pacing is not. Its URL's host and port, duration, start, name and title are the
            rehearsal's to fill in.
        output: Where records and report go.
        settings: The settings in force, by section, for the record.
        alone_hold_seconds: How long the first experiment lasts after its ramp, on the real clock.
        scaled_hold_seconds: The same for the second.
        planned_hold_seconds: The same for the plan's confirmation, and what the plan is made for.
        confirms_plan: Whether the plan is rehearsed, too: a third load test.
    """

    up: UpOptions
    load: LoadPlan
    output: Path
    settings: dict[str, Any]
    alone_hold_seconds: float = DEFAULT_ALONE_HOLD_SECONDS
    scaled_hold_seconds: float = DEFAULT_SCALED_HOLD_SECONDS
    planned_hold_seconds: float = DEFAULT_ALONE_HOLD_SECONDS
    confirms_plan: bool = False

    def __post_init__(self) -> None:
        if self.up.scaling is None:
            raise ConfigurationError(
                "a rehearsal needs a scaling policy", hint="set enabled = true in [scaling]"
            )

    @property
    def ramp_seconds(self) -> float:
        """How long the ramp lasts on the real clock."""
        return self.load.users / self.spawn_rate_per_second

    @property
    def spawn_rate_per_second(self) -> float:
        """Users per real second."""
        return self.load.spawn_rate_per_second * self.up.local.time_scale

    @property
    def experiments(self) -> "tuple[Experiment, Experiment]":
        """The two experiments, in the order they run."""
        rate = self.up.local.capacity
        cap = f"that carries {rate.rate_per_second:g}/s" if rate else "uncapped"
        scaling = self.up.scaling
        assert scaling is not None
        alone = Experiment(
            name="a-one-instance",
            title=f"A: one instance {cap}, no scaling",
            up=replace(self.up, scaling=None, port=0),
            duration_seconds=self.ramp_seconds + self.alone_hold_seconds,
        )
        scaled = Experiment(
            name="b-scaling",
            title=f"B: the same with scaling {scaling.min_capacity} to {scaling.max_capacity},"
            f" target {scaling.target_value:g} per minute",
            up=replace(self.up, port=0),
            duration_seconds=self.ramp_seconds + self.scaled_hold_seconds,
        )
        return alone, scaled

    @property
    def duration_seconds(self) -> float:
        """How long all its load tests last."""
        third = self.ramp_seconds + self.planned_hold_seconds if self.confirms_plan else 0.0
        return sum(experiment.duration_seconds for experiment in self.experiments) + third

    def confirmation(self, scaling: ScalingOptions | None, initial_count: int) -> "Experiment":
        """Return the third experiment: the same with what was planned."""
        counts = f"{initial_count} instance{'s' if initial_count > 1 else ''}, no scaling"
        if scaling is not None:
            counts = (
                f"scaling {scaling.min_capacity} to {scaling.max_capacity},"
                f" target {scaling.target_value:g} per minute"
            )
        endpoint = replace(self.up.endpoint, initial_instance_count=initial_count)
        return Experiment(
            name="c-plan",
            title=f"C: the plan, {counts}",
            up=replace(self.up, endpoint=endpoint, scaling=scaling, port=0),
            duration_seconds=self.ramp_seconds + self.planned_hold_seconds,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Experiment:
    """
    One load test on one endpoint.

    Attributes:
        name: The record's name.
        title: The record's title.
        up: The endpoint.
        duration_seconds: How long the load lasts, ramp included.
    """

    name: str
    title: str
    up: UpOptions
    duration_seconds: float
