"""
What tests of several rooms need.
"""

import os
import shutil
from pathlib import Path

import pytest

_CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return a real browser's path; without one, CI fails and a user's machine skips."""
    found = str(_CHROMIUM) if _CHROMIUM.exists() else shutil.which("chromium")
    if found is None:
        reason = "this test opens a page in a browser: apt install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found
