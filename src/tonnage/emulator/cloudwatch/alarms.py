"""
Alarms: what they watch, the state they are in, and what became of them.
"""

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from tonnage.emulator._wall import WallTime
from tonnage.scaling import MetricAlarm

__all__ = [
    "ACTION_LISTS",
    "Alarm",
    "AlarmBook",
    "HistoryItem",
    "alarm_members",
    "state_reason",
]

ACTION_LISTS: Final = ("OKActions", "AlarmActions", "InsufficientDataActions")

_KEPT_HISTORY: Final = 5000
_SUMMARY_CHARACTERS: Final = 255
_WORDS: Final = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
_KEPT: Final = (
    *("AlarmName", "AlarmDescription", "MetricName", "Namespace", "Statistic", "Period", "Unit"),
    *("ExtendedStatistic", "EvaluationPeriods", "DatapointsToAlarm", "Threshold", "Metrics"),
    *("ComparisonOperator", "TreatMissingData", "EvaluateLowSampleCountPercentile"),
)


def alarm_members(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``DescribeAlarms`` gives back of ``PutMetricAlarm``'s parameters."""
    return {
        "ActionsEnabled": given.get("ActionsEnabled", True),
        "Dimensions": given.get("Dimensions", []),
        **{name: given.get(name, []) for name in ACTION_LISTS},
        **{name: given[name] for name in _KEPT if name in given},
    }


@dataclass(slots=True)
class Alarm:
    """
    A metric alarm.

    Attributes:
        members: What ``PutMetricAlarm`` set, as ``DescribeAlarms`` gives it back.
        arn: Its ARN.
        owner: The scaling policy that made it and evaluates it; None for a user's own.
        state: ``OK``, ``ALARM`` or ``INSUFFICIENT_DATA``.
        reason: Why, in words.
        reason_data: Why, as JSON; empty where there is none.
        configured_seconds: When it was last put, on the emulator's clock.
        updated_seconds: When its state was last set, likewise.
        transitioned_seconds: When its state last changed, likewise.
        rule: When it fires; None for a policy's, which has its own law.
    """

    members: Mapping[str, Any]
    arn: str
    owner: str | None
    configured_seconds: float
    updated_seconds: float
    transitioned_seconds: float
    rule: MetricAlarm | None = None
    state: str = "INSUFFICIENT_DATA"
    reason: str = "Unchecked: Initial alarm creation"
    reason_data: str = ""

    @property
    def name(self) -> str:
        """Its name."""
        name: str = self.members["AlarmName"]
        return name


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryItem:
    """
    One thing that happened to an alarm.

    Attributes:
        alarm_name: Which alarm.
        at_seconds: When, on the emulator's clock.
        kind: ``ConfigurationUpdate``, ``StateUpdate`` or ``Action``.
        summary: In words.
        data: As JSON.
    """

    alarm_name: str
    at_seconds: float
    kind: str
    summary: str
    data: str


@dataclass(slots=True)
class AlarmBook:
    """
    All alarms, by name.

    Attributes:
        wall: The emulator's clock beside the wall clock.
        region: Where they are said to be.
        account: Whose they are said to be.
        history: What happened to them, oldest first.
    """

    wall: WallTime
    region: str
    account: str
    history: deque[HistoryItem] = field(default_factory=lambda: deque(maxlen=_KEPT_HISTORY))
    _alarms: dict[str, Alarm] = field(default_factory=dict)
    _listeners: list[Callable[[], None]] = field(default_factory=list)

    def put(
        self,
        members: Mapping[str, Any],
        *,
        owner: str | None = None,
        rule: MetricAlarm | None = None,
    ) -> Alarm:
        """Make an alarm, or change one, which keeps its state."""
        now = self.wall.clock.now_seconds()
        name: str = members["AlarmName"]
        known = self._alarms.get(name)
        if known is None:
            arn = f"arn:aws:cloudwatch:{self.region}:{self.account}:alarm:{name}"
            known = self._alarms[name] = Alarm(members, arn, owner, now, now, now, rule)
            self._note(name, "ConfigurationUpdate", f'Alarm "{name}" created', {"type": "Create"})
        else:
            known.members, known.owner, known.rule = members, owner, rule
            known.configured_seconds = now
            self._note(name, "ConfigurationUpdate", f'Alarm "{name}" updated', {"type": "Update"})
        self._tell()
        return known

    def delete(self, names: Iterable[str]) -> None:
        """Forget alarms; names of none are fine."""
        for name in names:
            if self._alarms.pop(name, None) is not None:
                self._note(
                    name, "ConfigurationUpdate", f'Alarm "{name}" deleted', {"type": "Delete"}
                )
        self._tell()

    def get(self, name: str) -> Alarm | None:
        """Return one, None if there is none of this name."""
        return self._alarms.get(name)

    def all(self) -> list[Alarm]:
        """Return all, by name."""
        return [self._alarms[name] for name in sorted(self._alarms)]

    def set_state(self, alarm: Alarm, state: str, reason: str, reason_data: str = "") -> None:
        """Note the state that an alarm is in; a change is history."""
        alarm.reason, alarm.reason_data = reason, reason_data
        alarm.updated_seconds = self.wall.clock.now_seconds()
        if state != alarm.state:
            before, alarm.state = alarm.state, state
            alarm.transitioned_seconds = alarm.updated_seconds
            data = {"oldState": {"stateValue": before}, "newState": {"stateValue": state}}
            data["newState"]["stateReason"] = reason
            self._note(alarm.name, "StateUpdate", f"Alarm updated from {before} to {state}", data)

    def note_action(self, alarm: Alarm, action_arn: str) -> None:
        """Note that an alarm's action was carried out."""
        summary = f"Successfully executed action {action_arn}"
        data = {"actionState": "Succeeded", "notificationResource": action_arn}
        self._note(alarm.name, "Action", summary, data)

    def subscribe(self, on_change: Callable[[], None]) -> None:
        """Have ``on_change`` called after an alarm was put or deleted."""
        self._listeners.append(on_change)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    def _note(self, name: str, kind: str, summary: str, data: Mapping[str, Any]) -> None:
        self.history.append(
            HistoryItem(
                alarm_name=name,
                at_seconds=self.wall.clock.now_seconds(),
                kind=kind,
                summary=summary[:_SUMMARY_CHARACTERS],
                data=json.dumps({"version": "1.0", **data}),
            )
        )


def state_reason(
    state: str,
    operator: str,
    threshold: float,
    datapoints: Sequence[tuple[float, float]],
    needed: int,
) -> str:
    """
    Return an alarm's ``StateReason``.

    Args:
        state: The state it is in now.
        operator: ``ComparisonOperator``.
        threshold: What the datapoints are compared with.
        datapoints: Wall-clock time and value of those looked at, the newest last.
        needed: How many must breach.
    """
    if state == "INSUFFICIENT_DATA":
        count = max(1, needed - len(datapoints))
        were = "datapoints were" if count > 1 else "datapoint was"
        return f"Insufficient Data: {count} {were} unknown."
    breached = state == "ALARM"
    newest = datapoints[-needed:] if breached else datapoints[-1:]
    shown = ", ".join(
        f"{value:.6g} ({datetime.fromtimestamp(at, UTC):%d/%m/%y %H:%M:%S})"
        for at, value in reversed(newest)
    )
    count = len(newest)
    verb = ("were" if count > 1 else "was") + ("" if breached else " not")
    change = "OK -> ALARM" if breached else "ALARM -> OK"
    least = needed if breached else 1
    return (
        f"Threshold Crossed: {count} out of the last {count} datapoints [{shown}] {verb} "
        f"{_WORDS[operator]} the threshold ({threshold}) "
        f"(minimum {least} datapoint{'s' if least > 1 else ''} for {change} transition)."
    )
