"""
A worker: the process that holds a model and answers on a socket until it is told to stop.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from importlib import import_module
from typing import Final, NoReturn

import uvloop

from tonnage.artefact import LoadedModel, predict_golden
from tonnage.domain import TonnageError
from tonnage.http import Limits, Server

from . import compat
from ._batching import BatchLimits
from ._capacity import InstanceCapacity
from ._costs import measure_costs
from ._instance import Instance
from ._metrics import Scoreboard
from ._request_log import RequestLog
from ._watch import BEAT_SECONDS
from .compat import HandlerSource

__all__ = ["DRAIN_SECONDS", "Lifeline", "WorkerOptions", "fork_worker"]

logger = logging.getLogger(__name__)

DRAIN_SECONDS: Final = 25.0
"""A container is killed 30 s after SIGTERM (DG: your-algorithms-inference-code)."""

_SWITCH_SECONDS: Final = 0.002
"""
How long a model in the thread that keeps the interpreter's lock may keep the loop from it.

Python's own 5 ms would be paid for every turn of the loop; less would be taken from the model.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerOptions:
    """
    How a worker serves.

    Attributes:
        max_body_bytes: The largest request body.
        capacity: A cap on what the instance carries, if one is emulated.
        batching: How long requests wait, and how many at once.
        access_log: Whether each request is a JSON line on standard output.
        default_accept: The format of answers to those who have no preference; empty for the
            request's own. A handler has its own setting.
    """

    max_body_bytes: int = 6 * 1024 * 1024
    capacity: InstanceCapacity | None = None
    batching: BatchLimits = field(default_factory=BatchLimits)
    access_log: bool = False
    default_accept: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lifeline:
    """
    A pipe that tells children that their parent is gone, however it went.

    Only the parent holds the writing end; when that closes, the reading end turns readable.

    Attributes:
        reader: The end that children watch.
        writer: The end that the parent holds.
    """

    reader: int
    writer: int

    @classmethod
    def make(cls) -> "Lifeline":
        """Make one; nothing that this process executes inherits it."""
        reader, writer = os.pipe()
        return cls(reader=reader, writer=writer)


def fork_worker(
    model: LoadedModel | HandlerSource,
    listener: socket.socket,
    options: WorkerOptions,
    lifeline: Lifeline,
    *,
    on_ready: Callable[[], None],
    is_ready: Callable[[], bool] = lambda: True,
    scoreboard: Scoreboard | None = None,
    slot: int = 0,
) -> int:
    """
    Fork a worker from this process, which must be single-threaded, and return its process id.

    The parent only loads; the self-test runs in the child, because a parent that has predicted may
    hold locks and threads that do not survive a fork.

    Args:
        model: The loaded model, shared with the child's memory; or a handler, which the child
            loads.
        listener: A listening socket.
        options: How to serve.
        lifeline: When its other end closes, the parent is gone and the child drains and ends.
        on_ready: Called in the child when its self-test has passed and it serves.
        is_ready: Called in the child: whether ``/ping`` may answer 200.
        scoreboard: Counters shared by the instance's workers; None when there is one worker.
        slot: Which of the workers this is.
    """
    if isinstance(model, HandlerSource):
        import_module("tonnage.serving.compat._instance")  # here: the children share it
    # A signal between the fork and the child's own handlers would run the parent's in the child.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    process_id = os.fork()
    if process_id == 0:
        os.close(lifeline.writer)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent turns Ctrl-C into SIGTERM
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())  # whatever the parent holds back
        board = scoreboard or Scoreboard()
        serving = _serve(model, listener, options, lifeline, on_ready, is_ready, board, slot)
        _run_and_exit(model, serving)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return process_id


def _run_and_exit(
    model: LoadedModel | HandlerSource, serving: Coroutine[None, None, None]
) -> NoReturn:
    status = 1
    try:
        if isinstance(model, LoadedModel):
            predict_golden(model)
        uvloop.run(serving)
        status = 0
    except TonnageError as error:
        logger.error("%s", error.message)  # noqa: TRY400 (a known fault needs no trace)
    except BaseException:
        logger.exception("worker failed")
    finally:
        os._exit(status)


async def _serve(
    model: LoadedModel | HandlerSource,
    listener: socket.socket,
    options: WorkerOptions,
    lifeline: Lifeline,
    on_ready: Callable[[], None],
    is_ready: Callable[[], bool],
    scoreboard: Scoreboard,
    slot: int,
) -> None:
    sys.setswitchinterval(_SWITCH_SECONDS)
    tally = scoreboard.tally(slot)
    tally.set_ready(is_ready=False)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_reader(lifeline.reader, stop.set)
    request_log = RequestLog() if options.access_log else None
    instance: Instance | compat.HandlerInstance | None
    if isinstance(model, HandlerSource):
        books = compat.Books(scoreboard=scoreboard, tally=tally, request_log=request_log)
        instance = await compat.HandlerInstance.start(
            model, stop=stop, is_ready=is_ready, books=books
        )
    else:
        instance = Instance(
            model,
            capacity=options.capacity,
            is_ready=is_ready,
            limits=options.batching,
            default_accept=options.default_accept,
            costs=measure_costs(model),
            scoreboard=scoreboard,
            tally=tally,
            request_log=request_log,
        )
    if instance is None:  # told to stop while its handler was loading
        return

    def beat() -> None:
        tally.beat()
        if isinstance(instance, Instance) and instance.is_stuck and not stop.is_set():
            logger.error("the model has not come back in time: its worker ends and is replaced")
            tally.set_ready(is_ready=False)
            instance.give_up()
            stop.set()
        loop.call_later(BEAT_SECONDS, beat)

    limits = Limits(max_body_bytes=options.max_body_bytes)
    server = await Server.start(
        instance.handle,
        sock=listener,
        place=scoreboard.places.place(slot),
        limits=limits,
        refuse=instance.refuse,
    )
    beat()
    tally.set_ready(is_ready=True)
    on_ready()
    await stop.wait()
    loop.remove_reader(lifeline.reader)
    await server.drain(timeout_seconds=DRAIN_SECONDS)
