"""
What a container of the swarm runs: the master, or one of the workers.

They find each other through the bucket that the results go to: the master writes its address there,
a worker waits for it. So the swarm needs no service discovery, and no permission that it would not
have anyway.
"""

import json
import logging
import math
import os
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, Self, cast
from urllib.request import urlopen

from tonnage.domain import TonnageError, write_record
from tonnage.loadtest import LoadPlan
from tonnage.loadtest.children import (
    ORDERS_VARIABLE,
    STOP_TIMEOUT_SECONDS,
    Account,
    Ending,
    Orders,
    locust_files,
    make_record,
)

from .options import PLAN_VARIABLE, SwarmOptions
from .results import MASTER, Results

__all__ = ["BUCKET_VARIABLE", "MASTER_PORT", "ROLE_VARIABLE", "RUN_VARIABLE", "Order", "main"]

logger = logging.getLogger(__name__)

ROLE_VARIABLE: Final = "TONNAGE_SWARM_ROLE"
RUN_VARIABLE: Final = "TONNAGE_SWARM_RUN"
BUCKET_VARIABLE: Final = "TONNAGE_SWARM_BUCKET"
HOST_VARIABLE: Final = "TONNAGE_SWARM_HOST"
_METADATA_VARIABLE: Final = "ECS_CONTAINER_METADATA_URI_V4"
MASTER_PORT: Final = 5557
_PATIENCE_SECONDS: Final = 300
_LOOK_SECONDS: Final = 1.0
_FILES: Final = Path("/opt/swarm")
_IN_LOCUST: Final = locust_files()


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """One task's part: which role, of which run, with results in which bucket."""

    role: Literal["master", "worker"]
    run: str
    bucket: str
    options: SwarmOptions

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """
        Read it from a task's environment.

        Raises:
            TonnageError: If something is missing.
        """
        try:
            role = environment[ROLE_VARIABLE]
            if role not in {"master", "worker"}:
                raise TonnageError(f"{ROLE_VARIABLE} is {role!r}; it must be master or worker")
            return cls(
                role=cast("Literal['master', 'worker']", role),
                run=environment[RUN_VARIABLE],
                bucket=environment[BUCKET_VARIABLE],
                options=SwarmOptions.of_json(environment[PLAN_VARIABLE]),
            )
        except KeyError as error:
            raise TonnageError(f"the task's environment has no {error}") from error


def main(environment: Mapping[str, str] = os.environ) -> int:
    """Run one task and return its exit code."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        order = Order.of(environment)
        results = Results(order.bucket, order.run)
        run = _run_master if order.role == "master" else _run_worker
        with tempfile.TemporaryDirectory(prefix="tonnage-swarm-") as scratch:
            return run(order.options, results, Path(scratch))
    except TonnageError as error:
        logger.error("%s", error)  # noqa: TRY400 (a message for whoever runs the swarm)
        return 1


def _run_master(options: SwarmOptions, results: Results, scratch: Path) -> int:
    address = {"host": _own_address(), "port": MASTER_PORT}
    results.put(MASTER, json.dumps(address).encode())
    logger.info("the master waits for %d workers at %s:%d", options.workers, *address.values())
    plan = _plan(options)
    command = [
        *_locust(plan),
        *("--master", "--headless", "--master-bind-port", str(MASTER_PORT)),
        *("--expect-workers", str(options.workers)),
        *("--expect-workers-max-wait", str(_PATIENCE_SECONDS)),
        *("--users", str(options.users)),
        *("--spawn-rate", repr(float(options.spawn_rate_per_second))),
        *("--run-time", f"{math.ceil(options.duration_seconds)}s"),
        *("--csv", str(scratch / "locust"), "--json-file", str(scratch / "locust")),
    ]
    orders = _write_orders(plan, scratch, report_to=-1)
    finished = subprocess.run(command, env=orders, check=False)
    results.put_directory("master", scratch)
    logger.info("the master ended with %d", finished.returncode)
    return finished.returncode


def _run_worker(options: SwarmOptions, results: Results, scratch: Path) -> int:
    master = _await_master(results, time.monotonic, time.sleep)
    name = f"worker-{uuid.uuid4().hex[:12]}"
    logger.info("%s joins the master at %s:%s", name, master["host"], master["port"])
    # Its own draws, and its share of the users, for the record.
    share = max(1, options.users // options.workers)
    plan = replace(_plan(options), users=share, seed=uuid.uuid4().int % 2**32)
    command = [
        *_locust(plan, "swarm_recorder.py"),
        *("--worker", "--master-host", str(master["host"])),
        *("--master-port", str(master["port"])),
    ]
    account = Account()
    exit_code = _hear(command, plan, scratch, account.take)
    if account.began is None:
        raise TonnageError(f"{name} was given nothing to send (exit code {exit_code})")
    ending = Ending(exit_code=exit_code, interrupted_by=None, words=())
    record = make_record(plan, account, ending)
    results.put_directory(name, write_record(record, scratch / name))
    logger.info("%s sent %d requests", name, len(record.samples))
    return 0 if account.ended is not None else 1


def _await_master(
    results: Results, now: Callable[[], float], pause: Callable[[float], None]
) -> Mapping[str, Any]:
    deadline = now() + _PATIENCE_SECONDS
    while (master := results.get_json(MASTER)) is None:
        if now() > deadline:
            raise TonnageError(f"there was no master within {_PATIENCE_SECONDS} s")
        pause(_LOOK_SECONDS)
    return master


def _plan(options: SwarmOptions) -> LoadPlan:
    if options.locustfile is None:
        return options.plan()
    return options.plan(locustfile=_FILES / options.locustfile)


def _locust(plan: LoadPlan, *beside: str) -> list[str]:
    locustfile = plan.locustfile or _IN_LOCUST / "service_locustfile.py"
    files = [*(str(_IN_LOCUST / name) for name in beside), str(locustfile.absolute())]
    return [
        *(sys.executable, "-P", "-m", "locust", "-f", ",".join(files), "--host", plan.locust_host),
        *("--stop-timeout", str(STOP_TIMEOUT_SECONDS), "--exit-code-on-error", "0"),
    ]


def _hear(
    command: list[str], plan: LoadPlan, scratch: Path, take: Callable[[Mapping[str, Any]], object]
) -> int:
    """Run Locust and hand over each line that the recorder reports; return its exit code."""
    reports, report_to = os.pipe()
    with open(reports, encoding="utf-8") as lines:  # noqa: PTH123 (a descriptor)
        try:
            environment = _write_orders(plan, scratch, report_to=report_to)
            child = subprocess.Popen(command, env=environment, pass_fds=[report_to])
        finally:
            os.close(report_to)
        for line in lines:
            take(json.loads(line))
        return child.wait()


def _write_orders(plan: LoadPlan, scratch: Path, *, report_to: int) -> dict[str, str]:
    file = scratch / "orders.json"
    Orders.of(plan, report_to=report_to, samples_in=scratch).write(file)
    return {**os.environ, ORDERS_VARIABLE: str(file)}


def _own_address() -> str:
    """Return the address that the workers reach this task at."""
    given = os.environ.get(HOST_VARIABLE)
    if given:
        return given
    metadata = os.environ.get(_METADATA_VARIABLE)
    if metadata is None:
        return socket.gethostbyname(socket.gethostname())
    with urlopen(metadata, timeout=10) as answer:  # noqa: S310 (ECS's own address)
        described = json.load(answer)
    return str(described["Networks"][0]["IPv4Addresses"][0])


if __name__ == "__main__":
    sys.exit(main())
