"""
Others on the machine make a measurement doubtful.
"""

import math
import subprocess
import sys
import time

import pytest

from tonnage.loadtest import Verdict
from tonnage.loadtest.neighbours import Look, judge_neighbours, mean_busy

VALID = Verdict(word="VALID", reason="it kept up")


@pytest.mark.parametrize(
    ("looks", "stolen", "word"),
    [
        ([0.0, 0.1], 0.0, "VALID"),
        ([0.5, 0.3, math.nan], 0.0, "DOUBTFUL"),
        ([0.9] + [0.01] * 20, 0.0, "VALID"),  # one burst is no neighbour
        ([], 0.0, "VALID"),
        ([math.nan], 0.2, "DOUBTFUL"),
    ],
)
def test_a_busy_or_stolen_machine_is_doubted(looks: list[float], stolen: float, word: str):
    judged = judge_neighbours(VALID, looks, stolen)
    assert judged.word == word
    assert (judged.cause == "neighbours") == (word == "DOUBTFUL")


def test_a_doubt_of_the_generators_own_stands():
    own = Verdict(word="INVALID", reason="late", cause="late")
    assert judge_neighbours(own, [1.0], 1.0) is own


def test_a_look_sees_a_process_that_computes():
    """Other programs only add to it, so a loaded machine does not change the outcome."""
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        look = Look(until_seconds=time.monotonic() + 0.5)
        look.take()
    finally:
        busy.kill()
        busy.wait()
    assert look.busy_fraction > 0.1


def test_without_time_there_is_no_look():
    look = Look(until_seconds=time.monotonic())
    look.take()
    assert math.isnan(look.busy_fraction)
    assert math.isnan(mean_busy([look.busy_fraction]))
