"""
What there is to say of a production variant besides its figures: bounds, alarms, activities.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from tonnage.domain import FaultEvent
from tonnage.emulator._local import LocalSageMaker
from tonnage.emulator._scaler import ScalingControl
from tonnage.emulator._variant import ProductionVariant
from tonnage.emulator.autoscaling.records import Activity, Target
from tonnage.emulator.cloudwatch import Alarm
from tonnage.scaling import INVOCATIONS_PER_INSTANCE, AlarmKind, resource_id

__all__ = ["Facts", "Watched"]

_SHOWN_ACTIVITIES: Final = 40
_SHOWN_FAULTS: Final = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """
    One variant, with all that is said of it.

    Attributes:
        variant: The variant.
        endpoint_status: Its endpoint's status.
        target: Its scalable target; None for one that is not scaled.
        target_value: Invocations per instance and minute that a policy tracks; None without one.
        alarms: Its alarms, each with what it is called here.
        activities: What was done, and what was not, the newest first.
        faults: What was injected, the oldest first.
    """

    variant: ProductionVariant
    endpoint_status: str
    target: Target | None
    target_value: float | None
    alarms: Sequence[tuple[str, Alarm]]
    activities: Sequence[Activity]
    faults: Sequence[FaultEvent]


class Facts:
    """
    Reads what the control plane knows.

    Args:
        sagemaker: The endpoints.
        scaling: What scales them.
    """

    def __init__(self, sagemaker: LocalSageMaker, scaling: ScalingControl) -> None:
        self._sagemaker = sagemaker
        self._scaling = scaling

    def names(self) -> list[tuple[str, str]]:
        """Return every variant's endpoint and name."""
        return [(variant.endpoint_name, variant.variant_name) for variant in self._sagemaker.all()]

    def chosen(
        self, names: Sequence[tuple[str, str]], asked_for: str, own_endpoint: str
    ) -> Watched | None:
        """
        Return what is said of the variant to watch, None if there is none at all.

        Args:
            names: Those to choose from.
            asked_for: ``endpoint/variant``, as the browser asks for it.
            own_endpoint: The endpoint behind the REST API, if there is no such variant.
        """
        wanted = [pair for pair in names if "/".join(pair) == asked_for]
        own = [pair for pair in names if pair[0] == own_endpoint]
        for pair in (*wanted, *own, *names):
            return self.watched(*pair)
        return None

    def watched(self, endpoint_name: str, variant_name: str) -> Watched | None:
        """Return what is said of a variant, None if there is no such one."""
        endpoint = self._sagemaker.endpoints.get(endpoint_name)
        variant = endpoint.variants.get(variant_name) if endpoint else None
        if endpoint is None or variant is None:
            return None
        target = self._target(endpoint_name, variant_name)
        return Watched(
            variant=variant,
            endpoint_status=endpoint.status,
            target=target,
            target_value=_target_value(target),
            alarms=self._alarms(endpoint_name, variant_name),
            activities=self._activities(endpoint_name, variant_name),
            faults=self._scaling.timelines.of(endpoint_name, variant_name).faults[-_SHOWN_FAULTS:],
        )

    def alarm_states(self, endpoint_name: str, variant_name: str) -> dict[str, str]:
        """Return the states of a variant's alarms."""
        return {label: alarm.state for label, alarm in self._alarms(endpoint_name, variant_name)}

    def _target(self, endpoint_name: str, variant_name: str) -> Target | None:
        return self._scaling.book.targets.get(resource_id(endpoint_name, variant_name))

    def _alarms(self, endpoint_name: str, variant_name: str) -> list[tuple[str, Alarm]]:
        """Return the alarms that act on a variant, or watch it."""
        target = self._target(endpoint_name, variant_name)
        arns = {policy.arn for policy in target.policies.values()} if target else set()
        watching = {("EndpointName", endpoint_name), ("VariantName", variant_name)}
        return [
            (_label(alarm, several=len(arns) > 1), alarm)
            for alarm in self._scaling.cloudwatch.alarms.all()
            if not arns.isdisjoint(alarm.members["AlarmActions"])
            or {(one["Name"], one["Value"]) for one in alarm.members["Dimensions"]} == watching
        ]

    def _activities(self, endpoint_name: str, variant_name: str) -> list[Activity]:
        book, wanted = self._scaling.book, resource_id(endpoint_name, variant_name)
        found = [
            activity
            for kept in (book.activities, book.not_scaled)
            for activity in _newest(kept, wanted)
        ]
        found.sort(key=lambda activity: activity.started_seconds, reverse=True)
        return found[:_SHOWN_ACTIVITIES]


def _newest(kept: Sequence[Activity], wanted: str) -> list[Activity]:
    """Return the newest of what is kept of a target."""
    of_target = (activity for activity in reversed(kept) if activity.resource_id == wanted)
    return list(islice(of_target, _SHOWN_ACTIVITIES))


def _label(alarm: Alarm, *, several: bool) -> str:
    """Return what an alarm is called here: a policy's own have names too long to read."""
    if alarm.owner is None:
        return alarm.name
    is_high = str(alarm.members["ComparisonOperator"]).startswith("GreaterThan")
    kind = AlarmKind.HIGH if is_high else AlarmKind.LOW
    return f"{kind} of {alarm.owner.rpartition('policyName/')[2]}" if several else str(kind)


def _target_value(target: Target | None) -> float | None:
    for policy in target.policies.values() if target else ():
        predefined = policy.configuration.get("PredefinedMetricSpecification", {})
        if predefined.get("PredefinedMetricType") == INVOCATIONS_PER_INSTANCE.predefined_type:
            return float(policy.configuration["TargetValue"])
    return None
