"""
Traffic profiles as people write them: ``ramp(0/s, 1000/s, 1000s) then constant(1000/s, 5m)``.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from .errors import ConfigurationError
from .piecewise import PiecewiseRate, join_profiles
from .rate_profile import RateProfile
from .sine import Sine
from .units import parse_duration, parse_rate

__all__ = ["PROFILE_FORMS", "parse_profile"]

PROFILE_FORMS: Final = (
    "constant(RATE, DURATION)",
    "ramp(FROM, TO, DURATION)",
    "steps(RATE, RATE, …, EACH)",
    "spike(BASE, PEAK, START, LENGTH, DURATION)",
    "sine(MEAN, AMPLITUDE, PERIOD, DURATION)",
)
"""The forms that ``parse_profile`` reads; rates are 600/s or 60/min, durations 90s, 5m or 1h."""

_PART: Final = re.compile(r"\s*(?P<name>[a-z]+)\s*\((?P<arguments>[^()]*)\)\s*")
_THEN: Final = re.compile(r"\s+then\s+")
_ANY: Final = -1


def parse_profile(text: str) -> RateProfile:
    """
    Return the traffic that ``text`` describes.

    The forms are ``PROFILE_FORMS``; `` then `` puts one after another.

    Raises:
        ConfigurationError: If a part of it is not one of the forms; the message names the part.
    """
    return join_profiles(*(_parse_part(part) for part in _THEN.split(text.strip())))


def _parse_part(text: str) -> RateProfile:
    match = _PART.fullmatch(text)
    if match is None or match["name"] not in _READERS:
        raise _refusal(f"{text!r} is not a traffic profile")
    rates, durations, read = _READERS[match["name"]]
    arguments = [argument.strip() for argument in match["arguments"].split(",")]
    if (len(arguments) <= durations) if rates == _ANY else (len(arguments) != rates + durations):
        raise _refusal(
            f"{text.strip()!r} has {len(arguments)} arguments, "
            f"{match['name']} takes {'two or more' if rates == _ANY else rates + durations}"
        )
    try:
        split = len(arguments) - durations
        return read(
            [parse_rate(argument) for argument in arguments[:split]],
            [parse_duration(argument) for argument in arguments[split:]],
        )
    except ConfigurationError as error:
        raise _refusal(f"in {text.strip()!r}: {error.message}") from error


def _refusal(message: str) -> ConfigurationError:
    forms = ", ".join(PROFILE_FORMS)
    return ConfigurationError(message, hint=f"write {forms}; join them with ' then '")


def _spike(rates: Sequence[float], durations: Sequence[float]) -> RateProfile:
    start, length, duration = durations
    return PiecewiseRate.spike(
        *rates, start_seconds=start, length_seconds=length, duration_seconds=duration
    )


def _sine(rates: Sequence[float], durations: Sequence[float]) -> RateProfile:
    mean, amplitude = rates
    period, duration = durations
    return Sine(
        mean_per_second=mean,
        amplitude_per_second=amplitude,
        period_seconds=period,
        duration_seconds=duration,
    )


_Read = Callable[[Sequence[float], Sequence[float]], RateProfile]
_READERS: Final[dict[str, tuple[int, int, _Read]]] = {
    "constant": (1, 1, lambda rates, durations: PiecewiseRate.constant(*rates, *durations)),
    "ramp": (2, 1, lambda rates, durations: PiecewiseRate.ramp(*rates, *durations)),
    "steps": (_ANY, 1, lambda rates, durations: PiecewiseRate.steps(rates, *durations)),
    "spike": (2, 3, _spike),
    "sine": (2, 2, _sine),
}
"""By name: how many rates and how many durations follow it, and what they make."""
