"""
How instances behave, as flags name it: how long a new one takes, and what latency was measured.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

from tonnage.domain import ConfigurationError, parse_duration
from tonnage.simulation import EmpiricalDelay, LognormalDelay, ProvisioningDelay, UniformDelay

__all__ = ["latency_curve_of", "provisioning_of"]

_FORM: Final = re.compile(r"(uniform|lognormal)\(([^,()]+),([^,()]+)\)")
_HINT: Final = (
    "write 5m, uniform(3m, 8m), lognormal(5m, 1.4), or a file of measured seconds, one a line"
)


def provisioning_of(text: str) -> float | ProvisioningDelay:
    """
    Return what a new instance takes: ``5m``, a distribution, or a file of measured seconds.

    Raises:
        ConfigurationError: If it is none of these.
    """
    text = text.strip()
    if form := _FORM.fullmatch(text):
        first = parse_duration(form[2].strip())
        if form[1] == "uniform":
            return UniformDelay(first, parse_duration(form[3].strip()))
        return LognormalDelay(first, _number(form[3]))
    if Path(text).is_file():
        return EmpiricalDelay(_measured(Path(text)))
    try:
        return parse_duration(text)
    except ConfigurationError as error:
        raise ConfigurationError(f"{text!r} is no provisioning delay", hint=_HINT) from error


def latency_curve_of(record: Path, line_per_second: float) -> list[tuple[float, float]]:
    """
    Return the ``(utilisation, p99 seconds)`` points that a line record measured.

    Args:
        record: A directory that ``tonnage line`` wrote, or its ``line.json``.
        line_per_second: What one instance carries: what utilisation is a share of.

    Raises:
        ConfigurationError: If it cannot be read, or has no points.
    """
    file = record / "line.json" if record.is_dir() else record
    try:
        described = json.loads(file.read_text(encoding="utf-8"))
        points = {_load(point, line_per_second): _seconds(point) for point in described["curve"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{file} is no record of a load line: {error}",
            hint="give the directory that `tonnage line` wrote",
        ) from error
    if not points:
        raise ConfigurationError(f"{file} has no point of latency against load")
    return sorted(points.items())


def _load(point: dict[str, Any], line_per_second: float) -> float:
    return float(point["rate_per_second"]) / line_per_second


def _seconds(point: dict[str, Any]) -> float:
    return float(point["p99_seconds"])


def _measured(file: Path) -> list[float]:
    delays = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            delays.append(float(line))
        except ValueError as error:
            raise ConfigurationError(
                f"{file}, line {number}: {line.strip()!r} is not a number of seconds", hint=_HINT
            ) from error
    return delays


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ConfigurationError(f"{text.strip()!r} is not a spread", hint=_HINT) from error
