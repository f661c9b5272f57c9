"""
What evaluates a user's own alarms; a scaling policy's are evaluated with its law.
"""

import logging
import math

import numpy as np

from tonnage.emulator.aws import AwsError
from tonnage.scaling import AlarmState, MetricAlarm, metric_alarm_states

from .alarms import Alarm, AlarmBook, state_reason
from .metrics import Metric
from .reading import series_of_queries, stat_series
from .store import MetricStore

__all__ = ["AlarmLoop", "watched_series"]

logger = logging.getLogger(__name__)


class AlarmLoop:
    """
    Evaluates each alarm when a period of its metric has ended.

    Args:
        book: The alarms.
        store: What they watch.
    """

    def __init__(self, book: AlarmBook, store: MetricStore) -> None:
        self._book = book
        self._store = store

    def evaluate(self, moment_seconds: float) -> None:
        """
        Evaluate the alarms whose period ends at a moment, a whole number of their periods.

        A fault in one alarm is logged and keeps no other from its turn.
        """
        for alarm in self._book.all():
            if alarm.rule is not None and moment_seconds % alarm.rule.period_seconds == 0:
                try:
                    self._evaluate(alarm, alarm.rule, moment_seconds)
                except Exception:
                    logger.exception("the alarm %s could not be evaluated", alarm.name)

    def _evaluate(self, alarm: Alarm, rule: MetricAlarm, moment_seconds: float) -> None:
        newest = int(moment_seconds // rule.period_seconds) - 1
        first = newest - rule.kept_datapoints + 1
        series = watched_series(self._store, alarm, rule, first, newest)
        datapoints = np.array([[series.get(n, math.nan)] for n in range(first, newest + 1)])
        before = np.array([AlarmState[alarm.state]], dtype=np.int8)
        state = AlarmState(int(metric_alarm_states(rule, datapoints, before)[0])).name
        wall = self._store.wall
        there = [
            (wall.epoch_of(number * rule.period_seconds), series[number])
            for number in sorted(series)
        ][-rule.evaluation_periods :]
        threshold = float(rule.threshold[0])
        operator = rule.comparison_operator
        if state != alarm.state:
            reason = state_reason(state, operator, threshold, there, rule.needed_datapoints)
            self._book.set_state(alarm, state, reason)


def watched_series(
    store: MetricStore, alarm: Alarm, rule: MetricAlarm, first: int, last: int
) -> dict[int, float]:
    """
    Return what an alarm watches in some periods, by the period's number.

    Raises:
        AwsError: If its expressions are at fault.
    """
    period = rule.period_seconds
    span = first * period, (last + 1) * period
    members = alarm.members
    if "Metrics" not in members:
        statistic = members.get("Statistic") or members["ExtendedStatistic"]
        return stat_series(store, Metric.of(members), statistic, period, span)
    found = series_of_queries(store, members["Metrics"], span)
    for query in members["Metrics"]:
        if query.get("ReturnData", True):
            return found[query["Id"]][1]
    raise AwsError("ValidationException", "no element of the metrics list returns data")
