"""
Quantities as people write them: ``90s``, ``600/s``, ``6MiB``, ``0.1%``.

Each parser takes the text of a setting or a flag and returns a plain number in the unit its name
says. Numbers without a unit are refused: a bare ``60`` has been both seconds and minutes too often.
"""

import math
import re

from .errors import ConfigurationError

__all__ = [
    "format_bytes",
    "format_duration",
    "format_fraction",
    "format_rate",
    "parse_duration",
    "parse_fraction",
    "parse_rate",
    "parse_size",
]

_NUMBER = r"(?P<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?)"
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION_PART = re.compile(rf"{_NUMBER}\s*(?P<unit>us|ms|min|s|m|h|d)")
_PER_SECOND = {
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "m": 60.0,
    "min": 60.0,
    "minute": 60.0,
    "h": 3600.0,
}
_RATE = re.compile(rf"{_NUMBER}\s*/\s*(?P<unit>second|minute|sec|min|s|m|h)")
_BYTES = {
    "B": 1,
    "kB": 1000,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
}
_SIZE = re.compile(rf"{_NUMBER}\s*(?P<unit>[KMG]iB|[kKMG]?B)")
_PERCENT = re.compile(rf"{_NUMBER}\s*%")


def parse_duration(text: str) -> float:
    """
    Return the seconds that ``text`` names: ``90s``, ``70ms``, ``5m``, ``1h30m``.

    Raises:
        ConfigurationError: If it is not a duration.
    """
    stripped = text.strip()
    parts = list(_DURATION_PART.finditer(stripped))
    if not parts or "".join(part.group() for part in parts) != stripped:
        raise ConfigurationError(
            f"{text!r} is not a duration", hint="write a number and a unit: 70ms, 90s, 5m, 1h30m"
        )
    return _finite(sum(float(part["number"]) * _SECONDS[part["unit"]] for part in parts), text)


def parse_rate(text: str) -> float:
    """
    Return the events per second that ``text`` names: ``600/s``, ``60/min``.

    Raises:
        ConfigurationError: If it is not a rate.
    """
    match = _RATE.fullmatch(text.strip())
    if match is None:
        raise ConfigurationError(f"{text!r} is not a rate", hint="write 600/s or 60/min")
    return _finite(float(match["number"]) / _PER_SECOND[match["unit"]], text)


def parse_size(text: str) -> int:
    """
    Return the bytes that ``text`` names: ``6MiB``, ``500kB``.

    Raises:
        ConfigurationError: If it is not a size.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ConfigurationError(f"{text!r} is not a size", hint="write 6MiB, 500kB or 1024B")
    return round(_finite(float(match["number"]) * _BYTES[match["unit"]], text))


def parse_fraction(text: str) -> float:
    """
    Return the fraction that a percentage names: ``0.1%`` is 0.001.

    Raises:
        ConfigurationError: If it is not a percentage between 0 and 100.
    """
    match = _PERCENT.fullmatch(text.strip())
    if match is None or float(match["number"]) > 100:  # noqa: PLR2004 (per cent)
        raise ConfigurationError(f"{text!r} is not a percentage from 0% to 100%", hint="write 0.1%")
    return float(match["number"]) / 100


def format_duration(seconds: float) -> str:
    """Return ``seconds`` as people read them: ``70 ms``, ``9.5 s``, ``5 min``."""
    if seconds < 1:
        return f"{_three_digits(seconds * 1000)} ms"
    if seconds < 120:  # noqa: PLR2004 (two minutes still read well as seconds)
        return f"{_three_digits(seconds)} s"
    return f"{_three_digits(seconds / 60)} min"


def format_rate(per_second: float) -> str:
    """Return a rate as settings spell it: ``600/s``."""
    return f"{per_second:.6g}/s"


def format_bytes(count: int) -> str:
    """Return a size as settings spell it: ``6MiB``."""
    for unit in ("GiB", "MiB", "KiB"):
        if count >= _BYTES[unit]:
            return f"{count / _BYTES[unit]:.4g}{unit}"
    return f"{count}B"


def format_fraction(fraction: float) -> str:
    """Return a fraction as a percentage: ``0.1 %``."""
    return f"{fraction * 100:.3g} %"


def _three_digits(value: float) -> str:
    return f"{value:.0f}" if value >= 999.5 else f"{value:.3g}"  # noqa: PLR2004 (else 1e+03)


def _finite(value: float, text: str) -> float:
    if not math.isfinite(value):
        raise ConfigurationError(f"{text!r} is too large")
    return value
