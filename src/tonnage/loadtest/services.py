"""
A service under test, started by its command and stopped again.
"""

import os
import shlex
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Final
from urllib.parse import urlsplit

from tonnage.domain import ConfigurationError, TransportError

from .signals import HeldSignals

__all__ = ["is_url", "started_service"]

STARTUP_SECONDS: Final = 60.0
"""How long a command may take until something listens on its port."""

_POLL_SECONDS: Final = 0.05
_FAREWELL_SECONDS: Final = 10.0
_LAST_WORDS: Final = 400


def is_url(text: str) -> bool:
    """Say whether this is where a service is, rather than how one is started."""
    return text.startswith(("http://", "https://"))


@contextmanager
def started_service(
    command: str,
    *,
    url: str = "http://127.0.0.1:{port}",
    values: Mapping[str, str] | None = None,
    startup_seconds: float = STARTUP_SECONDS,
) -> Iterator[str]:
    """
    Start a service by its command, wait until it listens, give its URL, and stop it at the end.

    Args:
        command: As on a command line, without a shell. ``{port}`` is a free port, which is also in
            the environment as ``PORT``.
        url: Where it then is; ``{port}`` is that port. Without ``{port}`` the command listens where
            the URL says.
        values: More names in braces, e.g. ``{"n": "2"}``.
        startup_seconds: How long it may take to listen.

    Raises:
        ConfigurationError: If the command cannot be read or started.
        TransportError: If it ends, or does not listen in time.
    """
    filled = {"port": str(_free_port()), **(values or {})}
    words = _words(command, filled)
    address = _filled(url, filled)
    with tempfile.TemporaryFile() as said:
        process = _start(words, said, filled["port"])
        try:
            _wait(process, command, address, said, startup_seconds)
            yield address
        finally:
            with HeldSignals().hold():  # an impatient Ctrl-C must not leave the service behind
                _stop(process)


def _words(command: str, values: Mapping[str, str]) -> list[str]:
    try:
        words = [_filled(word, values) for word in shlex.split(command)]
    except ValueError as error:
        raise ConfigurationError(f"the command {command!r} cannot be read: {error}") from error
    if not words:
        raise ConfigurationError("the command to start a service is empty")
    return words


def _filled(text: str, values: Mapping[str, str]) -> str:
    # Not str.format: a command may hold braces of its own, e.g. JSON.
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _start(words: list[str], said: IO[bytes], port: str) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env={**os.environ, "PORT": port},
            start_new_session=True,  # Ctrl-C is ours to answer, and the whole family ends as one
        )
    except OSError as error:
        raise ConfigurationError(
            f"{words[0]} cannot be started: {error.strerror}", hint="name a command on the PATH"
        ) from error


def _wait(
    process: subprocess.Popen[bytes], command: str, url: str, said: IO[bytes], seconds: float
) -> None:
    parts = urlsplit(url)
    address = (parts.hostname or "127.0.0.1", parts.port or 80)
    deadline = time.monotonic() + seconds
    while True:
        with suppress(OSError), socket.create_connection(address, timeout=1.0):
            if process.poll() is None:
                return
        if process.poll() is not None:
            raise TransportError(
                f"{command!r} ended with exit code {process.returncode} before it served"
                f" {url}{_last_words(said)}"
            )
        if time.monotonic() > deadline:
            raise TransportError(
                f"{command!r} did not listen at {url} within {seconds:g} s{_last_words(said)}",
                hint="let it listen on {port}, or on the environment's PORT",
            )
        time.sleep(_POLL_SECONDS)


def _last_words(said: IO[bytes]) -> str:
    said.seek(0)
    text = said.read().decode(errors="replace").strip()
    return f": {' | '.join(text[-_LAST_WORDS:].splitlines())}" if text else ""


def _stop(process: subprocess.Popen[bytes]) -> None:
    for kind in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, kind)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_FAREWELL_SECONDS)
            break
    with suppress(ProcessLookupError):  # what the leader left behind goes with it
        os.killpg(process.pid, signal.SIGKILL)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
