"""
CloudWatch as a service of the local port.
"""

from tonnage.emulator.aws import AwsService

from ._alarm_operations import AlarmOperations
from ._metric_operations import MetricOperations
from .alarms import AlarmBook
from .loop import AlarmLoop
from .store import MetricStore

__all__ = ["CloudWatch"]


class CloudWatch:
    """
    The metrics and the alarms of one local port.

    Args:
        store: The metrics.
        region: Where alarms are said to be.
        account: Whose they are said to be.

    Attributes:
        store: The metrics.
        alarms: The alarms.
        loop: What evaluates a user's own alarms.
    """

    def __init__(self, store: MetricStore, *, region: str, account: str) -> None:
        self.store = store
        self.alarms = AlarmBook(store.wall, region, account)
        self.loop = AlarmLoop(self.alarms, store)

    def service(self) -> AwsService:
        """Return its operations."""
        metrics, alarms = MetricOperations(self.store), AlarmOperations(self.alarms)
        return AwsService(
            name="cloudwatch",
            target_prefix="GraniteServiceVersion20100801",
            operations={
                "DeleteAlarms": alarms.delete_alarms,
                "DescribeAlarmHistory": alarms.describe_alarm_history,
                "DescribeAlarms": alarms.describe_alarms,
                "DescribeAlarmsForMetric": alarms.describe_alarms_for_metric,
                "DisableAlarmActions": alarms.disable_alarm_actions,
                "EnableAlarmActions": alarms.enable_alarm_actions,
                "GetMetricData": metrics.get_metric_data,
                "GetMetricStatistics": metrics.get_metric_statistics,
                "ListMetrics": metrics.list_metrics,
                "PutMetricAlarm": alarms.put_metric_alarm,
                "PutMetricData": metrics.put_metric_data,
                "SetAlarmState": alarms.set_alarm_state,
            },
        )
