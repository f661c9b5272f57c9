"""
The Docker engine, through its own client.
"""

import json
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from tonnage.domain import ConfigurationError, DeploymentError

__all__ = ["build", "find_docker", "inspect_image"]

_ANSWER_SECONDS: Final = 30.0
_SHOWN_LINES: Final = 3


def find_docker(
    instead: str = "write the build context with --context DIR for another builder",
) -> str:
    """
    Return the path of a client whose engine answers.

    Args:
        instead: What can be done without one.

    Raises:
        ConfigurationError: If there is none; the message says what to install or start.
    """
    docker = shutil.which("docker")
    if docker is None:
        raise ConfigurationError(
            "building an image needs Docker, and there is no `docker` on the PATH",
            hint=f"install it (Debian and Ubuntu: apt install docker.io), or {instead}",
        )
    answered = _run([docker, "version", "--format", "{{.Server.Version}}"])
    if answered.returncode != 0:
        raise ConfigurationError(
            f"the Docker engine does not answer: {_last_line(answered.stderr)}",
            hint="start it (systemctl start docker), or point DOCKER_HOST at one that runs",
        )
    return docker


def build(
    docker: str, context: str, options: Sequence[str], on_line: Callable[[str], None]
) -> None:
    """
    Run ``docker build``.

    Args:
        docker: The client.
        context: The build context's directory.
        options: Flags.
        on_line: Called with each line that the builder prints.

    Raises:
        DeploymentError: If it fails; the message ends with the builder's last lines.
    """
    last: deque[str] = deque(maxlen=_SHOWN_LINES)
    with subprocess.Popen(
        [docker, "build", *options, context],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            last.append(line.rstrip())
            on_line(line.rstrip())
    if process.returncode != 0:
        said = "\n".join(last)
        raise DeploymentError(f"docker build ended with {process.returncode}:\n{said}")


def inspect_image(docker: str, image: str) -> dict[str, Any] | None:
    """Return what the engine knows of an image; None when it is not in its store."""
    answered = _run([docker, "image", "inspect", "--format", "{{json .}}", image])
    if answered.returncode != 0:
        return None
    described: dict[str, Any] = json.loads(answered.stdout)
    return described


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=_ANSWER_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(
            command, 1, "", f"no answer within {_ANSWER_SECONDS:g} s"
        )


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]
