"""
The emulator's end of the zygotes: asks for instances, hears what became of them.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tonnage.domain import ArtefactError, CapacityError
from tonnage.serving.zygote import ZygoteOptions

__all__ = ["OnEnded", "SpawnedInstance", "Zygote", "ZygotePool", "kill", "terminate"]

logger = logging.getLogger(__name__)

OnEnded = Callable[[str, int], None]
"""Takes an instance's id and the exit code of its process."""

_ONE_THREAD: Final = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)
_CLOSE_SECONDS: Final = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class SpawnedInstance:
    """A new instance's process, ready to answer: its port on loopback and its process id."""

    port: int
    process_id: int


class Zygote:
    """
    A running zygote; when its process is killed, the next instance asked for starts another.

    Args:
        options: What it is started with.
    """

    def __init__(self, options: ZygoteOptions) -> None:
        self.options = options
        self._on_ended: dict[str, OnEnded] = {}
        self._waiting: dict[str, asyncio.Future[SpawnedInstance]] = {}
        self._starting = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._watcher: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, options: ZygoteOptions) -> "Zygote":
        """
        Start a zygote and wait until it has loaded the artefact.

        Raises:
            ArtefactError: If it could not.
        """
        zygote = cls(options)
        await zygote._running_stdin()
        return zygote

    async def spawn(self, instance: str, on_ended: OnEnded) -> SpawnedInstance:
        """
        Fork an instance and wait until it has passed its self-test.

        Args:
            instance: Its id.
            on_ended: Called once it is ready and its process has ended, or is about to because the
                zygote's has.

        Raises:
            CapacityError: If its process ended before, or no zygote can be started.
        """
        try:
            stdin = await self._running_stdin()
        except ArtefactError as error:
            raise CapacityError(f"instance {instance} cannot start: {error.message}") from error
        answer: asyncio.Future[SpawnedInstance] = asyncio.get_running_loop().create_future()
        self._waiting[instance] = answer
        self._on_ended[instance] = on_ended
        stdin.write(json.dumps({"spawn": instance}).encode() + b"\n")
        try:
            return await answer
        except BaseException:  # above all when whoever asked was cancelled
            self._on_ended.pop(instance, None)
            raise

    async def close(self) -> None:
        """Let every instance drain, and end."""
        if self._process is None or self._watcher is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _CLOSE_SECONDS)
        except TimeoutError:
            logger.error("the instances did not drain in time and are killed")  # noqa: TRY400 (no fault of ours to trace)
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._watcher

    async def _running_stdin(self) -> asyncio.StreamWriter:
        async with self._starting:
            if self._watcher is None or self._watcher.done():
                self._process = await _start_process(self.options)
                self._watcher = asyncio.create_task(self._watch(self._process))
            assert self._process is not None
            assert self._process.stdin is not None
            return self._process.stdin

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        """Hear what a zygote says until it ends; its instances end with it."""
        reading = asyncio.create_task(self._read_events(process))
        exit_code = await process.wait()
        reading.cancel()  # its instances hold the pipe open while they drain
        await asyncio.wait([reading])
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(CapacityError("the process that forks instances is gone"))
        self._waiting.clear()
        for instance in tuple(self._on_ended):
            self._lost(instance, exit_code)

    async def _read_events(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self._handle(json.loads(line))

    def _lost(self, instance: str, exit_code: int) -> None:
        on_ended = self._on_ended.pop(instance, None)
        if on_ended is not None:
            on_ended(instance, exit_code)

    def _handle(self, event: dict[str, Any]) -> None:
        instance = event["instance"]
        waiting = self._waiting.pop(instance, None)
        if event["event"] == "ready":
            if waiting is None or waiting.done():  # whoever asked has given up
                terminate(event["process_id"])
            else:
                waiting.set_result(
                    SpawnedInstance(port=event["port"], process_id=event["process_id"])
                )
        elif waiting is not None and not waiting.done():
            waiting.set_exception(
                CapacityError(f"instance {instance} ended before it was ready; its log says why")
            )
        else:
            self._lost(instance, event["exit_code"])


class ZygotePool:
    """The zygotes of all models; those who serve the same artefact alike share one."""

    def __init__(self) -> None:
        self._zygotes: dict[str, Zygote] = {}
        self._users: dict[str, int] = {}
        self._starting: dict[str, asyncio.Lock] = {}

    async def lease(self, options: ZygoteOptions) -> Zygote:
        """
        Return the zygote of these options, running, until ``release``.

        Raises:
            ArtefactError: If it cannot load the artefact.
        """
        key = options.to_json()
        async with self._starting.setdefault(key, asyncio.Lock()):
            if key not in self._zygotes:
                self._zygotes[key] = await Zygote.start(options)
            self._users[key] = self._users.get(key, 0) + 1
            return self._zygotes[key]

    async def release(self, zygote: Zygote) -> None:
        """End the zygote if this was its last user."""
        key = zygote.options.to_json()
        async with self._starting[key]:
            self._users[key] -= 1
            if not self._users[key]:
                del self._zygotes[key]
                await zygote.close()

    async def close(self) -> None:
        """End those that are left, whoever uses them."""
        left, self._zygotes = tuple(self._zygotes.values()), {}
        await asyncio.gather(*(zygote.close() for zygote in left))


async def _start_process(options: ZygoteOptions) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tonnage.serving.zygote",
        options.to_json(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **_ONE_THREAD},
    )
    assert process.stdout is not None
    line = await process.stdout.readline()
    event = json.loads(line) if line else {"event": "failed", "message": "it ended at once"}
    if event["event"] != "loaded":
        await process.wait()
        raise ArtefactError(event["message"], hint=event.get("hint"))
    return process


def terminate(process_id: int) -> None:
    """Ask an instance to drain and end; one that is gone already is fine."""
    _signal(process_id, signal.SIGTERM)


def kill(process_id: int) -> None:
    """End an instance at once, frozen ones too."""
    _signal(process_id, signal.SIGKILL)


def _signal(process_id: int, number: signal.Signals) -> None:
    try:
        os.kill(process_id, number)
    except ProcessLookupError:
        logger.debug("instance process %d was gone already", process_id)
