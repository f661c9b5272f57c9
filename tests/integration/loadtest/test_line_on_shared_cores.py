"""Services that compute on every core, beside their generator: real processes, real cores."""

import os
import sys
from pathlib import Path

import pytest

from tonnage.loadtest import OpenLoopSession, Payload
from tonnage.loadtest.line import EngineTrials, LineMeasurement, LinePlan, Trial, line, parse_terms
from tonnage.loadtest.services import started_service

SERVICE = Path(__file__).with_name("computing_service.py")
BODY = Payload(body={"distance": 150})
CORES = os.cpu_count() or 1
PLAN = LinePlan(terms=parse_terms(["p99 < 500ms", "errors < 1%"]), budget_seconds=8.0)


def computing(seconds: float) -> str:
    return f"'{sys.executable}' '{SERVICE}' {{port}} {seconds} {CORES}"


def overload(rate: float) -> Trial:
    return Trial(
        purpose="bracket",
        rate_per_second=rate,
        settle_seconds=0.2,
        warm_up_seconds=0.2,
        window_seconds=1.5,
    )


@pytest.mark.parametrize(("seconds", "is_shared"), [(0.0004, True), (0.02, False)])
def test_an_overloaded_service_leaves_no_core_and_the_generators_share_is_known(
    seconds: float, is_shared: bool
):
    """Other programs only add to what is busy, so a loaded machine does not change the outcome."""
    with (
        started_service(computing(seconds)) as url,
        OpenLoopSession.start(f"{url}/", BODY, timeout_seconds=1.0) as session,
    ):
        run = EngineTrials(session=session).run(overload(1.3 * CORES / seconds), seed=0)
    assert run.cores.busy > 0.5
    assert 0 < run.cores.generator < 1
    if is_shared:
        assert run.cores.generator > 0.05
    else:
        assert run.cores.generator < 0.05


def found_for(seconds: float) -> LineMeasurement:
    with started_service(computing(seconds)) as url:
        return line(PLAN, f"{url}/", BODY)


def test_a_line_that_the_generator_took_its_share_of_is_never_called_found():
    measured = found_for(0.0004)
    assert measured.line.verdict != "FOUND", measured.line.reason
    if measured.line.verdict == "MACHINE_LIMITED":
        assert measured.record.generator["verdict"] == "DOUBTFUL"
        assert "the generator took" in measured.line.reason


def test_a_service_that_takes_all_cores_itself_has_a_line_of_its_own():
    """Only other programs, of which the machine's own looks know, can make it a bound."""
    measured = found_for(0.02)
    generator = measured.record.generator
    others = (generator["others_busy_fraction"] or 0.0) + generator["stolen_fraction_max"]
    assert measured.line.verdict != "MACHINE_LIMITED" or others > 0.02, measured.line.reason
