"""
``tonnage pack`` as scripts call it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from support import tonnage

if TYPE_CHECKING:
    from pathlib import Path


def test_json_has_what_scripts_rely_on(packing: dict[str, Any], example_project: Path):
    assert packing["format"] == "onnx"
    assert 0 <= packing["parity_max_relative_difference"] <= 1e-9
    assert packing["warnings"] == []
    assert packing["parity_max_relative_difference"] <= packing["tolerance"]
    archive = (example_project / packing["archive"]).read_bytes()
    assert packing["sha256"] == hashlib.sha256(archive).hexdigest()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nothing.joblib", "--service", "service:RealEstate"), "there is no model nothing.joblib"),
        (("model.joblib", "--service", "service:Castle"), "has no 'Castle'"),
    ],
)
def test_what_cannot_be_packed_is_misuse(project: Path, arguments: tuple[str, ...], words: str):
    with tonnage("pack", *arguments, "-o", "elsewhere", "--json", cwd=project) as command:
        assert command.exit_code() == 2
    error, *hint = command.lines
    assert error.startswith("error: ")
    assert words in error
    assert all(line.startswith("hint: ") for line in hint)
    assert command.stdout == ""
    assert not (project / "elsewhere").exists()


def test_the_service_is_required(project: Path):
    with tonnage("pack", "model.joblib", cwd=project) as command:
        assert command.exit_code() == 2
    assert "--service" in command.stderr
