"""
Recorded traffic: a CSV of rates, or the sends of a run record.

::

    time_seconds,rate_per_second
    0,120
    60,135.5
    120,
    180,140

A row holds until the next one. A row without a rate begins a gap: nothing is known until the next
row. A gap offers nothing, and is no evidence that there was nothing. The last row holds as long as
the one before it did; to end a trace elsewhere, close it with a row without a rate.
"""

import csv
import io
import math
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .errors import ConfigurationError
from .piecewise import PiecewiseRate
from .records import RunRecord

__all__ = ["TRACE_COLUMNS", "read_trace", "record_profile"]

TRACE_COLUMNS: Final = ("time_seconds", "rate_per_second")
"""A trace's columns, with their units; others are passed over."""

_Floats = NDArray[np.float64]


def read_trace(path: Path) -> PiecewiseRate:
    """
    Read a trace: how the module says. Times may begin anywhere; the profile begins at its first.

    A month of seconds, 2.6 million rows, takes about a second.

    Raises:
        ConfigurationError: If it cannot be read, naming line and column.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigurationError(f"cannot read the trace {path}: {reason}") from error
    rows = _read_plain(text)
    if rows is None or not _is_sound(rows):
        rows = _read_with_care(text, path)
    return _profile(rows[:, 0], rows[:, 1], path)


def record_profile(record: RunRecord, *, resolution_seconds: float = 1.0) -> PiecewiseRate:
    """
    Return the traffic that a run offered: its intended sends, counted.

    The sends of a run in compressed time are spread over the time they stood for: a rate is never
    compressed, so one that took 50 s at a time scale of 20 becomes a profile of 1,000 s.

    Args:
        record: The run.
        resolution_seconds: What one piece covers, in seconds of the run; the last may be shorter.
    """
    scale = record.fleet.time_scale if record.fleet else 1.0
    duration = record.duration_seconds
    if not duration > 0:
        raise ConfigurationError(f"the run {record.name} lasted no time: it offered no traffic")
    knots = np.append(np.arange(0.0, duration, resolution_seconds), duration)
    counts, _ = np.histogram(np.minimum(record.samples.intended_seconds, duration), knots)
    return PiecewiseRate.held(knots * scale, counts / np.diff(knots))


def _read_plain(text: str) -> _Floats | None:
    """Return the rows of a file of just the two columns, quickly; None if it is not that plain."""
    header, _, body = text.partition("\n")
    if header.strip() != ",".join(TRACE_COLUMNS) or "nan" in body or "\n\n" in body:
        return None
    filled = body.replace("\r\n", "\n").replace(",\n", ",nan\n")
    if filled.endswith(","):
        filled += "nan"
    if not filled.strip():
        return None
    try:
        rows = np.loadtxt(io.StringIO(filled), delimiter=",", comments=None, ndmin=2)
    except ValueError:
        return None
    return rows if rows.shape[1] == len(TRACE_COLUMNS) else None


def _is_sound(rows: _Floats) -> bool:
    seconds, rates = rows.T
    in_order = np.isfinite(seconds).all() and (np.diff(seconds) > 0).all()
    return bool(in_order and ((rates >= 0) & (rates < np.inf) | np.isnan(rates)).all())


def _read_with_care(text: str, path: Path) -> _Floats:
    """Return the rows of any trace, or say which line and column is wrong."""
    lines = csv.reader(io.StringIO(text, newline=""))
    header = [name.strip() for name in next(lines, [])]
    missing = [name for name in TRACE_COLUMNS if name not in header]
    if missing:
        raise ConfigurationError(
            f"the trace {path} has no column {missing[0]}; its first line is {','.join(header)!r}",
            hint=f"name the columns {','.join(TRACE_COLUMNS)}: seconds, and requests per second",
        )
    time_at, rate_at = (header.index(name) for name in TRACE_COLUMNS)
    rows: list[tuple[float, float]] = []
    before = -math.inf
    try:
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            where = f"{path}, line {lines.line_num}"
            if len(cells) != len(header):
                raise ConfigurationError(
                    f"{where}: {len(cells)} columns, the first line has {len(header)}"
                )
            seconds = _number(cells[time_at], f"{where}, column time_seconds", "in seconds")
            if seconds <= before:
                raise ConfigurationError(
                    f"{where}, column time_seconds: {seconds:g} does not come after {before:g}",
                    hint="sort the rows by time, one row for each moment",
                )
            before = seconds
            rows.append((seconds, _rate(cells[rate_at], f"{where}, column rate_per_second")))
    except csv.Error as error:
        raise ConfigurationError(f"{path}, line {lines.line_num}: {error}") from error
    return np.array(rows, dtype=np.float64).reshape(-1, len(TRACE_COLUMNS))


def _rate(cell: str, where: str) -> float:
    if not cell.strip():
        return math.nan
    rate = _number(cell, where, "per second")
    if rate < 0:
        raise ConfigurationError(f"{where}: a rate must be 0 or more, not {cell.strip()}")
    return rate


def _number(cell: str, where: str, unit: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ConfigurationError(
            f"{where}: {cell.strip()!r} is not a number",
            hint=f"write plain numbers {unit}; leave a rate empty where it is not known",
        )
    return value


def _profile(seconds: _Floats, rates: _Floats, path: Path) -> PiecewiseRate:
    if len(seconds) < 2:  # noqa: PLR2004 (a row and what ends it)
        raise ConfigurationError(
            f"the trace {path} has {len(seconds)} rows: how long a row holds takes two to tell",
            hint="close it with a row that has a time and no rate",
        )
    unknown = np.isnan(rates)
    if unknown[-1]:
        knots, rates, unknown = seconds, rates[:-1], unknown[:-1]
    else:
        knots = np.append(seconds, 2 * seconds[-1] - seconds[-2])
    if unknown.all():
        raise ConfigurationError(f"the trace {path} knows no rate at all")
    knots = knots - knots[0]
    return PiecewiseRate.held(knots, np.where(unknown, 0.0, rates), _spans(knots, unknown))


def _spans(knots: _Floats, unknown: NDArray[np.bool_]) -> _Floats:
    """Return where the unknown rows begin and end, neighbours as one span."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], unknown, [False])).astype(np.int8)))
    return knots[edges].reshape(-1, 2)
