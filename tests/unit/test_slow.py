"""
The list of slow tests names tests that are there.
"""

import re
from pathlib import Path

HERE = Path(__file__).parent


def test_the_list_of_slow_tests_names_tests_that_are_there():
    lines = (HERE / "slow.txt").read_text(encoding="utf-8").splitlines()
    listed = [line for line in lines if line and not line.startswith("#")]
    assert listed == sorted(set(listed))
    for entry in listed:
        module, _, name = entry.partition("::")
        if not name:
            assert (HERE / module).is_file(), entry
            continue
        assert re.search(rf"^(?:async )?def {name}\(", (HERE / module).read_text(), re.MULTILINE), (
            entry
        )
