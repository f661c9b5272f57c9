"""
What the fleet did, as it happened, for reports.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tonnage.domain import FaultEvent, FleetTimeline, ScalingActivity

__all__ = ["Timeline", "Timelines"]


@dataclass(slots=True)
class Timeline:
    """
    Events on the machine's monotonic clock, oldest first.

    Attributes:
        time_scale: Seconds of the emulator's clock in a real second.
    """

    time_scale: float
    _instances: list[tuple[float, int, int]] = field(default_factory=list)
    _datapoints: list[tuple[float, float]] = field(default_factory=list)
    _activities: list[ScalingActivity] = field(default_factory=list)
    _faults: list[FaultEvent] = field(default_factory=list)

    @property
    def faults(self) -> Sequence[FaultEvent]:
        """The faults that happened, oldest first."""
        return self._faults

    def instances_changed(self, at_seconds: float, desired: int, in_service: int) -> None:
        """Note the counts after a change."""
        if not self._instances or self._instances[-1][1:] != (desired, in_service):
            self._instances.append((at_seconds, desired, in_service))

    def period_ended(self, at_seconds: float, invocations_per_instance: float) -> None:
        """Note a period's datapoint."""
        self._datapoints.append((at_seconds, invocations_per_instance))

    def activity_started(self, activity: ScalingActivity) -> None:
        """Note a scaling decision."""
        self._activities.append(activity)

    def activity_ended(self, at_seconds: float) -> None:
        """Note that what the last decision asked for is done."""
        if self._activities and self._activities[-1].in_service_at_seconds is None:
            last = self._activities[-1]
            self._activities[-1] = replace(last, in_service_at_seconds=at_seconds)

    def fault_happened(self, fault: FaultEvent) -> None:
        """Note a fault that was injected."""
        self._faults.append(fault)

    def since(self, origin_seconds: float) -> FleetTimeline:
        """Return all of it, in seconds since ``origin_seconds``; before it only the last state."""
        before = [state for state in self._instances if state[0] <= origin_seconds][-1:]
        after = [state for state in self._instances if state[0] > origin_seconds]
        return FleetTimeline(
            time_scale=self.time_scale,
            instances=[
                (max(0.0, at - origin_seconds), desired, in_service)
                for at, desired, in_service in (*before, *after)
            ],
            invocations_per_instance=[
                (at - origin_seconds, value)
                for at, value in self._datapoints
                if at > origin_seconds
            ],
            activities=[
                _shifted(activity, origin_seconds)
                for activity in self._activities
                if activity.at_seconds > origin_seconds
            ],
            faults=[
                replace(fault, at_seconds=fault.at_seconds - origin_seconds)
                for fault in self._faults
                if fault.at_seconds > origin_seconds
            ],
        )


@dataclass(slots=True)
class Timelines:
    """
    One timeline for each production variant, made when it is first asked for.

    Attributes:
        time_scale: Seconds of the emulator's clock in a real second.
    """

    time_scale: float
    _timelines: dict[tuple[str, str], Timeline] = field(default_factory=dict)

    def of(self, endpoint_name: str, variant_name: str) -> Timeline:
        """Return a variant's timeline, that of an ended one of the same name included."""
        key = endpoint_name, variant_name
        if key not in self._timelines:
            self._timelines[key] = Timeline(self.time_scale)
        return self._timelines[key]


def _shifted(activity: ScalingActivity, origin_seconds: float) -> ScalingActivity:
    done = activity.in_service_at_seconds
    return replace(
        activity,
        at_seconds=activity.at_seconds - origin_seconds,
        in_service_at_seconds=None if done is None else done - origin_seconds,
    )
