"""
cfn-lint on every template.
"""

from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

import synthesis

if TYPE_CHECKING:
    from conftest import Assembly


def test_cfn_lint_finds_nothing(assembly: "Assembly", cdk_process: ProcessPoolExecutor):
    assert cdk_process.submit(synthesis.lint, assembly.directory).result() == []
