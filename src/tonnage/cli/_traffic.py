"""
Traffic and load lines as flags name them.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from tonnage.domain import (
    ConfigurationError,
    RateProfile,
    parse_profile,
    parse_rate,
    read_record,
    read_trace,
    record_profile,
)

__all__ = ["lines_of", "traffic_of", "traffic_options"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def traffic_options(function: _Function) -> _Function:
    """Add ``--trace``, ``--profile``, ``--record`` and ``--arrivals`` to a verb."""
    options = (
        click.option(
            "--trace",
            type=click.Path(path_type=Path),
            help="Traffic: time_seconds,rate_per_second.",
        ),
        click.option(
            "--profile",
            metavar="RATES",
            help="Traffic: 'ramp(0/s, 1000/s, 1000s) then constant(9/s, 5m)'.",
        ),
        click.option(
            "--record",
            "--run",
            type=click.Path(path_type=Path),
            help="Traffic: what a recorded run offered.",
        ),
        click.option(
            "--arrivals",
            type=click.Choice(["constant", "poisson"]),
            default="constant",
            show_default=True,
            help="How requests come about their rate: evenly, or as independent users'.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def traffic_of(trace: Path | None, profile: str | None, record: Path | None) -> RateProfile:
    """
    Return the traffic that one of three flags names.

    Raises:
        ConfigurationError: If not just one is given, or it cannot be read.
    """
    if sum(source is not None for source in (trace, profile, record)) != 1:
        raise ConfigurationError(
            "one traffic is needed", hint="give one of --trace FILE, --profile TEXT, --record RUN"
        )
    if trace is not None:
        return read_trace(trace)
    if profile is not None:
        return parse_profile(profile)
    assert record is not None
    return record_profile(read_record(record))


def lines_of(texts: Sequence[str], default_type: str) -> dict[str, float]:
    """
    Return instance type → load line from ``TYPE=RATE`` texts; a bare rate is the default type's.

    Raises:
        ConfigurationError: If a rate is not one, is 0, or a type is named twice.
    """
    lines: dict[str, float] = {}
    for text in texts:
        name, is_named, rate = text.rpartition("=")
        kind = name.strip() if is_named else default_type
        if kind in lines:
            raise ConfigurationError(f"--line names {kind} twice")
        bare = rate.strip().replace(".", "", 1).isdecimal()
        lines[kind] = parse_rate(f"{rate.strip()}/s" if bare else rate)
        if not lines[kind] > 0:
            raise ConfigurationError(
                f"the load line of {kind} must be above 0/s, not {rate.strip()}",
                hint="measure it with `tonnage line`",
            )
    return lines
