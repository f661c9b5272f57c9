"""
Settings → a policy as the planner and the simulator know it.
"""

from datetime import UTC, datetime
from pathlib import Path

from tonnage.config import Settings
from tonnage.domain import ConfigurationError
from tonnage.planning import Calendar, PolicyKind, PolicySettings

from ._convert_rules import scheduled_actions, step_policies

__all__ = ["calendar_of", "policy_of"]

_SECONDS_OF_2001 = 978_307_200.0
"""From here on, the times of a trace are taken to be seconds since 1970."""


def policy_of(settings: Settings) -> PolicySettings:
    """Return how the settings scale; a fixed count where scaling is not enabled."""
    scaling, count = settings.scaling, settings.endpoint.initial_instance_count
    if not scaling.enabled:
        return PolicySettings(
            min_capacity=count,
            max_capacity=count,
            target_value=scaling.target_value,
            scale_in_cooldown_seconds=scaling.scale_in_cooldown_seconds,
            scale_out_cooldown_seconds=scaling.scale_out_cooldown_seconds,
        )
    return PolicySettings(
        min_capacity=scaling.min_capacity,
        max_capacity=scaling.max_capacity,
        target_value=scaling.target_value,
        scale_in_cooldown_seconds=scaling.scale_in_cooldown_seconds,
        scale_out_cooldown_seconds=scaling.scale_out_cooldown_seconds,
        kind=PolicyKind(
            metric=scaling.metric,
            steps=step_policies(settings),
            scheduled=scheduled_actions(settings),
        ),
    )


def calendar_of(trace: Path | None, starts_at: str | None, timezone: str) -> Calendar | None:
    """
    Return when traffic begins: as said, or as a trace in seconds since 1970 tells; None if unknown.

    Raises:
        ConfigurationError: If what is said is no time, or the zone is none.
    """
    if starts_at is not None:
        return Calendar.parse(starts_at, timezone)
    first = None if trace is None else _first_time(trace)
    if first is not None and first >= _SECONDS_OF_2001:
        begins = datetime.fromtimestamp(first, UTC).isoformat()
        return Calendar.parse(begins, timezone)
    if timezone != "UTC":
        raise ConfigurationError(
            f"the time zone {timezone} says nothing without a beginning",
            hint="say when the traffic begins with --starts-at 2026-11-23T00:00",
        )
    return None


def _first_time(trace: Path) -> float | None:
    """Return the first row's time; what cannot be read here is told when the trace is read."""
    try:
        with trace.open(encoding="utf-8-sig") as lines:
            names = [name.strip() for name in next(lines, "").split(",")]
            cells = next(lines, "").split(",")
        return float(cells[names.index("time_seconds")])
    except (OSError, ValueError, IndexError):
        return None
