"""
Does a generator that was harmed say so, and one that was not keep quiet?

    python benchmarks/loadtest/generator_faults.py [--clean 30]

Each fault is injected into a real run of 3 s at 1,000/s (where it does not say otherwise) against
a target that answers at once; it is flagged when the verdict is not VALID. The clean runs are the
same without a fault, at rates from 100/s to 2,000/s. Takes about three minutes. Faults that need
root (priorities, a network namespace) are reported as not injected without it.
"""

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import described

from tonnage.domain import PiecewiseRate
from tonnage.loadtest import OpenLoopSession, OpenLoopTrial, Payload, constant_target

BODY = Payload(body={"distance": 150})
HERE = Path(__file__).parent
SECONDS = 3.0
RATE = 1000.0
CLEAN_RATES = (100.0, 300.0, 600.0, 1000.0, 2000.0)
_HOG = "while True: pass"


def run(session: OpenLoopSession, rate: float = RATE, *, seconds: float = SECONDS) -> OpenLoopTrial:
    return session.trial(PiecewiseRate.constant(rate, seconds), drain_seconds=2.0)


@contextmanager
def harmed(
    payload: Payload = BODY, *, service: float | None = None, max_outstanding: int = 10_000
) -> Iterator[OpenLoopSession]:
    """Yield a session with a target that answers at once, or at a rate."""
    with (
        constant_target(service) as target,
        OpenLoopSession.start(target.url, payload, max_outstanding=max_outstanding) as session,
    ):
        yield session


@contextmanager
def hogs(cores: Sequence[int], *, each: int, nice: int) -> Iterator[None]:
    """Keep cores busy with processes of a priority."""
    with ExitStack() as stack:
        for core in [core for core in cores for _ in range(each)]:
            hog = subprocess.Popen([sys.executable, "-c", _HOG])
            stack.callback(hog.wait)
            stack.callback(hog.kill)
            os.sched_setaffinity(hog.pid, {core})
            os.setpriority(os.PRIO_PROCESS, hog.pid, nice)
        yield


@contextmanager
def pauses(process_id: int, *, stopped: float, running: float, times: int) -> Iterator[None]:
    """Stop and continue a process, as a throttle or a debugger does."""
    over = threading.Event()

    def work() -> None:
        over.wait(0.5)
        for _ in range(times):
            os.kill(process_id, signal.SIGSTOP)
            over.wait(stopped)
            os.kill(process_id, signal.SIGCONT)
            if over.wait(running):
                return

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def as_an_ordinary_user(session: OpenLoopSession) -> None:
    """Take from the generator the precedence that root gave it."""
    for process_id in session.process_ids:
        os.sched_setscheduler(process_id, os.SCHED_OTHER, os.sched_param(0))
        os.setpriority(os.PRIO_PROCESS, process_id, 0)


def starved_core() -> OpenLoopTrial:
    """The generator's core is shared with three processes of higher priority."""
    with harmed() as session:
        as_an_ordinary_user(session)
        os.sched_setaffinity(session.process_ids[0], {0})
        with hogs([0], each=3, nice=-20):
            return run(session)


def low_priority() -> OpenLoopTrial:
    """The generator runs at the lowest priority beside one busy process on its core."""
    with harmed() as session:
        as_an_ordinary_user(session)
        os.sched_setaffinity(session.process_ids[0], {0})
        os.setpriority(os.PRIO_PROCESS, session.process_ids[0], 19)
        with hogs([0], each=1, nice=0):
            return run(session)


def noisy_neighbour() -> OpenLoopTrial:
    """Two processes of higher priority on every core."""
    with harmed() as session:
        as_an_ordinary_user(session)
        with hogs(sorted(os.sched_getaffinity(0)), each=2, nice=-20):
            return run(session)


def throttled() -> OpenLoopTrial:
    """A CPU quota: 60 ms off in every 100 ms."""
    with harmed() as session, pauses(session.process_ids[0], stopped=0.06, running=0.04, times=24):
        return run(session)


def stopped_once() -> OpenLoopTrial:
    """Stopped for 400 ms, once, as by a virtual machine's migration."""
    with harmed() as session, pauses(session.process_ids[0], stopped=0.4, running=3, times=1):
        return run(session)


def collector_pauses() -> OpenLoopTrial:
    """A payload function leaves a heap that the garbage collector walks."""
    with harmed(Payload(function="faulty_payloads:collects_garbage", directory=HERE)) as session:
        return run(session)


def busy_thread() -> OpenLoopTrial:
    """A payload function leaves a thread that computes all the time."""
    with harmed(Payload(function="faulty_payloads:burns", directory=HERE)) as session:
        return run(session)


def held_lock() -> OpenLoopTrial:
    """A payload function leaves a thread that holds the interpreter's lock for long."""
    with harmed(Payload(function="faulty_payloads:blocks", directory=HERE)) as session:
        return run(session)


def too_much_asked() -> OpenLoopTrial:
    """80,000/s from one core."""
    with harmed() as session:
        return run(session, 80_000.0, seconds=2.0)


