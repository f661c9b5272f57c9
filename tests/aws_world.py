"""
A production variant on a clock that is moved by hand, with all that watches and scales it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.validate import ParamValidator

from tonnage.domain import CapacityError, ManualClock, ScaledClock
from tonnage.emulator._metrics import VariantMetrics
from tonnage.emulator._scaler import ScalingControl
from tonnage.emulator.aws import AwsFront
from tonnage.emulator.aws._models import JsonValue, Shape, service_model
from tonnage.emulator.aws._validation import checked_input

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

EPOCH = 1_800_000_000.0
NAMED = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/prices/variant/linear",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
TRACKING = {
    "TargetValue": 60.0,
    "PredefinedMetricSpecification": {
        "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
    },
    "ScaleInCooldown": 60,
    "ScaleOutCooldown": 60,
}


@dataclass(eq=False)
class FakeVariant:
    """A variant whose instances come and go when the test says so."""

    metrics: VariantMetrics
    endpoint_name: str = "prices"
    variant_name: str = "linear"
    instance_type: str = "ml.c5.large"
    desired_instance_count: int = 1
    in_service_instance_count: int = 1
    is_held: bool = False
    refuses: str = ""
    on_change: Callable[[FakeVariant], None] = lambda _variant: None

    @property
    def is_updating(self) -> bool:
        return self.is_held or self.desired_instance_count != self.in_service_instance_count

    def set_desired_instance_count(self, count: int) -> None:
        if self.refuses:
            raise CapacityError(self.refuses)
        self.desired_instance_count = count
        self.on_change(self)

    def settle(self) -> None:
        """Let what was asked for be in service."""
        self.in_service_instance_count = self.desired_instance_count
        self.on_change(self)


@dataclass
class FakeVariants:
    """``Variants`` as a list."""

    there: list[FakeVariant] = field(default_factory=list)
    observers: list[Callable[[Any], None]] = field(default_factory=list)

    def find(self, endpoint_name: str, variant_name: str) -> FakeVariant | None:
        names = endpoint_name, variant_name
        found = (one for one in self.there if (one.endpoint_name, one.variant_name) == names)
        return next(found, None)

    def all(self) -> Iterable[FakeVariant]:
        return list(self.there)

    def subscribe(self, on_change: Callable[[Any], None]) -> None:
        self.observers.append(on_change)

    def changed(self, variant: FakeVariant) -> None:
        for observer in self.observers:
            observer(variant)


class World:
    """All of it, with operations called as the front calls them, and each answer checked."""

    def __init__(self, *, time_scale: float = 1.0, metric_delay_seconds: float = 0.0) -> None:
        self.machine = ManualClock(500.0)
        self.clock = ScaledClock(time_scale=time_scale, origin_seconds=500.0, clock=self.machine)
        self.variants = FakeVariants()
        self.control = ScalingControl(
            self.variants,
            self.clock,
            metric_delay_seconds=metric_delay_seconds,
            now_epoch_seconds=lambda: EPOCH + self.machine.seconds - 500.0,
        )
        self.done = 0
        self.variant = self.add()

    def add(self, **members: object) -> FakeVariant:
        """Make a variant."""
        variant = FakeVariant(VariantMetrics(self.clock), on_change=self.variants.changed)
        for name, value in members.items():
            setattr(variant, name, value)
        self.variants.there.append(variant)
        return variant

    def remove(self, variant: FakeVariant) -> None:
        """Let a variant end."""
        self.variants.there.remove(variant)
        self.variants.changed(variant)

    def front(self) -> AwsFront:
        """Return the control plane in front of it."""
        return AwsFront(self.control.services())

    def call(self, operation: str, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Call an operation with checked input, and hold its answer against botocore's model."""
        for service in self.control.services():
            if operation in service.operations:
                model = service_model(service.name).operation_model(operation)
                parameters = checked_input(model.input_shape, dict(given or {}))
                answer = asyncio.run(service.operations[operation](parameters))
                return checked_output(model.output_shape, answer)
        raise AssertionError(f"there is no {operation}")

    def advance(self, seconds: float) -> None:
        """Move the emulator's clock on, evaluating what ends meanwhile, in order."""
        end = self.clock.now_seconds() + seconds
        delay = self.control.cloudwatch.store.metric_delay_seconds
        while (due := (self.done + 1) * 10.0) + delay <= end + 1e-6:
            self._move_to(due + delay)
            self.done += 1
            self.control.loop.evaluate(due)
        self._move_to(end)

    def invoke(self, count: int, *, status: int = 200, milliseconds: float = 10.0) -> None:
        """Have so many invocations come and be answered now."""
        metrics = self.variant.metrics
        for _ in range(count):
            counts = metrics.arrived(self.variant.in_service_instance_count)
            metrics.answered(
                counts, status=status, model_seconds=milliseconds / 1e3, overhead_seconds=0.001
            )

    def minutes(self, count: int, invocations: int) -> None:
        """Let minutes pass with so many invocations in each."""
        for _ in range(count):
            self.invoke(invocations)
            self.advance(60.0)

    def alarms(self) -> dict[str, str]:
        """Return each alarm's state, by its name without the id at its end."""
        described = self.call("DescribeAlarms")["MetricAlarms"]
        return {alarm["AlarmName"][:-37]: alarm["StateValue"] for alarm in described}

    def activities(self, **given: object) -> list[dict[str, Any]]:
        """Return the scaling activities, the newest first."""
        found = self.call("DescribeScalingActivities", {"ServiceNamespace": "sagemaker", **given})
        activities: list[dict[str, Any]] = found["ScalingActivities"]
        return activities

    def _move_to(self, seconds: float) -> None:
        real = (seconds - self.clock.now_seconds()) / self.clock.time_scale
        self.machine.advance(max(0.0, real))


def checked_output(shape: Shape | None, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer as a client has it, or fail where it breaks its shape."""
    if shape is None:
        assert not answer
        return {}
    plain = without_nulls(answer)
    report = ParamValidator().validate(plain, shape)
    assert not report.has_errors(), report.generate_report()
    checked = checked_input(shape, plain)
    assert checked == plain, "it has members that its shape does not know"
    return checked


def without_nulls(value: JsonValue) -> JsonValue:
    """Return a value without the members that are null, which the front leaves out."""
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value
