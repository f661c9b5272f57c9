"""
``tonnage image`` without an engine.
"""

from pathlib import Path

import pytest
from click.testing import CliRunner

from tonnage.artefact import PackReport, verify
from tonnage.cli.image import command
from tonnage.deployment import dockerfile


def test_the_dockerfile_is_printed_without_an_artefact():
    result = CliRunner().invoke(command, ["--print-dockerfile", "--base", "python:3.13-slim"])
    assert result.exit_code == 0
    assert result.stdout == dockerfile("python:3.13-slim")


@pytest.mark.parametrize("flags", [[], ["--tag", "a:1", "--context", "there"]])
def test_it_either_builds_or_writes(flags: list[str], packed: PackReport):
    result = CliRunner().invoke(command, [str(packed.directory), *flags])
    assert result.exit_code == 2
    assert "--tag" in result.stderr
    assert "--context" in result.stderr


def test_a_context_is_written_for_another_builder(packed: PackReport, tmp_path: Path):
    context = tmp_path / "context"
    result = CliRunner().invoke(command, [str(packed.directory), "--context", str(context)])
    assert result.exit_code == 0
    assert verify(context / "model") == packed.manifest
    assert (context / "Dockerfile").read_text() == dockerfile()
