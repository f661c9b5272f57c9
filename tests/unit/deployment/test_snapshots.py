"""
The endpoint's templates as they were last looked at.
"""

from typing import TYPE_CHECKING

import pytest

from template_snapshots import check_snapshot

if TYPE_CHECKING:
    from conftest import Assembly


@pytest.mark.parametrize("case", ["given-image", "everything", "fixed-count", "serverless"])
def test_a_template_changes_only_on_purpose(case: str, assembly: "Assembly"):
    check_snapshot(case, assembly.templates[case])
