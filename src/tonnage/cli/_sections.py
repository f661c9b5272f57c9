"""
What was measured, compared or found, as sections of a report.
"""

from typing import Any, Final

from tonnage.loadtest.compare import Comparison
from tonnage.reporting import Section

__all__ = ["difference_section", "line_section"]


_HOW_TO_READ: Final = (
    "The interval is the 95 % one; a difference is claimed when a stricter one, which all metrics"
    " share, excludes 0 and the change is one that counts."
)


def difference_section(comparison: Comparison) -> Section:
    """Return a comparison as a section: the answer, then metric by metric."""
    return Section(
        title=f"Difference to the base: {comparison.answer}",
        lines=[
            f"{comparison.head_title}, against {comparison.base_title}.",
            f"{comparison.method}. {_HOW_TO_READ}",
            *filter(None, (comparison.reason,)),
            *comparison.notes,
        ],
        columns=("", "Base", "Head", "Change [95 %]", "Answer"),
        rows=[
            (each.metric, each.base_told, each.head_told, each.change_told, each.answer)
            for each in comparison.differences
        ],
    )


def line_section(found: dict[str, Any]) -> Section:
    """Return a load line, as ``line.json`` keeps it, as a section."""
    line = found.get("line")
    low, high = (None if end is None else f"{end:.1f}/s" for end in found["interval"])
    told = "none" if line is None else f"{line:.1f}/s"
    if line is not None and high is None:
        told = f">= {told}"
    rows = [
        ("Load line", told),
        (f"{found['level']:.0%} interval", f"{low or '-'} to {high or '-'}"),
        *_here(found),
        ("Verdict", found["verdict"]),
        ("Gave way first", found["gave_way_first"] or "-"),
        ("Objective", f"{found['objective']}, in windows of {found['window_seconds']:.1f} s"),
        ("Arrivals", f"{found['arrivals']}, open loop"),
    ]
    verdict = "" if found["verdict"] == "FOUND" else f" ({found['verdict']})"
    return Section(
        title=f"The load line: {told}{verdict}",
        lines=[found["reason"]],
        columns=("", "Found"),
        rows=rows,
    )


def _here(found: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what a line that the machine limited is on it, nothing for every other."""
    here = found.get("here")  # records of before there was any have none
    if here is None:
        return []
    low, line, high = here
    return [("Beside its generator", f"{line:.1f}/s, {low:.1f}/s to {high:.1f}/s")]
