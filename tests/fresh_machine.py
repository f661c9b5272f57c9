"""
Tonnage as somebody gets it who has nothing but its wheel: built here, installed elsewhere.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
QUICK_START = Path(__file__).with_name("install") / "quick_start.py"
EXTRAS = "pack,load,report"
PIP_CONFIGURATIONS = ("~/.config/pip/pip.conf", "~/.pip/pip.conf", "/etc/pip.conf")
BUILD_SECONDS = 120
INSTALL_SECONDS = 420


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
    pip_variables = [name for name in os.environ if name.startswith("PIP_")]
    configurations = [file for file in map(Path, PIP_CONFIGURATIONS) if file.expanduser().exists()]
    command: list[str | Path] = [
        *("docker", "run", "--rm", "--network", "host"),
        *(part for name in pip_variables for part in ("--env", name)),
        *("--volume", f"{given}:/given:ro"),
        *(
            part
            for file in configurations[:1]
            for part in ("--volume", f"{file.expanduser()}:/etc/pip.conf:ro")
        ),
        *(base, "bash", "-euc", _IN_THE_CONTAINER, "bash", f"/given/{wheel.name}[{EXTRAS}]"),
    ]
    printed = run(command, cwd=given, env={**os.environ, **variables}, seconds=INSTALL_SECONDS)
    return [json.loads(line) for line in printed.splitlines() if line.startswith('{"step"')]


_IN_THE_CONTAINER = """
began=$EPOCHREALTIME
python3 -m venv --without-pip /opt/tonnage
python3 -m pip --python /opt/tonnage/bin/python --disable-pip-version-check install --quiet \
  --no-cache-dir --root-user-action=ignore --constraint /given/constraints.txt "$1" >&2
seconds=$(python3 -c 'import sys; print(float(sys.argv[2]) - float(sys.argv[1]))' \\
  "$began" "$EPOCHREALTIME")
printf '{"step": "pip install", "seconds": %s, "printed": ""}\\n' "$seconds"
mkdir /home/newcomer
cd /home/newcomer
/opt/tonnage/bin/python -I /given/quick_start.py
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
