"""
The CDK's command line: found, refused, and what it says when it fails.
"""

import os
from pathlib import Path

import pytest

from tonnage.deployment.cdk_cli import CDK_VERSION, CdkCli, find_cdk
from tonnage.domain import ConfigurationError, DeploymentError


def script(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with a Node.js and nothing else."""
    directory = tmp_path / "bin"
    script(directory / "node", "echo v22.1.0")
    monkeypatch.setenv("PATH", str(directory))
    return directory


def test_one_that_is_installed_is_taken(tools: Path, tmp_path: Path):
    script(tools / "npm", "exit 9")
    there = script(tmp_path / "cache" / "node_modules" / ".bin" / "cdk", "")
    assert find_cdk(tmp_path / "cache").path == str(there)


def test_the_users_own_is_taken_when_it_fits(tools: Path, tmp_path: Path):
    own = script(tools / "cdk", "echo '2.1150.0 (build abc)'")
    assert find_cdk(tmp_path / "cache").path == str(own)


@pytest.mark.parametrize("version", ["3.0.0 (build abc)", "2.1147.9", "1.204.0", "?"])
def test_one_that_cannot_read_what_the_library_writes_is_not(
    version: str, tools: Path, tmp_path: Path
):
    script(tools / "cdk", f"echo '{version}'")
    with pytest.raises(ConfigurationError, match="no `npm` on the PATH") as refused:
        find_cdk(tmp_path / "cache")
    assert "apt install npm" in (refused.value.hint or "")


def test_it_is_installed_pinned_with_the_users_npm(tools: Path, tmp_path: Path):
    script(
        tools / "npm",
        'echo "$@" > "$(dirname "$0")/asked"'.replace("$(dirname ", "$(/usr/bin/dirname "),
    )
    said: list[str] = []
    found = find_cdk(tmp_path / "cache", on_line=said.append)
    asked = (tools / "asked").read_text()
    assert f"aws-cdk@{CDK_VERSION}" in asked
    assert str(tmp_path / "cache") in asked
    assert found.path.startswith(str(tmp_path / "cache"))
    assert said == [f"installing aws-cdk {CDK_VERSION} into {tmp_path / 'cache'} …"]


def test_an_npm_that_fails_says_why(tools: Path, tmp_path: Path):
    script(tools / "npm", "echo 'npm error network: no route' >&2; exit 1")
    with pytest.raises(DeploymentError, match="no route"):
        find_cdk(tmp_path / "cache")


@pytest.mark.parametrize(
    ("node", "reason"),
    [("echo v18.19.0", "20 or newer, not 18"), ("exit 1", "tells no version")],
)
def test_a_node_that_will_not_do_is_named(node: str, reason: str, tools: Path, tmp_path: Path):
    script(tools / "node", node)
    with pytest.raises(ConfigurationError, match=reason):
        find_cdk(tmp_path / "cache")


def test_a_failure_is_told_in_its_own_words(tmp_path: Path):
    cdk = script(
        tmp_path / "cdk",
        'echo "$@"\necho "synthesis time"\necho "❌  shop failed: quota of 2 instances"\n'
        "echo trailing\nexit 1",
    )
    seen: list[str] = []
    with pytest.raises(DeploymentError, match="quota of 2 instances") as failed:
        CdkCli(path=str(cdk)).run(tmp_path, ["deploy", "--all"], on_line=seen.append)
    assert "trailing" not in failed.value.message
    assert seen[0] == f"--app {tmp_path} --no-notices deploy --all"


def test_one_that_says_nothing_of_a_failure_is_quoted(tmp_path: Path):
    cdk = script(tmp_path / "cdk", "echo one\necho two\nexit 7")
    with pytest.raises(DeploymentError, match="ended with 7:\none\ntwo"):
        CdkCli(path=str(cdk)).run(tmp_path, ["diff"], on_line=lambda _line: None)


def test_its_telemetry_is_off(tmp_path: Path):
    cdk = script(tmp_path / "cdk", 'echo "telemetry off: $CDK_DISABLE_CLI_TELEMETRY"')
    seen: list[str] = []
    CdkCli(path=str(cdk)).run(tmp_path, ["diff"], on_line=seen.append)
    assert seen == ["telemetry off: true"]
    assert "CDK_DISABLE_CLI_TELEMETRY" not in os.environ
