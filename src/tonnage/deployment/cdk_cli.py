"""
The CDK's command line: pinned, installed on first use with the user's npm, and run.

npm's `latest` is not asked for: a version older than the library cannot read what it writes, and a
newer major one need not.
"""

import os
import re
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tonnage.domain import ConfigurationError, DeploymentError

from .node import find_node

__all__ = ["CDK_VERSION", "CdkCli", "cache_directory", "find_cdk"]

CDK_VERSION: Final = "2.1148.1"
_OLDEST_MINOR: Final = 1148
_VERSION: Final = re.compile(r"^2\.(?P<minor>\d+)\.\d+")
_ANSWER_SECONDS: Final = 60.0
_INSTALL_SECONDS: Final = 300.0
_SHOWN_LINES: Final = 4
_QUIET: Final = {"CDK_DISABLE_CLI_TELEMETRY": "true", "NO_COLOR": "1", "NODE_NO_WARNINGS": "1"}
_MARKS: Final = ("❌", "failed:", "Error:")


@dataclass(frozen=True, kw_only=True, slots=True)
class CdkCli:
    """
    An installed command line.

    Attributes:
        path: Where.
    """

    path: str

    def run(
        self,
        assembly: Path,
        arguments: Sequence[str],
        *,
        on_line: Callable[[str], None],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """
        Run a command on a ready cloud assembly.

        Args:
            assembly: What ``synthesise`` wrote.
            arguments: The command and its flags.
            on_line: Called with each line that it prints.
            environment: Variables beside this process's own.

        Raises:
            DeploymentError: If it fails; the message holds what it said of that, or said last.
        """
        last: deque[str] = deque(maxlen=_SHOWN_LINES)
        complaints: list[str] = []
        with subprocess.Popen(
            [self.path, "--app", str(assembly), "--no-notices", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, **_QUIET, **(environment or {})},
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                text = line.rstrip()
                if text:
                    last.append(text)
                if any(mark in text for mark in _MARKS):
                    complaints.append(text.strip())
                on_line(text)
        if process.returncode != 0:
            said = "\n".join(complaints[-_SHOWN_LINES:] or last)
            raise DeploymentError(f"cdk {arguments[0]} ended with {process.returncode}:\n{said}")


def cache_directory() -> Path:
    """Return where the command line is installed: beside other caches of the user."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "tonnage" / f"aws-cdk-{CDK_VERSION}"


def find_cdk(
    cache: Path | None = None, *, on_line: Callable[[str], None] = lambda _line: None
) -> CdkCli:
    """
    Return a CDK command line that reads what the library writes; install it if there is none.

    Args:
        cache: Where it is, or is installed.
        on_line: Told what is being done.

    Raises:
        ConfigurationError: If Node.js or npm is missing; the message says what to install.
        DeploymentError: If npm fails.
    """
    find_node()
    cache = cache or cache_directory()
    installed = cache / "node_modules" / ".bin" / "cdk"
    if installed.exists():
        return CdkCli(path=str(installed))
    own = shutil.which("cdk")
    if own is not None and _fits(own):
        return CdkCli(path=own)
    on_line(f"installing aws-cdk {CDK_VERSION} into {cache} …")
    _install(cache)
    return CdkCli(path=str(installed))


def _fits(cdk: str) -> bool:
    try:
        told = subprocess.run(
            [cdk, "--version"],
            capture_output=True,
            text=True,
            timeout=_ANSWER_SECONDS,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    version = _VERSION.match(told.strip())
    return version is not None and int(version["minor"]) >= _OLDEST_MINOR


def _install(cache: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise ConfigurationError(
            "the CDK's command line is installed with npm, and there is no `npm` on the PATH",
            hint=f"install npm (Debian and Ubuntu: apt install npm), or aws-cdk@{CDK_VERSION}"
            " itself",
        )
    cache.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(cache)]
    try:
        finished = subprocess.run(
            [*command, f"aws-cdk@{CDK_VERSION}"],
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DeploymentError(f"npm did not install aws-cdk within {error.timeout:g} s") from error
    if finished.returncode != 0:
        said = "\n".join(finished.stderr.strip().splitlines()[:_SHOWN_LINES])
        raise DeploymentError(
            f"npm could not install aws-cdk@{CDK_VERSION}:\n{said}",
            hint=f"install it yourself: npm install -g aws-cdk@{CDK_VERSION}",
        )
