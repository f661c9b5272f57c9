"""
The table of rules in the reference is the one that the tests tell.
"""

from scaling_rules import PAGE, SECTIONS, rules_page


def test_the_reference_lists_every_rule_with_its_source_and_its_test():
    page = PAGE.read_text(encoding="utf-8")
    assert page == rules_page(), "write it again: .venv/bin/python tests/scaling_rules.py"
    assert page.count("| `test_") > 100
    assert all(f"tests/unit/scaling/{file}" in page for file in SECTIONS)
