"""
The templates as they were last looked at; ``UPDATE_SNAPSHOTS=1`` takes them as they are now.
"""

import difflib
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Assembly

SNAPSHOTS = Path(__file__).with_name("snapshots")
ASSET = re.compile(r"\b[0-9a-f]{64}\b")


def normalised(template: dict[str, Any]) -> str:
    """As it reads, without what every change of the package changes: the files' hashes."""
    return ASSET.sub("ASSET", json.dumps(template, indent=1, sort_keys=True)) + "\n"


@pytest.mark.parametrize("case", ["given-image", "everything", "fixed-count", "serverless"])
def test_a_template_changes_only_on_purpose(case: str, assembly: "Assembly"):
    now = normalised(assembly.templates[case])
    file = SNAPSHOTS / f"{case}.template.json"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOTS.mkdir(exist_ok=True)
        file.write_text(now)
    before = file.read_text()
    changes = "".join(
        difflib.unified_diff(
            before.splitlines(keepends=True), now.splitlines(keepends=True), "before", "now", n=4
        )
    )
    assert not changes, f"the template changed; UPDATE_SNAPSHOTS=1 takes it:\n{changes}"