def shares_the_targets_core() -> OpenLoopTrial:
    """Generator and target on one core, at a rate that needs more than one: 18,000/s."""
    with constant_target() as target, OpenLoopSession.start(target.url, BODY) as session:
        for process_id in (target.process_id, session.process_ids[0]):
            os.sched_setaffinity(process_id, {0})
        return run(session, 18_000.0, seconds=2.0)


def descriptor_limit_at_start() -> "_Seen":
    """Room for some 14 connections, where a target with a queue needs more."""
    return _in_a_child("descriptor_limit_inside", limits=(44, 44))


def descriptor_limit_inside() -> OpenLoopTrial:
    with harmed(service=990.0, max_outstanding=200) as session:
        return run(session)


def descriptors_run_out() -> OpenLoopTrial:
    """The limit falls while it runs: connections cannot be opened any more."""
    with harmed(service=950.0) as session:
        process_id = session.process_ids[0]
        in_use = len(list(Path(f"/proc/{process_id}/fd").iterdir()))
        resource.prlimit(process_id, resource.RLIMIT_NOFILE, (in_use + 5, in_use + 5))
        return run(session)


def ports_run_out() -> "_Seen":
    """Twenty local ports for connections, in a network namespace of its own."""
    return _in_a_child("ports_inside", namespace=True)


def ports_inside() -> OpenLoopTrial:
    with harmed(service=950.0) as session:
        return run(session)


def few_outstanding() -> OpenLoopTrial:
    """The user allows 4 outstanding requests, where the target's latency needs more."""
    with harmed(service=990.0, max_outstanding=4) as session:
        return run(session, 1100.0)


FAULTS: tuple[Callable[[], "OpenLoopTrial | _Seen"], ...] = (
    starved_core,
    low_priority,
    noisy_neighbour,
    throttled,
    stopped_once,
    collector_pauses,
    busy_thread,
    held_lock,
    too_much_asked,
    shares_the_targets_core,
    descriptor_limit_at_start,
    descriptors_run_out,
    ports_run_out,
    few_outstanding,
)


class _Seen:
    """What a child told of its trial."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.row = row


def _in_a_child(
    name: str, *, limits: tuple[int, int] | None = None, namespace: bool = False
) -> "_Seen":
    command = [sys.executable, __file__, "--inside", name]
    if limits is not None:
        command = ["prlimit", f"--nofile={limits[0]}:{limits[1]}", *command]
    if namespace:
        ports = 'ip link set lo up && echo "40000 40020" > /proc/sys/net/ipv4/ip_local_port_range'
        command = ["unshare", "--net", "sh", "-c", f'{ports} && exec "$@"', "sh", *command]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if finished.returncode:
        raise PermissionError(finished.stderr.strip().splitlines()[-1])
    return _Seen(json.loads(finished.stdout))


def row_of(trial: "OpenLoopTrial | _Seen") -> dict[str, Any]:
    if isinstance(trial, _Seen):
        return trial.row
    return {
        "verdict": trial.verdict.word,
        "cause": trial.verdict.cause,
        "reason": trial.verdict.reason,
        "requests": len(trial.samples),
        "not_sent": dict(trial.health.not_sent),
        "cpu_fraction_max": round(trial.health.cpu_fraction_max, 3),
        "waited_fraction_max": round(trial.health.waited_fraction_max, 3),
    }


def inject(fault: Callable[[], "OpenLoopTrial | _Seen"]) -> dict[str, Any]:
    named: dict[str, Any] = {"fault": fault.__name__, "what": (fault.__doc__ or "").strip()}
    try:
        row = row_of(fault())
    except (PermissionError, FileNotFoundError) as error:
        return {**named, "verdict": None, "reason": f"not injected: {error}"}
    return {**named, "flagged": row["verdict"] != "VALID", **row}


def clean_runs(count: int) -> list[dict[str, Any]]:
    rows = []
    for turn in range(count):
        rate = CLEAN_RATES[turn % len(CLEAN_RATES)]
        with harmed() as session:
            trial = run(session, rate, seconds=2.0)
        row = {"rate": rate, "load_average": os.getloadavg()[0], **row_of(trial)}
        print(f"clean {rate:6.0f}/s  {row['verdict']:8}  {row['reason']}", flush=True)
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--clean", type=int, default=30)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        print(json.dumps(row_of(globals()[arguments.inside]())))
        return
    at, began = described.machine(), time.monotonic()
    rows = []
    for fault in FAULTS:
        if arguments.only and fault.__name__ not in arguments.only:
            continue
        rows.append(inject(fault))
        print(f"{fault.__name__:26} {rows[-1]['verdict']!s:8}  {rows[-1]['reason']}", flush=True)
    clean = clean_runs(arguments.clean)
    alarms = sum(row["verdict"] != "VALID" for row in clean)
    flagged = sum(row.get("flagged", False) for row in rows)
    print(
        f"{flagged} of {len(rows)} faults flagged; {alarms} false alarms in {len(clean)} clean runs"
    )
    if not arguments.only:
        described.write(
            "generator_faults",
            command="python benchmarks/loadtest/generator_faults.py",
            at=at,
            rows=rows,
            clean=clean,
            flagged=flagged,
            false_alarms=alarms,
            seconds=round(time.monotonic() - began, 1),
        )


if __name__ == "__main__":
    main()
