"""
What moves on the page as HTML, the same for the first paint and for every second after it.

All text is escaped here: names of endpoints and alarms are their users' own.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from tonnage.domain import FaultEvent
from tonnage.emulator._wall import WallTime
from tonnage.emulator.autoscaling.records import Activity
from tonnage.emulator.faults import FaultAction

from .facts import Watched
from .history import Sample
from .markup import DASH, number, raw_table, table, when

__all__ = ["fault_words", "moving_parts", "news", "options_html"]

_RECENT: Final = 10
_MODEL: Final = "of the model"
_MARKS: Final = {"OK": "●", "ALARM": "▲", "INSUFFICIENT_DATA": "○"}


def moving_parts(watched: Watched, samples: Sequence[Sample], wall: WallTime) -> dict[str, str]:
    """Return each part that changes, by the id of the element it goes into."""
    return {
        "summary": _summary(watched, samples[-1] if samples else None),
        "alarms": _alarms(watched, wall),
        "activities": _activities(watched, wall),
        "instances": _instances(watched),
        "recent": _recent(samples),
    }


def news(watched: Watched) -> str:
    """Return what those hear who do not see the page: only what changes now and then."""
    variant = watched.variant
    count = f"{variant.in_service_instance_count} of {variant.desired_instance_count}"
    return ". ".join(
        [
            f"{count} instances in service",
            *(f"{label} is {alarm.state}" for label, alarm in watched.alarms),
            *(activity.words.description for activity in watched.activities[:1]),
        ]
    )


def fault_words(fault: FaultEvent) -> str:
    """Return what a fault was, in a few words."""
    if fault.action == FaultAction.FAIL_LAUNCH:
        return "launches to come fail"
    return f"{fault.action} of {', '.join(fault.instances) or 'no instance'}"


def options_html(names: Iterable[tuple[str, str]], chosen: tuple[str, str]) -> str:
    """Return the variants to choose from."""
    return "".join(
        f'<option value="{escape("/".join(pair))}"{" selected" if pair == chosen else ""}>'
        f"{escape(' / '.join(pair))}</option>"
        for pair in names
    )


def _summary(watched: Watched, sample: Sample | None) -> str:
    variant, target, tracked = watched.variant, watched.target, watched.target_value
    count = f"{variant.in_service_instance_count} of {variant.desired_instance_count}"
    bounds = f"scales from {target.min_capacity} to {target.max_capacity}" if target else "fixed"
    aim = "" if tracked is None else f"; target {tracked:,g}"
    per_instance = sample.invocations_per_instance if sample else None
    return "".join(
        (
            _tile("Requests", _rate(_total(sample) if sample else None), "per second"),
            _tile("Failures", _rate(sample.failed_per_second if sample else None), "per second"),
            _tile("Latency p50", _latency(sample.p50_milliseconds if sample else None), _MODEL),
            _tile("Latency p99", _latency(sample.p99_milliseconds if sample else None), _MODEL),
            _tile("Instances", count, f"in service; {bounds}"),
            _tile("Invocations per instance", number(per_instance), f"per minute{aim}"),
            _tile("Endpoint", watched.endpoint_status, variant.instance_type or "serverless"),
        )
    )


def _tile(name: str, value: str, more: str) -> str:
    return (
        f'<div><dt>{escape(name)}</dt><dd class="value">{escape(value)}</dd>'
        f'<dd class="hint">{escape(more)}</dd></div>'
    )


def _alarms(watched: Watched, wall: WallTime) -> str:
    if not watched.alarms:
        return '<p class="hint">No alarm watches this variant.</p>'
    rows = []
    for label, alarm in watched.alarms:
        members = alarm.members
        metric = members.get("MetricName", "an expression")
        sign = "&lt;" if str(members["ComparisonOperator"]).startswith("Less") else "&gt;"
        rule = f"{escape(str(metric))} {sign} {members.get('Threshold', 0):,g}"
        rows.append(
            (
                escape(label),
                _marked("state", alarm.state, _MARKS.get(alarm.state, "")),
                f"{rule} in {members['EvaluationPeriods']} periods",
                when(alarm.transitioned_seconds, wall),
                escape(alarm.reason),
            )
        )
    return raw_table(("Alarm", "State", "Fires at", "Since", "Why"), rows)


def _activities(watched: Watched, wall: WallTime) -> str:
    """Return what was scaled and what was not, and the faults among it, the newest first."""
    told = [
        (
            activity.started_seconds,
            _status(activity),
            activity.words.description,
            activity.words.cause,
        )
        for activity in watched.activities
    ]
    told += [
        (wall.seconds_of_real(fault.at_seconds), "Fault", fault_words(fault), "injected")
        for fault in watched.faults
    ]
    if not told:
        return '<p class="hint">Nothing has been scaled yet.</p>'
    told.sort(key=lambda row: row[0], reverse=True)
    rows = (
        (when(seconds, wall), _marked("status", status), escape(what), escape(cause))
        for seconds, status, what, cause in told
    )
    return raw_table(("When", "Status", "What", "Cause"), rows)


def _marked(kind: str, word: str, mark: str = "") -> str:
    """Return a word whose colour says what the word says, too."""
    name = escape(word.partition(":")[0].replace(" ", "-").lower())
    return f'<span class="{kind} {name}">{mark} {escape(word)}</span>'


def _status(activity: Activity) -> str:
    if activity.words.not_scaled_reasons:
        codes = ", ".join(reason.code for reason in activity.words.not_scaled_reasons)
        return f"Not scaled: {codes}"
    return str(activity.words.status_code)


def _instances(watched: Watched) -> str:
    variant = watched.variant
    rows = [
        (
            instance.instance_id,
            str(instance.state).replace("_", " "),
            str(instance.process.process_id) if instance.process else DASH,
            str(instance.outstanding),
        )
        for instance in variant.instances
    ]
    if not rows:
        return '<p class="hint">No instance runs now.</p>'
    return table(("Instance", "State", "Process", "In flight"), rows)


def _recent(samples: Sequence[Sample]) -> str:
    rows = [
        (
            f"{samples[-1].at_seconds - sample.at_seconds:.0f} s ago",
            _rate(sample.succeeded_per_second),
            _rate(sample.failed_per_second),
            _latency(sample.p50_milliseconds),
            _latency(sample.p99_milliseconds),
            f"{sample.in_service} of {sample.desired}",
            number(sample.invocations_per_instance),
        )
        for sample in reversed(samples[-_RECENT:])
    ]
    heading = (
        *("Second", "Succeeded / s", "Failed / s", "p50", "p99", "In service"),
        "Per instance and minute",
    )
    return table(heading, rows)


def _total(sample: Sample) -> float:
    return sample.succeeded_per_second + sample.failed_per_second


def _rate(per_second: float | None) -> str:
    return DASH if per_second is None else f"{per_second:,.0f}"


def _latency(milliseconds: float | None) -> str:
    if milliseconds is None:
        return DASH
    return f"{milliseconds:,.1f} ms" if milliseconds < 100 else f"{milliseconds:,.0f} ms"  # noqa: PLR2004 (digits)
