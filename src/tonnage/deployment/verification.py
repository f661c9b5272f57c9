"""
``tonnage verify``: what runs, held against what was planned.

The load line is held against every minute of the window: a minute that missed its objective below
the planned line contradicts it, and one that met it above says that it is higher. Nothing is
extrapolated: a window without traffic says nothing of the line, and that is said.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tonnage.domain import Objective, format_duration, format_fraction, format_rate
from tonnage.planning import HOURS_A_MONTH, PriceBook, find_type

from .live import Clients, LiveEndpoint, LiveScaling, Minute, read_endpoint
from .settings import InstanceVariant, Scaling, ServerlessVariant, StepPolicy

__all__ = ["Expected", "Finding", "Verification", "hold_against", "verify"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Expected:
    """
    What was planned.

    Attributes:
        endpoint_name: The endpoint.
        variant: Its variant, sizes and scaling.
        objective: What it must meet.
        line_per_second: What one instance carries; None if that is not known.
        instances_usd_month: What its instances were to cost; None if that is not known.
        tolerance: By which fraction cost and line may be off.
    """

    endpoint_name: str
    variant: InstanceVariant | ServerlessVariant
    objective: Objective
    line_per_second: float | None = None
    instances_usd_month: float | None = None
    tolerance: float = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """
    One thing that was compared.

    Attributes:
        what: Its name, as AWS spells it where AWS has one.
        planned: What was planned.
        actual: What is.
        is_drift: Whether they differ; False for what is only told.
    """

    what: str
    planned: Any
    actual: Any
    is_drift: bool

    def __str__(self) -> str:
        mark = "drift" if self.is_drift else "ok"
        return f"{mark:5}  {self.what}: {self.actual} (planned: {self.planned})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """
    What came of it.

    Attributes:
        endpoint_name: The endpoint.
        findings: Everything that was compared.
        notes: What could not be.
        window_seconds: How far back was looked.
        minutes: How many minutes of it had traffic.
    """

    endpoint_name: str
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    window_seconds: float
    minutes: int

    @property
    def drift(self) -> tuple[Finding, ...]:
        """What differs."""
        return tuple(finding for finding in self.findings if finding.is_drift)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "endpoint": self.endpoint_name,
            "verdict": "drift" if self.drift else "as planned",
            "drift": [finding.what for finding in self.drift],
            "findings": [
                {
                    "what": finding.what,
                    "planned": finding.planned,
                    "actual": finding.actual,
                    "drift": finding.is_drift,
                }
                for finding in self.findings
            ],
            "notes": list(self.notes),
            "window_seconds": self.window_seconds,
            "minutes_with_traffic": self.minutes,
        }


def verify(
    clients: Clients,
    expected: Expected,
    book: PriceBook,
    *,
    now: datetime,
    window_seconds: float = 3 * 3600.0,
) -> Verification:
    """
    Hold a running endpoint against its plan.

    Args:
        clients: Service → its boto3 client; only read.
        expected: What was planned.
        book: The prices.
        now: The end of the window of metrics.
        window_seconds: How far back to look.

    Raises:
        ConfigurationError: If there is no such endpoint or variant.
        DeploymentError: If AWS does not answer, or refuses.
    """
    live = read_endpoint(
        clients,
        expected.endpoint_name,
        expected.variant.variant_name,
        expected.objective.latency,
        now=now,
        window_seconds=window_seconds,
    )
    return hold_against(expected, live, book)


def hold_against(expected: Expected, live: LiveEndpoint, book: PriceBook) -> Verification:
    """Compare what is with what was planned; pure."""
    findings = [_equal("EndpointStatus", "InService", live.status)]
    variant = expected.variant
    if isinstance(variant, ServerlessVariant):
        findings += _serverless(variant, live)
    else:
        findings += [*_instances(variant, live), *_scaled(variant.scaling, live.scaling)]
        findings += _cost(expected, variant, live, book)
    findings += [*_objective(expected.objective, live.minutes), *_line(expected, live.minutes)]
    return Verification(
        endpoint_name=live.name,
        findings=tuple(findings),
        notes=tuple(_notes(expected, live)),
        window_seconds=live.window_seconds,
        minutes=len(live.minutes),
    )


def _equal(what: str, planned: object, actual: object) -> Finding:
    return Finding(what=what, planned=planned, actual=actual, is_drift=planned != actual)


def _serverless(variant: ServerlessVariant, live: LiveEndpoint) -> Iterator[Finding]:
    sizes = live.variant.get("ServerlessConfig", {})
    yield _equal("MemorySizeInMB", variant.memory_size_mb, sizes.get("MemorySizeInMB"))
    yield _equal("MaxConcurrency", variant.max_concurrency, sizes.get("MaxConcurrency"))
    provisioned = sizes.get("ProvisionedConcurrency")
    yield _equal("ProvisionedConcurrency", variant.provisioned_concurrency, provisioned)


def _instances(variant: InstanceVariant, live: LiveEndpoint) -> Iterator[Finding]:
    yield _equal("InstanceType", variant.instance_type, live.variant.get("InstanceType"))
    count, scaling = live.current_instance_count, variant.scaling
    if scaling is None:
        yield _equal("CurrentInstanceCount", variant.initial_instance_count, count)
        return
    low, high = _bounds(scaling)
    yield Finding(
        what="CurrentInstanceCount",
        planned=f"{low} to {high}",
        actual=count,
        is_drift=count is None or not low <= count <= high,
    )


def _bounds(scaling: Scaling) -> tuple[int, int]:
    lows = [each.min_capacity for each in scaling.scheduled if each.min_capacity]
    highs = [each.max_capacity for each in scaling.scheduled if each.max_capacity]
    return min([scaling.min_capacity, *lows]), max([scaling.max_capacity, *highs])


def _scaled(planned: Scaling | None, actual: LiveScaling | None) -> Iterator[Finding]:
    if planned is None or actual is None:
        yield _equal(
            "ScalableTarget",
            "not registered" if planned is None else "registered",
            "not registered" if actual is None else "registered",
        )
        return
    # A scheduled action moves the bounds of the target, and is meant to.
    if not planned.scheduled:
        yield _equal("MinCapacity", planned.min_capacity, actual.min_capacity)
        yield _equal("MaxCapacity", planned.max_capacity, actual.max_capacity)
    yield from _policies(planned, actual)
    for action in planned.scheduled:
        there = actual.scheduled.get(action.name, {})
        bounds = there.get("ScalableTargetAction", {})
        yield _equal(
            f"scheduled action {action.name}",
            f"{action.schedule}: {action.min_capacity} to {action.max_capacity}",
            f"{there['Schedule']}: {bounds.get('MinCapacity')} to {bounds.get('MaxCapacity')}"
            if there
            else "missing",
        )
    for name in sorted(set(actual.scheduled) - {each.name for each in planned.scheduled}):
        yield _equal(f"scheduled action {name}", "none", "there")


def _policies(planned: Scaling, actual: LiveScaling) -> Iterator[Finding]:
    tracking = actual.policies.get(planned.policy_name)
    if tracking is None:
        yield _equal(f"scaling policy {planned.policy_name}", "there", "missing")
    else:
        told = tracking.get("TargetTrackingScalingPolicyConfiguration", {})
        metric = told.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
        yield _equal("PredefinedMetricType", planned.metric, metric)
        yield _equal("TargetValue", planned.target_value, told.get("TargetValue"))
        yield _equal(
            "ScaleInCooldown", planned.scale_in_cooldown_seconds, told.get("ScaleInCooldown")
        )
        yield _equal(
            "ScaleOutCooldown", planned.scale_out_cooldown_seconds, told.get("ScaleOutCooldown")
        )
    for step in planned.step:
        there = actual.policies.get(step.policy_name)
        yield _equal(
            f"scaling policy {step.policy_name}",
            _step_shape(step),
            _live_step_shape(there) if there else "missing",
        )
    known = {planned.policy_name, *(step.policy_name for step in planned.step)}
    for name in sorted(set(actual.policies) - known):
        yield _equal(f"scaling policy {name}", "none", "there")


def _step_shape(step: StepPolicy) -> dict[str, Any]:
    bounds = [
        [each.metric_interval_lower_bound, each.metric_interval_upper_bound]
        for each in step.step_adjustments
    ]
    changes = [each.scaling_adjustment for each in step.step_adjustments]
    return {
        "AdjustmentType": step.adjustment_type,
        "Cooldown": step.cooldown_seconds,
        "StepAdjustments": [[*each, change] for each, change in zip(bounds, changes, strict=True)],
    }


def _live_step_shape(policy: Any) -> dict[str, Any]:  # noqa: ANN401 (boto3's answer)
    told = policy.get("StepScalingPolicyConfiguration", {})
    return {
        "AdjustmentType": told.get("AdjustmentType"),
        "Cooldown": told.get("Cooldown"),
        "StepAdjustments": [
            [
                each.get("MetricIntervalLowerBound"),
                each.get("MetricIntervalUpperBound"),
                each["ScalingAdjustment"],
            ]
            for each in told.get("StepAdjustments", [])
        ],
    }


def _cost(
    expected: Expected, variant: InstanceVariant, live: LiveEndpoint, book: PriceBook
) -> Iterator[Finding]:
    kind = live.variant.get("InstanceType", variant.instance_type)
    counts = [minute.instances for minute in live.minutes if minute.instances is not None]
    mean = sum(counts) / len(counts) if counts else live.current_instance_count
    if mean is None or kind not in book.types:
        return
    monthly = round(float(find_type(kind, book).price.usd) * HOURS_A_MONTH * mean, 2)
    planned = expected.instances_usd_month
    yield Finding(
        what="instances, dollars a month",
        planned="not known" if planned is None else planned,
        actual=monthly,
        is_drift=planned is not None and monthly > planned * (1 + expected.tolerance),
    )


def _missed(minute: Minute, objective: Objective) -> bool:
    latency, errors = minute.model_latency_seconds, minute.error_fraction
    return (latency is not None and latency >= objective.latency.threshold_seconds) or (
        errors is not None and errors >= objective.errors.max_fraction > 0
    )


def _objective(objective: Objective, minutes: Sequence[Minute]) -> Iterator[Finding]:
    latencies = [
        minute.model_latency_seconds
        for minute in minutes
        if minute.model_latency_seconds is not None
    ]
    if latencies:
        over = sum(each >= objective.latency.threshold_seconds for each in latencies)
        yield Finding(
            what="ModelLatency",
            planned=str(objective.latency),
            actual=f"{format_duration(max(latencies))} in the worst minute, {over} of"
            f" {len(latencies)} minutes miss it",
            is_drift=over > 0,
        )
    offered = sum(minute.invocations for minute in minutes)
    if offered:
        failed = sum(minute.invocations * (minute.error_fraction or 0.0) for minute in minutes)
        yield Finding(
            what="Invocation5XXErrors",
            planned=str(objective.errors),
            actual=format_fraction(failed / offered),
            is_drift=failed / offered >= objective.errors.max_fraction and failed > 0,
        )


def _line(expected: Expected, minutes: Sequence[Minute]) -> Iterator[Finding]:
    rates = [
        (minute.rate_per_instance, _missed(minute, expected.objective))
        for minute in minutes
        if minute.rate_per_instance is not None
    ]
    line = expected.line_per_second
    if not rates or line is None:
        return
    carried = max((rate for rate, missed in rates if not missed), default=0.0)
    broke = min((rate for rate, missed in rates if missed), default=None)
    actual = f"carried {format_rate(round(carried, 3))} an instance"
    if broke is not None:
        actual += f", missed the objective at {format_rate(round(broke, 3))}"
    yield Finding(
        what="load line",
        planned=f"{format_rate(line)} an instance",
        actual=actual,
        is_drift=broke is not None and broke < line * (1 - expected.tolerance),
    )


def _notes(expected: Expected, live: LiveEndpoint) -> Iterator[str]:
    if not live.minutes:
        yield (
            f"no invocation in the last {format_duration(live.window_seconds)}: latency, errors and"
            " line were not compared"
        )
    elif expected.line_per_second is None:
        yield "the load line was not compared: give --line, or --plan"
    overheads = [
        minute.overhead_latency_seconds
        for minute in live.minutes
        if minute.overhead_latency_seconds is not None
    ]
    if overheads:
        yield (
            "SageMaker's own OverheadLatency comes on top, up to"
            f" {format_duration(max(overheads))}; the client's network is in neither"
        )
    if isinstance(expected.variant, InstanceVariant) and expected.instances_usd_month is None:
        yield "the cost was not compared: give --plan"
