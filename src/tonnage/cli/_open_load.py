"""
Flags and settings → an open-loop plan.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from tonnage.config import Settings
from tonnage.domain import ConfigurationError, PiecewiseRate, RateProfile, parse_profile, read_trace
from tonnage.loadtest import OpenLoopPlan

from ._measuring import (
    draw_option,
    endpoint_of,
    endpoint_option,
    payload_of,
    payload_option,
    processes_option,
    region_option,
    runtime_url,
    seed_option,
)
from ._options import DURATION, RATE, route_of

__all__ = ["OPEN_ARRIVALS", "is_open", "open_loop_options", "open_plan"]

OPEN_ARRIVALS: Final = ("constant", "poisson")

_DEFAULT_SECONDS: Final = 30.0
_TRAFFIC: Final = ("rate", "profile", "trace")
_CLOSED_ONLY: Final = (
    "users",
    "spawn_rate",
    "pacing",
    "locustfile",
    "web",
    "workers",
    "hosts",
    "worker_of",
)

_Function = TypeVar("_Function", bound=Callable[..., Any])


def open_loop_options(function: _Function) -> _Function:
    """Add what only an open loop takes to a verb."""
    options = [
        click.option("--rate", type=RATE, help="Open loop: requests offered, e.g. 600/s."),
        click.option(
            "--profile",
            metavar="RATES",
            help="Open loop: over time, e.g. 'ramp(0/s, 1000/s, 60s)'.",
        ),
        click.option(
            "--trace",
            type=click.Path(path_type=Path),
            help="Open loop: a CSV of time_seconds and rate_per_second.",
        ),
        draw_option,
        payload_option,
        processes_option,
        click.option(
            "--timeout", type=DURATION, default="30s", show_default=True, help="For an answer."
        ),
        seed_option,
        endpoint_option,
        region_option,
    ]
    for option in reversed(options):
        function = option(function)
    return function


def is_open(settings: Settings, flags: Mapping[str, Any]) -> bool:
    """
    Say whether the flags, else the settings, ask for an open loop.

    Raises:
        ConfigurationError: If they ask for both.
    """
    opens = [name for name in (*_TRAFFIC, "endpoint", "payload") if flags.get(name) is not None]
    if flags.get("arrivals") in OPEN_ARRIVALS:
        opens.append("arrivals")
    closes = [name for name in _CLOSED_ONLY if flags.get(name)]
    if flags.get("arrivals") is not None and "arrivals" not in opens:
        closes.append("arrivals")
    if opens and closes:
        raise ConfigurationError(
            f"{_flag(opens[0])} asks for an open loop and {_flag(closes[0])} for closed-loop users",
            hint="choose one: arrivals that wait for nobody, or users that wait for their answers",
        )
    return bool(opens) or (not closes and settings.load.arrivals in OPEN_ARRIVALS)


def open_plan(settings: Settings, url: str | None, flags: Mapping[str, Any]) -> OpenLoopPlan:
    """Return what an open-loop ``load`` is to do: flags before settings."""
    endpoint = endpoint_of(settings, flags)
    profile, told = _profile(settings, flags)
    arrivals = flags.get("arrivals") or settings.load.arrivals
    return OpenLoopPlan(
        url=runtime_url(url) if endpoint else route_of(settings.service.route, url),
        profile=profile,
        arrivals="poisson" if arrivals == "poisson" else "constant",
        payload=payload_of(settings, flags),
        timeout_seconds=flags["timeout"],
        processes=flags["processes"],
        seed=flags["seed"],
        sagemaker=endpoint,
        i_own=flags.get("i_own"),
        profile_text=told,
    )


def _profile(settings: Settings, flags: Mapping[str, Any]) -> tuple[RateProfile, str]:
    given = [name for name in _TRAFFIC if flags.get(name) is not None]
    if len(given) > 1:
        raise ConfigurationError(
            f"{_flag(given[0])} and {_flag(given[1])} both say how much is sent", hint="give one"
        )
    if given and given[0] != "rate":
        if flags.get("duration") is not None:
            raise ConfigurationError(
                f"{_flag(given[0])} has a duration of its own", hint="leave --duration out"
            )
        told = str(flags[given[0]])
        if given[0] == "profile":
            return parse_profile(told), told
        return read_trace(flags["trace"]), f"trace {told}"
    rate = flags.get("rate") or settings.load.rate_per_second
    if not rate:
        raise ConfigurationError(
            "an open loop needs a rate", hint="give --rate 600/s, --profile or --trace"
        )
    seconds = flags.get("duration") or _DEFAULT_SECONDS
    return PiecewiseRate.constant(rate, seconds), f"constant({rate:g}/s, {seconds:g}s)"


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
