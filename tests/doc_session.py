"""
A reader at a shell: the commands and the Python of one page, in one directory, on ports of its own.
"""

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Container, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from doc_pages import Block, Step, mismatch, steps_of
from support import free_port, until

PATIENCE_SECONDS: Final = 120.0
_SENTINEL: Final = "-- the command has ended with "
_SERVERS: Final = {"tonnage up": 8000, "tonnage serve": 8080}
"""Commands that run until they are ended, and their default ports."""

_OF_A_MEASUREMENT: Final = {0, 3, 4}
"""Done; the objective missed, or the generator in doubt, which a busy machine can bring about."""

_READY: Final = re.compile(r"in service$|^serving ", re.MULTILINE)
_SHOW_ENVIRONMENT: Final = "python -c 'import json, os; print(json.dumps(dict(os.environ)))'"
_INTERPRETER: Final = """
import json, sys, traceback
sys.path.insert(0, "")
space = {"__name__": "__main__"}
for line in sys.stdin:
    where, code = json.loads(line)
    try:
        exec(compile(code, where, "exec"), space)
        print(json.dumps(None), file=sys.__stdout__, flush=True)
    except BaseException:
        print(json.dumps(traceback.format_exc()), file=sys.__stdout__, flush=True)
"""


class Session:
    """
    Runs a page's blocks as a reader would, in order.

    What is exported or changed into by one command holds for the next. Servers run in the
    background until the same port is wanted again or the page ends. The ports of the page are
    exchanged for free ones.

    Args:
        directory: Where the reader is at first.
        environment: The reader's variables, all of them.
        patience_seconds: How long a command may take.
    """

    def __init__(
        self,
        directory: Path,
        environment: Mapping[str, str],
        *,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._environment = dict(environment)
        self._patience_seconds = patience_seconds
        self._logs = directory.parent / f"{directory.name}-logs"
        self._logs.mkdir(exist_ok=True)
        self._ports = {8000: free_port(), 8080: free_port()}
        self._servers: dict[int, int] = {}
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._bash = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=directory,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # so that all it started can be ended with it
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self._python: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            for port in list(self._servers):
                self._end_server(port)
            if self._python is not None:
                _end(self._python)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self._bash.pid, signal.SIGKILL)
            _end(self._bash, reader=self._reader)

    def run(self, block: Block) -> str:
        """
        Do what a block asks for, and return what its commands printed.

        Raises:
            AssertionError: If it fails, or prints what its page does not show.
        """
        if "file" in block.orders:
            (self.directory() / block.orders["file"]).write_text(block.text + "\n")
            return ""
        if block.language == "python":
            self._execute(block)
            return ""
        *before, last = steps_of(block)
        printed = [self._do(block, step, codes={0}) for step in before]
        return "".join([*printed, self._do(block, last, codes=_codes(block))])

    def directory(self) -> Path:
        """Return where the reader is now."""
        return Path(self._shell("pwd")[1].strip())

    def logs(self) -> list[str]:
        """Return what each server has printed, the first one's first."""
        return [log.read_text() for log in sorted(self._logs.iterdir())]

    def _do(self, block: Block, step: Step, *, codes: Container[int]) -> str:
        command = self._with_ports(step.command)
        shown = [self._with_ports(line) for line in step.output]
        vary = "figures vary" in block.orders
        server = next((name for name in _SERVERS if command.startswith(name)), None)
        if server:
            return self._start_server(command, shown, port=_SERVERS[server], figures_vary=vary)
        ended_with, output = self._shell(command)
        assert ended_with in codes, f"{block}: `{command}` ended with {ended_with}:\n{output}"
        if "a measurement" in block.orders:
            shown, vary = ["...", *shown[-1:]], True
        difference = mismatch(shown, output, figures_vary=vary)
        assert difference is None, f"{block}: `{command}`: {difference}"
        return output

    def _start_server(
        self, command: str, shown: list[str], *, port: int, figures_vary: bool
    ) -> str:
        self._end_server(port)
        if "--port" not in command:
            command = f"{command.partition('  #')[0]} --port {self._ports[port]}"
        log = self._logs / f"{len(list(self._logs.iterdir()))}.log"
        log.touch()
        _, process_id = self._shell(f"{command} >'{log}' 2>&1 </dev/null & echo $!")
        self._servers[port] = int(process_id)

        def is_ready() -> bool:
            output = log.read_text()
            alive = Path(f"/proc/{self._servers[port]}/stat").read_text().rpartition(")")[2]
            assert alive.split()[0] != "Z", f"`{command}` has ended: {output}"
            return _READY.search(output) is not None

        until(is_ready, f"`{command}` to be ready", seconds=PATIENCE_SECONDS)
        until(
            lambda: mismatch(shown, log.read_text(), figures_vary=figures_vary) is None,
            f"`{command}` to print {shown}, not only {log.read_text()}",
        )
        return log.read_text()

    def _end_server(self, port: int) -> None:
        process_id = self._servers.pop(port, None)
        if process_id is not None:
            os.kill(process_id, signal.SIGTERM)
            self._shell(f"wait {process_id}")

    def _shell(self, command: str) -> tuple[int, str]:
        """Run a command in the one shell; return its exit code and all that it printed."""
        assert self._bash.stdin is not None
        script = f"{{ {command}\n}} 2>&1 </dev/null; printf '\\n{_SENTINEL}%d\\n' $?\n"
        self._bash.stdin.write(script)
        self._bash.stdin.flush()
        deadline = time.monotonic() + self._patience_seconds
        output: list[str] = []
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"`{command}` does not end: {''.join(output)}") from None
            assert line is not None, f"the shell has ended: {''.join(output)}"
            if line.startswith(_SENTINEL):
                return int(line.removeprefix(_SENTINEL)), "".join(output)
            output.append(line)

    def _read(self) -> None:
        assert self._bash.stdout is not None
        for line in self._bash.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _execute(self, block: Block) -> None:
        if self._python is None:
            self._python = subprocess.Popen(
                [sys.executable, "-u", "-c", _INTERPRETER],
                cwd=self.directory(),
                env=json.loads(self._shell(_SHOW_ENVIRONMENT)[1]),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        assert self._python.stdin is not None
        assert self._python.stdout is not None
        self._python.stdin.write(json.dumps([str(block), self._with_ports(block.text)]) + "\n")
        self._python.stdin.flush()
        while (line := self._python.stdout.readline()) not in {"null\n", ""}:
            if line.startswith('"Traceback'):
                raise AssertionError(f"{block}: {json.loads(line)}")
        assert line, f"{block}: the interpreter has ended"

    def _with_ports(self, text: str) -> str:
        for shown, free in self._ports.items():
            text = re.sub(rf"(:|--port )({shown})\b", rf"\g<1>{free}", text)
        return text


def _end(process: subprocess.Popen[str], *, reader: threading.Thread | None = None) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if reader is not None:
        reader.join(PATIENCE_SECONDS)
    process.stdout.close()


def _codes(block: Block) -> Container[int]:
    if "a measurement" in block.orders:
        return _OF_A_MEASUREMENT
    code = block.orders.get("exit code", "0")
    return range(256) if code == "any" else {int(code)}
