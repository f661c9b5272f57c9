"""
Templates as they were last looked at; ``UPDATE_SNAPSHOTS=1`` takes them as they are now.
"""

import difflib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SNAPSHOTS = Path(__file__).parent / "unit" / "deployment" / "snapshots"
ASSET = re.compile(r"\b[0-9a-f]{64}\b")
RUNTIME = re.compile(r"\bpython3\.\d+\b")


def check_snapshot(name: str, template: Mapping[str, Any]) -> None:
    """Fail with a readable difference when a template is not what it was."""
    now = normalised(template)
    file = SNAPSHOTS / f"{name}.template.json"
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


def normalised(template: Mapping[str, Any]) -> str:
    """As it reads, without the hashes of files and the version of this Python."""
    text = json.dumps(template, indent=1, sort_keys=True) + "\n"
    return RUNTIME.sub("python3.N", ASSET.sub("ASSET", text))
