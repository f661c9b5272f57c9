"""
A real Docker engine for tests, and a base image for it that needs no registry.

An engine that already answers is used as it is. Else one is started, which takes root, with its
data in a directory of its own; what it does to the machine's network is undone.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import Command, until

NEEDED = ("docker", "dockerd", "mmdebstrap", "iptables-save")
BASE_TAG = "tonnage-test-base:python3"
START_SECONDS = 60.0
BUILD_SECONDS = 300
PACKAGES = ("base-files", "bash", "coreutils", "dash", "libstdc++6", "python3", "python3-pip")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


@dataclass(frozen=True)
class Docker:
    """The client of the tests' engine."""

    variables: Mapping[str, str]

    def run(self, *arguments: str | Path, check: bool = True) -> str:
        finished = subprocess.run(
            ["docker", *map(str, arguments)],
            env={**os.environ, **self.variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
        assert not check or finished.returncode == 0, (arguments, finished.stdout)
        return finished.stdout.strip()

    def inspect(self, name: str) -> Any:  # noqa: ANN401 (whatever the engine says)
        return json.loads(self.run("inspect", name))[0]

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start a client command that goes on by itself."""
        return subprocess.Popen(
            ["docker", *map(str, arguments)],
            env={**os.environ, **self.variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def why_no_engine() -> str | None:
    """Say what is missing for an engine; None when there is one or one can be started."""
    if engine_answers(os.environ):
        return None
    missing = [name for name in NEEDED if shutil.which(name, path=search_path()) is None]
    if missing:
        return f"no Docker engine answers, and to start one {', '.join(missing)} is missing"
    return None if os.geteuid() == 0 else "no Docker engine answers, and to start one takes root"


def engine_answers(environment: Mapping[str, str]) -> bool:
    if shutil.which("docker") is None:
        return False
    asked = subprocess.run(
        ["docker", "version", "--format", "{{.Server.Version}}"],
        env=dict(environment),
        capture_output=True,
        timeout=30,
        check=False,
    )
    return asked.returncode == 0


def search_path() -> str:
    """The PATH with the places of root's commands, which a user's may lack."""
    return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


@contextmanager
def docker_engine() -> Iterator[dict[str, str]]:
    """Give the variables with which the client finds an engine; start one if none answers."""
    if engine_answers(os.environ):
        yield {}
        return
    directory = Path(tempfile.mkdtemp(prefix="tonnage-docker-"))
    variables = {"DOCKER_HOST": f"unix://{directory}/socket"}
    command = [
        "dockerd",
        *("--host", variables["DOCKER_HOST"]),
        *("--data-root", directory / "data"),
        *("--exec-root", directory / "exec"),
        *("--pidfile", directory / "pid"),
    ]
    try:
        with network_undone(), Command(command, env={"PATH": search_path()}) as engine:

            def is_up() -> bool:
                assert engine.process.poll() is None, f"dockerd ended: {engine.stderr}"
                return engine_answers({**os.environ, **variables})

            until(is_up, "the Docker engine", seconds=START_SECONDS)
            yield variables
    finally:
        # The engine leaves its network namespace mounted.
        run("umount", "--quiet", directory / "exec" / "netns" / "default", check=False)
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def network_undone() -> Iterator[None]:
    """Put the packet filter back as it was, and take away the bridge, if it is new."""
    bridge = Path("/sys/class/net/docker0")
    was_there = bridge.exists()
    rules = run("iptables-save")
    try:
        yield
    finally:
        subprocess.run(
            ["iptables-restore"], input=rules, env=root_env(), text=True, timeout=30, check=True
        )
        if not was_there and bridge.exists() and shutil.which("ip", path=search_path()):
            run("ip", "link", "delete", "docker0", check=False)


def base_image(variables: Mapping[str, str], further: Sequence[str] = ()) -> str:
    """
    Return an image with Python and pip: the one that TONNAGE_TEST_BASE_IMAGE names, else Debian's.

    Debian's is put together from this machine's own mirror, with the packages ``further`` if there
    are any, and kept in the user's cache.
    """
    named = os.environ.get("TONNAGE_TEST_BASE_IMAGE")
    if named:
        return named
    archive = root_filesystem(further)
    tag = "-".join([BASE_TAG, *further])
    environment = {**os.environ, **variables}
    subprocess.run(
        ["docker", "import", "--change", 'CMD ["python3"]', str(archive), tag],
        env=environment,
        stdout=subprocess.DEVNULL,
        timeout=120,
        check=True,
    )
    return tag


def root_filesystem(further: Sequence[str] = ()) -> Path:
    """
    Return a small Debian with Python as a tar file, made when there is none in the cache.

    Its packages are unpacked, not configured: enough for Python, and a fifth of the time.
    """
    release = suite()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "tonnage-tests")
    contents = "-".join(["python", *further])
    archive = cache / f"{release}-{platform.machine()}-with-{contents}.tar"
    if archive.exists():
        return archive
    cache.mkdir(parents=True, exist_ok=True)
    # What configuring would have made: a place for temporary files, and whom pip may trust.
    made = (
        'mkdir -p -m 1777 "$1/tmp"',
        f'mkdir -p "$1{CERTIFICATES.parent}"',
        f'cp {CERTIFICATES} "$1{CERTIFICATES}"',
    )
    unfinished = cache / f"{archive.stem}-{os.getpid()}.tar"
    try:
        run(
            "mmdebstrap",
            *("--quiet", "--variant=extract", f"--include={','.join([*PACKAGES, *further])}"),
            *("--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",),
            *(f"--setup-hook={command}" for command in made),
            *(release, unfinished, mirror()),
        )
        unfinished.replace(archive)
    finally:
        unfinished.unlink(missing_ok=True)
    return archive


def suite() -> str:
    """This machine's Debian release, e.g. ``bookworm``."""
    release = platform.freedesktop_os_release()
    assert release["ID"] == "debian", (
        "the base image is made with mmdebstrap on Debian; elsewhere name one that the engine has"
        " in TONNAGE_TEST_BASE_IMAGE, e.g. python:3.12-slim"
    )
    return release["VERSION_CODENAME"]


def mirror() -> str:
    """The mirror that this machine installs from."""
    sources = (
        Path("/etc/apt/sources.list.d/debian.sources"),
        Path("/etc/apt/sources.list"),
    )
    for file in sources:
        found = file.exists() and re.search(
            r"^(?:URIs:|deb(?: \[[^]]*\])?) *(\S+)", file.read_text(), re.MULTILINE
        )
        if found:
            return found[1]
    raise AssertionError(f"no mirror in {' or '.join(map(str, sources))}")


def run(command: str, *arguments: str | Path, check: bool = True) -> str:
    """Run one of root's commands and return what it printed."""
    finished = subprocess.run(
        [command, *map(str, arguments)],
        env=root_env(),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert not check or finished.returncode == 0, (command, finished.stdout, finished.stderr)
    return finished.stdout


def root_env() -> dict[str, str]:
    return {**os.environ, "PATH": search_path()}
