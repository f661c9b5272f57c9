"""
Run directories, compared.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tonnage.domain import ConfigurationError, RecordError, read_record
from tonnage.loadtest.compare import Comparison, MeasuredLine, compare_lines, compare_records

__all__ = ["comparison_of", "measured_line"]

_LINE: Final = "line.json"


def comparison_of(
    base: Path, head: Path, relevant: Mapping[str, float] | None = None
) -> Comparison:
    """
    Compare two run directories: their load lines when both hold one, else their samples.

    Raises:
        RecordError: If one cannot be read.
        ConfigurationError: If one holds a load line and the other does not.
    """
    are_lines = [(directory / _LINE).is_file() for directory in (base, head)]
    if all(are_lines):
        return compare_lines(measured_line(base), measured_line(head))
    if any(are_lines):
        raise ConfigurationError(
            f"{base} and {head} are not of the same kind: one holds a load line",
            hint="compare two runs of the same verb",
        )
    return compare_records(read_record(base), read_record(head), relevant=relevant)


def measured_line(directory: Path) -> MeasuredLine:
    """
    Return the load line that a run directory holds.

    Raises:
        RecordError: If it is damaged.
    """
    try:
        found = json.loads((directory / _LINE).read_text(encoding="utf-8"))
        low, high = found["interval"]
        here = found.get("here")
        return MeasuredLine(
            title=str(directory),
            verdict=str(found["verdict"]),
            line=None if found["line"] is None else float(found["line"]),
            interval=(None if low is None else float(low), None if high is None else float(high)),
            level=float(found["level"]),
            objective=f"{found['objective']}, {found['arrivals']} arrivals",
            here=None if here is None else (float(here[0]), float(here[1]), float(here[2])),
        )
    except (OSError, LookupError, TypeError, ValueError) as error:
        raise RecordError(f"{directory / _LINE} is damaged: {error}") from error
