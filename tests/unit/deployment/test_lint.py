"""
cfn-lint on every template.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Assembly


def test_cfn_lint_finds_nothing(assembly: "Assembly"):
    from cfnlint.api import ManualArgs, lint_file

    for case in assembly.templates:
        # W3005: a DependsOn that a reference makes redundant, which the CDK writes.
        found = lint_file(
            assembly.directory / f"{case}.template.json",
            config=ManualArgs(ignore_checks=["W3005"], regions=["us-east-1"]),
        )
        assert [f"{match.rule.id} {match.message}" for match in found] == []
