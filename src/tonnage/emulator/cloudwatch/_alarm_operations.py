"""
CloudWatch's operations on alarms.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tonnage.domain import ConfigurationError
from tonnage.emulator.aws import AwsError
from tonnage.emulator.aws.paging import page
from tonnage.scaling import ComparisonOperator, MetricAlarm, TreatMissingData

from .alarms import ACTION_LISTS, Alarm, AlarmBook, HistoryItem, alarm_members
from .metrics import Metric
from .reading import check_period, query_period
from .statistics import statistic_of

__all__ = ["AlarmOperations"]

_PAGE: Final = 50
_MOST_ALARMS: Final = 5000
_NOT_EMULATED: Final = (
    "ThresholdMetricId",
    "EvaluationWindow",
    "WarmUpConfiguration",
    "EvaluationCriteria",
    "EvaluationInterval",
    "ActionConfiguration",
)
_REQUIRED: Final = ("EvaluationPeriods", "ComparisonOperator", "Threshold")


@dataclass(frozen=True, slots=True)
class AlarmOperations:
    """
    The operations.

    Attributes:
        book: The alarms.
    """

    book: AlarmBook

    async def put_metric_alarm(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make or change an alarm of a user's own."""
        name: str = given["AlarmName"]
        known = self.book.get(name)
        if known is None and len(self.book.all()) >= _MOST_ALARMS:
            raise AwsError("LimitExceededFault", f"There are {_MOST_ALARMS} alarms already.")
        if known is not None and known.owner is not None:
            raise _invalid(
                f"The alarm {name} belongs to the scaling policy {known.owner}; change that."
            )
        rule = _rule_of(given)
        self.book.put(alarm_members(given), rule=rule)
        return {}

    async def delete_alarms(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Delete alarms, all or none."""
        names = given["AlarmNames"]
        missing = [name for name in names if self.book.get(name) is None]
        if missing:
            raise AwsError("ResourceNotFound", f"Unknown: {', '.join(missing)}")
        self.book.delete(names)
        return {}

    async def describe_alarms(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return alarms by name, prefix, state or action."""
        kinds = given.get("AlarmTypes", ["MetricAlarm"])
        found = [alarm for alarm in self.book.all() if _is_asked_for(alarm, given)]
        alarms, token = page(
            found if "MetricAlarm" in kinds else [],
            given.get("NextToken"),
            given.get("MaxRecords", _PAGE),
            code="InvalidNextToken",
        )
        return {
            "MetricAlarms": [self._described(alarm) for alarm in alarms],
            "CompositeAlarms": [],
            "NextToken": token,
        }

    async def describe_alarms_for_metric(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the alarms on one metric."""
        metric = Metric.of(given)
        exact = ("Statistic", "ExtendedStatistic", "Period", "Unit")
        found = [
            alarm
            for alarm in self.book.all()
            if "MetricName" in alarm.members
            and Metric.of(alarm.members) == metric
            and all(alarm.members.get(name) == given[name] for name in exact if name in given)
        ]
        return {"MetricAlarms": [self._described(alarm) for alarm in found]}

    async def set_alarm_state(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Set an alarm's state until it is next evaluated."""
        alarm = self.book.get(given["AlarmName"])
        if alarm is None:
            raise AwsError("ResourceNotFound", f"Unknown: {given['AlarmName']}")
        data = given.get("StateReasonData", "")
        self.book.set_state(alarm, given["StateValue"], given["StateReason"], data)
        return {}

    async def enable_alarm_actions(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Let alarms act."""
        return self._acting(given, enabled=True)

    async def disable_alarm_actions(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Keep alarms from acting."""
        return self._acting(given, enabled=False)

    async def describe_alarm_history(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what happened to alarms, the newest first unless asked otherwise."""
        found = [item for item in self.book.history if self._is_in(item, given)]
        if given.get("ScanBy") != "TimestampAscending":
            found.reverse()
        items, token = page(
            found, given.get("NextToken"), given.get("MaxRecords", _PAGE), code="InvalidNextToken"
        )
        described = [
            {
                "AlarmName": item.alarm_name,
                "AlarmType": "MetricAlarm",
                "Timestamp": self.book.wall.epoch_of(item.at_seconds),
                "HistoryItemType": item.kind,
                "HistorySummary": item.summary,
                "HistoryData": item.data,
            }
            for item in items
        ]
        return {"AlarmHistoryItems": described, "NextToken": token}

    def _acting(self, given: Mapping[str, Any], *, enabled: bool) -> Mapping[str, Any]:
        for name in given["AlarmNames"]:
            alarm = self.book.get(name)
            if alarm is not None:
                changed = {**alarm.members, "ActionsEnabled": enabled}
                self.book.put(changed, owner=alarm.owner, rule=alarm.rule)
        return {}

    def _is_in(self, item: HistoryItem, given: Mapping[str, Any]) -> bool:
        at = self.book.wall.epoch_of(item.at_seconds)
        return bool(
            given.get("AlarmName", item.alarm_name) == item.alarm_name
            and given.get("HistoryItemType", item.kind) == item.kind
            and given.get("StartDate", at) <= at <= given.get("EndDate", at)
        )

    def _described(self, alarm: Alarm) -> dict[str, Any]:
        epoch_of = self.book.wall.epoch_of
        return {
            **alarm.members,
            "AlarmArn": alarm.arn,
            "AlarmConfigurationUpdatedTimestamp": epoch_of(alarm.configured_seconds),
            "StateValue": alarm.state,
            "StateReason": alarm.reason,
            "StateReasonData": alarm.reason_data or None,
            "StateUpdatedTimestamp": epoch_of(alarm.updated_seconds),
            "StateTransitionedTimestamp": epoch_of(alarm.transitioned_seconds),
        }


def _is_asked_for(alarm: Alarm, given: Mapping[str, Any]) -> bool:
    prefix = given.get("ActionPrefix", "")
    actions = [action for key in ACTION_LISTS for action in alarm.members[key]]
    return bool(
        alarm.name in given.get("AlarmNames", (alarm.name,))
        and alarm.name.startswith(given.get("AlarmNamePrefix", ""))
        and given.get("StateValue", alarm.state) == alarm.state
        and (not prefix or any(action.startswith(prefix) for action in actions))
    )


def _rule_of(given: Mapping[str, Any]) -> MetricAlarm:
    for name in _NOT_EMULATED:
        if name in given:
            raise _invalid(f"{name} is not emulated.")
    missing = [name for name in _REQUIRED if name not in given]
    if missing:
        raise _invalid(f"The parameter {missing[0]} is required.")
    operator = given["ComparisonOperator"]
    if operator not in set(ComparisonOperator):
        raise _invalid(f"The ComparisonOperator {operator} of anomaly detection is not emulated.")
    treatment = given.get("TreatMissingData", "missing")
    if treatment not in set(TreatMissingData):
        raise _invalid(f"Option {treatment} for TreatMissingData is not supported.")
    period = _watched_period(given)
    try:
        return MetricAlarm.of(
            threshold=given["Threshold"],
            name=given["AlarmName"],
            comparison_operator=ComparisonOperator(operator),
            metric_name=given.get("MetricName", ""),
            namespace=given.get("Namespace", ""),
            period_seconds=float(period),
            evaluation_periods=given["EvaluationPeriods"],
            datapoints_to_alarm=given.get("DatapointsToAlarm"),
            treat_missing_data=TreatMissingData(treatment),
        )
    except ConfigurationError as error:
        raise _invalid(error.message) from error


def _watched_period(given: Mapping[str, Any]) -> int:
    """Return the period of what an alarm watches: one metric, or the one query that is returned."""
    if "Metrics" in given:
        if "MetricName" in given:
            raise _invalid("Metrics list and MetricName may not both be given.")
        returned = [query for query in given["Metrics"] if query.get("ReturnData", True)]
        if len(returned) != 1:
            raise _invalid("Exactly one element of the metrics list should return data.")
        return query_period(given["Metrics"])
    for name in ("MetricName", "Namespace", "Period"):
        if name not in given:
            raise _invalid(f"The parameter {name} is required.")
    statistics = [given[name] for name in ("Statistic", "ExtendedStatistic") if name in given]
    if len(statistics) != 1:
        raise _invalid("Exactly one of Statistic and ExtendedStatistic must be specified.")
    statistic_of(statistics[0])
    check_period(given["Period"])
    return int(given["Period"])


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
