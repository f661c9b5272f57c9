"""
What a gate leaves for the machine that runs it.
"""

import xml.etree.ElementTree as ET
from pathlib import Path

from tonnage.domain import Check
from tonnage.reporting import Section
from tonnage.reporting.gate import GateReport, junit, markdown_summary, write_gate

HOSTILE = '<a b="c">\x00 & | ]]>'


def report(*, is_believed: bool = True, reason: str = "it kept up") -> GateReport:
    return GateReport(
        title="the run",
        name="tonnage load",
        verdict="VALID" if is_believed else "INVALID",
        reason=reason,
        is_believed=is_believed,
        checks=[
            Check(required="p99 < 250 ms", seen="p99 10 ms", state="met"),
            Check(required="errors < 0.1 %", seen="errors 3 %", state="missed"),
            Check(required="line >= 3/s", seen="no line", state="no data"),
        ],
        figures={"throughput": "900/s"},
        sections=[Section(title="Difference", lines=["none"])],
        seconds=2.5,
    )


def suite(text: str) -> ET.Element:
    found = ET.fromstring(text).find("testsuite")
    assert found is not None
    return found


def test_each_requirement_is_a_test():
    found = suite(junit(report()))
    assert found.attrib["tests"] == "4"
    assert (found.attrib["failures"], found.attrib["errors"]) == ("2", "0")
    cases = {case.attrib["name"]: case for case in found.iter("testcase")}
    assert cases["p99 < 250 ms"].find("failure") is None
    fault = cases["line >= 3/s"].find("failure")
    assert fault is not None
    assert (fault.attrib["type"], "no line" in (fault.text or "")) == ("no data", True)


def test_an_invalid_measurement_is_an_error_not_a_failure():
    found = suite(junit(report(is_believed=False)))
    assert found.attrib["errors"] == "1"
    assert found.find("testcase/error") is not None


def test_no_text_breaks_the_xml():
    text = junit(report(is_believed=False, reason=HOSTILE))
    error = suite(text).find("testcase/error")
    assert error is not None
    assert error.attrib["message"] == 'INVALID: <a b="c">? & | ]]>'


def test_the_markdown_begins_with_the_verdict():
    lines = markdown_summary(report(reason=HOSTILE)).split("\n")
    assert lines[0] == "## the run"
    assert lines[2].startswith("VALID: \\<a b=")
    assert "| errors \\< 0.1 % | errors 3 % | missed |" in lines
    assert "## Difference" in lines


def test_only_what_is_asked_for_is_written(tmp_path: Path):
    write_gate(report(), junit_file=tmp_path / "out" / "j.xml", markdown_file=None)
    assert [file.name for file in tmp_path.rglob("*.*")] == ["j.xml"]
