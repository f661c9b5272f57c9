"""
What a gate said, for the machine that runs it: JUnit for its test page, Markdown for a comment.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tonnage.domain import Check

from .markdown import render_sections
from .sections import Section

__all__ = ["GateReport", "junit", "markdown_summary", "write_gate"]

_NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, kw_only=True, slots=True)
class GateReport:
    """
    A measurement and what was asked of it.

    Attributes:
        title: What was measured.
        name: The verb, e.g. ``tonnage load``.
        verdict: One word: ``VALID``, ``FOUND``, ``worse`` …
        reason: Why, in words.
        is_believed: Whether the generator kept up; a measurement that is not believed is an error
            in JUnit's words, not a failure: nobody is to blame the service for it.
        checks: What was asked.
        figures: Name → number, in words.
        sections: More to say, e.g. the difference to a base.
        seconds: How long it took.
    """

    title: str
    name: str
    verdict: str
    reason: str
    is_believed: bool
    checks: Sequence[Check]
    figures: Mapping[str, str] = field(default_factory=dict)
    sections: Sequence[Section] = ()
    seconds: float = 0.0


def write_gate(report: GateReport, *, junit_file: Path | None, markdown_file: Path | None) -> None:
    """Write the files that were asked for, their folders too."""
    for file, render in ((junit_file, junit), (markdown_file, markdown_summary)):
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(render(report), encoding="utf-8")


def junit(report: GateReport) -> str:
    """Return the checks as a JUnit test suite, with the generator's word as the first test."""
    missed = [check for check in report.checks if not check.holds]
    suite = ET.Element(
        "testsuite",
        {
            "name": _text(report.name),
            "tests": str(len(report.checks) + 1),
            "failures": str(len(missed)),
            "errors": str(int(not report.is_believed)),
            "skipped": "0",
            "time": f"{report.seconds:.3f}",
        },
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in {"title": report.title, **report.figures}.items():
        ET.SubElement(properties, "property", {"name": _text(name), "value": _text(value)})
    believed = _case(suite, report, "the measurement can be believed")
    if not report.is_believed:
        _why(believed, "error", f"{report.verdict}: {report.reason}", "measurement invalid")
    for check in report.checks:
        case = _case(suite, report, check.required)
        if not check.holds:
            _why(case, "failure", f"required {check.required}, seen: {check.seen}", check.state)
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def markdown_summary(report: GateReport) -> str:
    """Return the same as Markdown, the verdict first."""
    sections = [
        Section(title=report.title, lines=(f"{report.verdict}: {report.reason}",)),
        *report.sections,
    ]
    if report.checks:
        sections.insert(
            1,
            Section(
                title="Required",
                columns=("Requirement", "Seen", "Result"),
                rows=[(check.required, check.seen, check.state) for check in report.checks],
            ),
        )
    if report.figures:
        sections.append(
            Section(title="Numbers", columns=("Number", "Value"), rows=[*report.figures.items()])
        )
    return render_sections(sections)


def _case(suite: ET.Element, report: GateReport, name: str) -> ET.Element:
    return ET.SubElement(
        suite,
        "testcase",
        {"classname": _text(report.name.replace(" ", ".")), "name": _text(name), "time": "0"},
    )


def _why(case: ET.Element, tag: str, message: str, kind: str) -> None:
    fault = ET.SubElement(case, tag, {"message": _text(message), "type": _text(kind)})
    fault.text = _text(message)


def _text(text: str) -> str:
    """Return text without what XML cannot hold, escaped or not."""
    return _NOT_IN_XML.sub("?", text)
