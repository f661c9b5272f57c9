"""
The simulator foresees what the emulator, with real instances under real requests, then does.

The measurement over many scenarios is ``benchmarks/planning/emulator_agreement.py``; this runs two
of its scenarios, with bounds that a busy machine keeps: its timers are compressed a hundredfold.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "planning" / "emulator_agreement.py"


@pytest.fixture(scope="module")
def agreement() -> ModuleType:
    spec = importlib.util.spec_from_file_location("emulator_agreement", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("number", [0, 5])
def test_the_emulator_does_what_was_simulated(
    agreement: ModuleType, number: int, packed_artefact: Path
):
    seen = agreement.compare(agreement.Scenario.drawn(number), packed_artefact)
    assert seen["ticks_equal"] >= 0.9
    assert seen["emulated"][-1][1] == seen["simulated"][-1][1]
    failed = seen["failed_emulated"]
    assert seen["failed_simulated"] == pytest.approx(failed, rel=0.25, abs=60)
