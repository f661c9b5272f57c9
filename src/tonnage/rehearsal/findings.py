"""
What the two experiments showed, as numbers and as sentences.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from tonnage.domain import (
    LoadSummary,
    Objective,
    Onset,
    RunRecord,
    Samples,
    failure_onset,
    format_duration,
    format_fraction,
    meets,
    summarise,
)

__all__ = [
    "LONGEST_HELD_SECONDS",
    "AloneFindings",
    "ScaledFindings",
    "alone_findings",
    "scaled_findings",
]

LONGEST_HELD_SECONDS: Final = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class AloneFindings:
    """
    Experiment A: where one instance ends.

    Attributes:
        onset: Where failures begin; None when they do not.
        goodput_after_onset_per_second: 2xx answers per second from the onset to the end of the run.
        failed_per_second_at_peak: Failures per second in the last five whole seconds.
        offered_at_peak_per_second: Requests sent per second in them.
        whole: The whole run.
    """

    onset: Onset | None
    goodput_after_onset_per_second: float
    failed_per_second_at_peak: float
    offered_at_peak_per_second: float
    whole: LoadSummary

    def sentences(self) -> list[str]:
        """Say it in words, most important first."""
        if self.onset is None:
            return [
                (
                    "Nothing failed for three seconds on end: one instance carried"
                    f" {self.offered_at_peak_per_second:.0f}/s."
                )
            ]
        return [
            (
                f"Failures begin at {self.onset.offered_per_second:.0f} requests per second"
                f" ({self.onset.at_seconds:.1f} s into the run);"
                f" {format_fraction(self.onset.failed_fraction_before)} failed before that."
            ),
            (
                f"From there on it answers {self.goodput_after_onset_per_second:.0f}/s; at the end"
                f" {self.failed_per_second_at_peak:.0f} of"
                f" {self.offered_at_peak_per_second:.0f} requests fail each second."
            ),
        ]


@dataclass(frozen=True, kw_only=True, slots=True)
class ScaledFindings:
    """
    Experiment B: what scaling holds.

    Attributes:
        first_action: Instances before and after the first scaling activity; None without one.
        metric_value: The datapoint it was decided on, per instance and (compressed) minute.
        decided_at_seconds: When.
        in_service_at_seconds: When all its instances were in service.
        offered_then_per_second: Requests sent in the second before that.
        held: The last seconds, at full load.
        whole: The whole run.
        is_objective_met: Over the same.
        instance_rate_per_second: What one instance carries, when that is capped.
    """

    first_action: tuple[int, int] | None
    metric_value: float
    decided_at_seconds: float
    in_service_at_seconds: float | None
    offered_then_per_second: float
    held: LoadSummary
    whole: LoadSummary
    is_objective_met: bool
    instance_rate_per_second: float | None

    def sentences(self) -> list[str]:
        """Say it in words, most important first."""
        return [
            (
                f"It holds {self.held.throughput_per_second:.0f} requests per second for"
                f" {self.held.window_seconds:.0f} s, {format_fraction(self.held.error_fraction)} of"
                f" them failed; p50 {_latency(self.held, 'p50')}, p99 {_latency(self.held, 'p99')}."
            ),
            (
                f"{self.whole.failed} of {self.whole.requests} requests failed in the whole run"
                f" ({format_fraction(self.whole.error_fraction)})."
            ),
            *self._scaling_sentences(),
        ]

    def _scaling_sentences(self) -> list[str]:
        if self.first_action is None:
            return ["It never scaled."]
        before, after = self.first_action
        sentences = [
            (
                f"One action takes the fleet from {before} to {after} at"
                f" {self.decided_at_seconds:.1f} s, on {self.metric_value:,.0f} invocations per"
                " instance and minute."
            )
        ]
        if self.in_service_at_seconds is not None:
            of = f" of {self.instance_rate_per_second:g}" if self.instance_rate_per_second else ""
            sentences.append(
                f"Margin: {self.offered_then_per_second:.0f}{of} requests per second when the new"
                f" instances came ({self.in_service_at_seconds:.1f} s)."
            )
        return sentences


def alone_findings(record: RunRecord) -> AloneFindings:
    """Derive what experiment A showed from its record."""
    samples, end = record.samples, record.duration_seconds
    onset = failure_onset(samples)
    peak = _summary(samples, end - 5.0, end)
    after = _summary(samples, onset.at_seconds if onset else end - 5.0, end)
    return AloneFindings(
        onset=onset,
        goodput_after_onset_per_second=after.goodput_per_second,
        failed_per_second_at_peak=peak.failed / peak.window_seconds,
        offered_at_peak_per_second=peak.offered_per_second,
        whole=_summary(samples, 0.0, end),
    )


def scaled_findings(
    record: RunRecord,
    objective: Objective,
    instance_rate_per_second: float | None,
    *,
    held_seconds: float = LONGEST_HELD_SECONDS,
) -> ScaledFindings:
    """
    Derive what experiment B showed from its record.

    Args:
        record: The record.
        objective: What its last seconds are held against.
        instance_rate_per_second: What one instance carries, when that is capped.
        held_seconds: How many last seconds: no more than the load was whole for.
    """
    samples, end = record.samples, record.duration_seconds
    fleet = record.fleet
    first = fleet.activities[0] if fleet and fleet.activities else None
    arrived = first.in_service_at_seconds if first else None
    return ScaledFindings(
        first_action=(first.from_count, first.to_count) if first else None,
        metric_value=_datapoint_at(record, first.at_seconds) if first else float("nan"),
        decided_at_seconds=first.at_seconds if first else float("nan"),
        in_service_at_seconds=arrived,
        offered_then_per_second=_sent_in_second_before(samples, arrived) if arrived else 0.0,
        held=_summary(samples, end - held_seconds, end),
        whole=_summary(samples, 0.0, end),
        is_objective_met=meets(samples.between(end - held_seconds, end), objective),
        instance_rate_per_second=instance_rate_per_second,
    )


def _summary(samples: Samples, start_seconds: float, end_seconds: float) -> LoadSummary:
    start = max(0.0, min(start_seconds, end_seconds - 1.0))
    return summarise(samples, start_seconds=start, end_seconds=end_seconds)


def _datapoint_at(record: RunRecord, at_seconds: float) -> float:
    assert record.fleet is not None
    before = [
        value for at, value in record.fleet.invocations_per_instance if at <= at_seconds + 1e-3
    ]
    return before[-1] if before else float("nan")


def _sent_in_second_before(samples: Samples, at_seconds: float) -> float:
    sent = samples.sent_seconds
    return float(np.count_nonzero((sent >= at_seconds - 1) & (sent < at_seconds)))


def _latency(summary: LoadSummary, name: str) -> str:
    seconds = summary.latency_seconds[name]
    return "none" if np.isnan(seconds) else format_duration(seconds)
