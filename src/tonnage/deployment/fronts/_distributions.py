"""
The libraries of a Lambda package: from this environment when they fit Lambda, else downloaded.

Copying what is installed needs no network and takes a blink. It fits when this is Linux with the
function's Python, and each distribution's files still have the hashes they were installed with.
Else uv or pip downloads wheels for Lambda's Linux, held to the hashes of the lock that Tonnage
ships.
"""

import base64
import hashlib
import itertools
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

from tonnage.domain import ConfigurationError, DeploymentError

__all__ = ["copy_installed", "download", "locked", "why_not_installed"]

_LOCK: Final = files("tonnage.deployment") / "image_files" / "serving.lock"
_PIN: Final = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)==", re.MULTILINE)
_PLATFORMS: Final = {"x86_64": ("x86_64",), "arm64": ("aarch64", "arm64")}
# Amazon Linux 2023 has glibc 2.34; musl wheels do not run on it.
_FITTING_TAG: Final = re.compile(r"-(any|manylinux2014_\w+|manylinux_2_([5-9]|[12]\d|3[0-4])_\w+)$")
_DOWNLOAD_SECONDS: Final = 300


def why_not_installed(
    roots: Sequence[str], *, python_version: str, architecture: str
) -> str | None:
    """Say why what is installed here would not run on Lambda; None when it would."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if sys.platform != "linux" or platform.machine() not in _PLATFORMS[architecture]:
        return f"this is {platform.system()} on {platform.machine()}"
    if here != python_version:
        return f"this is Python {here}"
    for each in _closure(roots):
        tags = re.findall(r"^Tag: (.+)$", each.read_text("WHEEL") or "", re.MULTILINE)
        if not any(_FITTING_TAG.search(tag) for tag in tags):
            return f"{each.name} was not installed from a wheel for every Linux"
    return None


def copy_installed(roots: Sequence[str], directory: Path) -> None:
    """
    Copy distributions, and what they need, from this environment.

    Raises:
        DeploymentError: If a file is not what was installed.
    """
    for each in _closure(roots):
        for file in each.files or ():
            if file.parts[0] == ".." or "__pycache__" in file.parts or file.hash is None:
                continue
            content = Path(str(file.locate())).read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode()
            if file.hash.mode != "sha256" or digest.rstrip("=") != file.hash.value:
                raise DeploymentError(
                    f"{file} of {each.name} is not what was installed", hint="install it again"
                )
            copy = directory / file
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content)


def download(
    roots: Sequence[str], directory: Path, *, python_version: str, architecture: str
) -> None:
    """
    Download wheels for Lambda, held to the hashes of Tonnage's lock.

    Raises:
        ConfigurationError: If there is nothing to download them with.
        DeploymentError: If that fails.
    """
    machine = _PLATFORMS[architecture][0]
    with tempfile.TemporaryDirectory(prefix="tonnage-front-") as scratch:
        lock = Path(scratch, "requirements.lock")
        lock.write_text(locked(roots), encoding="utf-8")
        options = ["--quiet", "--require-hashes", "--only-binary=:all:", "--no-deps"]
        finished = subprocess.run(
            [
                *_installer(python_version, machine),
                *options,
                *("--target", str(directory), "--requirement", str(lock)),
            ],
            capture_output=True,
            text=True,
            timeout=_DOWNLOAD_SECONDS,
            check=False,
        )
    if finished.returncode != 0:
        said = (finished.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise DeploymentError(
            f"the front's libraries could not be downloaded for Python {python_version} on Lambda:"
            f" {said}",
            hint="run it where an index can be reached, or on Linux with that Python",
        )


def _installer(python_version: str, machine: str) -> list[str]:
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is not None:
        target = f"{machine}-manylinux2014"
        return [
            uv,
            "pip",
            "install",
            "--python-platform",
            target,
            "--python-version",
            python_version,
        ]
    finished = subprocess.run(
        [sys.executable, "-m", "pip", "--version"], capture_output=True, check=False
    )
    if finished.returncode != 0:
        raise ConfigurationError(
            "the front's libraries must be downloaded, and there is neither uv nor pip",
            hint="pip install uv",
        )
    version = python_version.replace(".", "")
    return [
        *(sys.executable, "-m", "pip", "install", "--platform", f"manylinux2014_{machine}"),
        *("--python-version", python_version, "--implementation", "cp", "--abi", f"cp{version}"),
    ]


def locked(roots: Sequence[str]) -> str:
    """
    Return distributions, and what they need, as lines of Tonnage's lock, hashes included.

    Raises:
        ConfigurationError: If the lock has not all of them.
    """
    names = {_normal(each.name) for each in _closure(roots)}
    lock = _LOCK.read_text(encoding="utf-8")
    starts = [match.start() for match in _PIN.finditer(lock)] + [len(lock)]
    entries = [lock[start:end] for start, end in itertools.pairwise(starts)]
    chosen = [entry for entry in entries if _normal(entry.partition("==")[0]) in names]
    missing = names - {_normal(entry.partition("==")[0]) for entry in chosen}
    if missing:
        raise ConfigurationError(
            f"{', '.join(sorted(missing))} is not in Tonnage's lock, which pins what a front has",
            hint='choose front = "rest", which needs no Lambda; or front = "http" on Linux with the'
            " function's Python, which copies what is installed",
        )
    lines = "".join(chosen).splitlines(keepends=True)
    return "".join(line for line in lines if not line.lstrip().startswith("#"))


def _closure(roots: Sequence[str]) -> Iterator[Distribution]:
    """Yield distributions and what they need without an extra, each once."""
    waiting, seen = list(roots), set[str]()
    while waiting:
        name = waiting.pop(0)
        if _normal(name) in seen:
            continue
        seen.add(_normal(name))
        try:
            found = distribution(name)
        except PackageNotFoundError as error:
            raise ConfigurationError(
                f"the front needs {name}, which is not installed", hint=f"pip install {name}"
            ) from error
        yield found
        waiting += _requirements(found)


def _requirements(found: Distribution) -> Iterator[str]:
    for line in found.requires or ():
        needed = Requirement(line)
        if needed.marker is None or needed.marker.evaluate({"extra": ""}):
            yield needed.name


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
