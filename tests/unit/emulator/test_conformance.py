"""
The page on conformance says what is so.
"""

import re

from conformance import PAGE, render, services


def test_the_page_is_what_the_code_and_the_tests_say():
    message = "run `python tests/conformance.py`, which writes it, and look at what changed"
    assert PAGE.read_text(encoding="utf-8") == render(), message


def test_every_operation_that_there_is_is_shown_by_a_test():
    unproved = re.findall(r"^\| `(\w+)` \| .*\*\*nothing\*\* \|$", render(), re.MULTILINE)
    operations = {name for service in services() for name in service.operations}
    assert operations.isdisjoint(unproved)
