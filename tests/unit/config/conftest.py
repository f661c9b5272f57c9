"""
Settings files made by hand.
"""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Writes ``tonnage.toml`` and says where."""

    def _write(text: str) -> Path:
        file = tmp_path / "tonnage.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return _write
