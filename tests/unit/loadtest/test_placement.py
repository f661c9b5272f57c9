"""
Generator and services on cores of their own.
"""

import os
import subprocess
import sys
import threading

import pytest

from tonnage.loadtest.placement import Placement, on_cores

ALLOWED = getattr(os, "sched_getaffinity", lambda _: set[int]())(0)

pytestmark = pytest.mark.skipif(len(ALLOWED) < 2, reason="there are no two cores to divide")


def cores_of_a_child() -> set[int]:
    told = subprocess.run(
        [sys.executable, "-c", "import os; print(*os.sched_getaffinity(0))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(map(int, told.stdout.split()))


def test_the_generator_has_a_core_a_process_and_the_services_the_rest():
    placement = Placement.of_this_machine(1)
    assert placement is not None
    assert len(placement.generators) == 1
    assert placement.generators | placement.services == ALLOWED
    assert not placement.generators & placement.services


def test_nothing_is_placed_where_the_services_would_have_no_core():
    assert Placement.of_this_machine(len(ALLOWED)) is None


def test_what_is_started_on_some_cores_stays_there_and_the_starter_goes_back():
    one = frozenset({min(ALLOWED)})
    seen: list[set[int]] = []
    with on_cores(one):
        seen.append(cores_of_a_child())
        thread = threading.Thread(target=lambda: seen.append(os.sched_getaffinity(0)))
        thread.start()
        thread.join()
    assert seen == [one, one]
    assert os.sched_getaffinity(0) == ALLOWED


def test_the_starter_goes_back_after_a_fault_too():
    with pytest.raises(ValueError, match="fault"), on_cores(frozenset({min(ALLOWED)})):
        raise ValueError("fault")
    assert os.sched_getaffinity(0) == ALLOWED


def test_no_cores_change_nothing():
    with on_cores(None):
        assert os.sched_getaffinity(0) == ALLOWED


def test_it_tells_and_shows_itself():
    placement = Placement(generators=frozenset({0}), services=frozenset({2, 1}))
    assert placement.told == "the services on cores 1, 2, the generator on core 0"
    assert placement.shown() == {"generators": [0], "services": [1, 2]}
