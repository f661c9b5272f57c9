"""
What the doctor says of this machine and of each verb.
"""

from __future__ import annotations

import json
import os
import re
import socket
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tonnage.cli import _needs
from tonnage.cli._needs import NEEDS
from tonnage.cli.completion import command as completion
from tonnage.cli.doctor import command

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"


@pytest.fixture(autouse=True)
def empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def doctor(*arguments: str) -> Result:
    return CliRunner().invoke(command, [*arguments], standalone_mode=False)


def told(*arguments: str) -> dict[str, dict[str, dict[str, object]]]:
    described: dict[str, dict[str, dict[str, object]]] = json.loads(
        doctor(*arguments, "--json").stdout
    )
    return described


def test_what_is_installed_is_told_with_its_version():
    verbs = told()["verbs"]
    assert verbs["pack"]["ready"]
    assert {need["name"] for need in verbs["pack"]["needs"]} == {
        "scikit-learn",
        "skl2onnx",
        "skops",
    }
    assert all(re.match(r"\d+\.\d+", need["found"]) for need in verbs["pack"]["needs"])


def test_the_core_alone_can_serve():
    assert told()["verbs"]["serve"] == {"ready": True, "needs": []}


def test_a_missing_program_is_named_with_the_next_step(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    result = doctor("image")
    assert result.return_value == 1
    assert re.search(r"image +missing docker", result.stdout)
    assert "install Docker" in result.stdout


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _module: None)
    result = doctor("load")
    assert result.return_value == 1
    assert "pip install 'tonnage[load]'" in result.stdout


def test_without_verbs_a_missing_part_is_no_fault(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    assert doctor().return_value == 0


@pytest.mark.parametrize("variable", ["AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE"])
def test_credentials_of_the_environment_are_found(variable: str, monkeypatch: pytest.MonkeyPatch):
    assert not told("verify")["verbs"]["verify"]["ready"]
    monkeypatch.setenv(variable, "something")
    assert told("verify")["verbs"]["verify"]["ready"]


def test_credentials_of_a_file_are_found(empty_directory: Path):
    file = empty_directory / ".aws" / "credentials"
    file.parent.mkdir()
    file.write_text("[default]\n")
    assert told("verify")["verbs"]["verify"]["ready"]


def test_a_port_in_use_is_told(monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(_needs, "_LOCAL_PORTS", {port: "tonnage up"})
        assert f"port {port}" in doctor().stdout
        assert "`tonnage up` needs --port" in doctor().stdout


def test_settings_that_cannot_be_read_are_told(empty_directory: Path):
    (empty_directory / "tonnage.toml").write_text("[service]\nlabel = 'x'\n")
    result = doctor()
    assert result.return_value == 0
    assert "label" in result.stdout


def test_every_extra_that_is_named_installs_what_is_missing():
    extras = tomllib.loads(PYPROJECT.read_text())["project"]["optional-dependencies"]
    for needs in NEEDS.values():
        for need in needs:
            if isinstance(need, _needs._Package):
                assert any(line.startswith(need.name) for line in extras[need.extra]), need


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_completion(shell: str):
    result = CliRunner().invoke(completion, [shell], standalone_mode=False)
    assert "_TONNAGE_COMPLETE" in result.stdout


def test_the_shell_in_use_is_the_default(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SHELL", "/usr/bin/zsh")
    result = CliRunner().invoke(completion, [], standalone_mode=False)
    assert result.stdout.startswith("#compdef tonnage")


def test_an_unknown_shell_is_asked_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    result = CliRunner().invoke(completion, [])
    assert result.exit_code == 2
    assert "which shell?" in result.output
