"""
The lists and tables that cut the suite name tests that are there.
"""

import re
from pathlib import Path

import pytest

from suite_cut import ALONE, SLOW, TESTS, TOGETHER, entries, place_of


@pytest.mark.parametrize(("listing", "root"), [(SLOW, SLOW.parent), (ALONE, TESTS)])
def test_a_list_names_tests_that_are_there(listing: Path, root: Path):
    listed = entries(listing)
    assert listed == sorted(set(listed))
    for entry in listed:
        module, _, name = entry.partition("::")
        place = root / module
        if not name:
            assert place.is_dir() if entry.endswith("/") else place.is_file(), entry
            continue
        assert re.search(rf"^(?:async )?def {name}\(", place.read_text(), re.MULTILINE), entry


@pytest.mark.parametrize("shared", TOGETHER)
def test_what_stays_together_is_there_and_is_one_place(shared: str):
    files = TOGETHER[shared]
    assert all((TESTS.parent / file).exists() for file in files)
    assert {place_of(f"{file}::test_it[a::b]") for file in files} == {shared}


def test_any_other_file_is_a_place_of_its_own():
    assert place_of("tests/unit/test_slow.py::test_it[tests/install/]") == "tests/unit/test_slow.py"
