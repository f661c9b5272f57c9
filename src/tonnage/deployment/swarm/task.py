"""
What a container of the swarm runs: the master, or one of the workers.

A closed loop is ``load`` with workers of other hosts: they send what they see to the master, which
keeps the one record. Of an open loop each worker sends its share of the arrivals and keeps a record
of its own; the master only calls them together.
"""

import logging
import os
import sys
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, Self, cast

from tonnage.domain import RunRecord, TonnageError, write_record
from tonnage.loadtest import LoadPlan, LoadProgress, join_load, load

from .meeting import MASTER_PORT, Meeting, call_meeting, go_to_meeting
from .options import PLAN_VARIABLE, SwarmOptions
from .results import RECORD, Results
from .sharing import share_of

__all__ = ["BUCKET_VARIABLE", "ROLE_VARIABLE", "RUN_VARIABLE", "Order", "main"]

logger = logging.getLogger(__name__)

ROLE_VARIABLE: Final = "TONNAGE_SWARM_ROLE"
RUN_VARIABLE: Final = "TONNAGE_SWARM_RUN"
BUCKET_VARIABLE: Final = "TONNAGE_SWARM_BUCKET"
_FILES: Final = Path("/opt/swarm")
_TOLD_SECONDS: Final = 10


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
                options=SwarmOptions.of_json(environment[PLAN_VARIABLE], files=_FILES),
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
        run(order.options, results)
    except TonnageError as error:
        logger.error("%s", error)  # noqa: TRY400 (a message for whoever runs the swarm)
        return 1
    return 0


def _run_master(options: SwarmOptions, results: Results) -> None:
    logger.info("the master waits for %d workers", options.workers)
    meeting = call_meeting(results, options.workers)
    if not isinstance(options.plan, LoadPlan):
        logger.info("all workers are here; each sends its share")
        return
    logger.info("all workers are here; the master is %s:%d", meeting.host, MASTER_PORT)
    plan = replace(options.plan, workers=0, hosts=options.workers, master_port=MASTER_PORT)
    _keep(load(plan, on_progress=_tell), results, RECORD, options)


def _run_worker(options: SwarmOptions, results: Results) -> None:
    name = f"worker-{uuid.uuid4().hex[:12]}"
    logger.info("%s waits for the master's call", name)
    meeting = go_to_meeting(results, name)
    if isinstance(options.plan, LoadPlan):
        logger.info("%s joins the master at %s:%d", name, meeting.host, MASTER_PORT)
        join_load(options.plan, meeting.host, MASTER_PORT)
        return
    _keep(_sent(options, name, meeting), results, name, options)


def _sent(options: SwarmOptions, name: str, meeting: Meeting) -> RunRecord:
    """Send a worker's share of an open loop; its record tells of the whole plan."""
    plan = options.plan
    assert not isinstance(plan, LoadPlan)
    share = share_of(
        plan,
        index=meeting.workers.index(name),
        workers=len(meeting.workers),
        start=meeting.starts_at_monotonic_seconds,
    )
    record = load(share, on_progress=_tell)
    return replace(record, settings={**record.settings, "load": plan.shown()})


def _keep(record: RunRecord, results: Results, name: str, options: SwarmOptions) -> None:
    record = replace(record, settings={**record.settings, "swarm": {"workers": options.workers}})
    with tempfile.TemporaryDirectory(prefix="tonnage-swarm-") as scratch:
        results.put_directory(name, write_record(record, Path(scratch, name)))
    logger.info("%s keeps a record of %d requests", name, len(record.samples))


def _tell(progress: LoadProgress) -> None:
    """Log a second of the test now and then: a task has no terminal."""
    if round(progress.elapsed_seconds) % _TOLD_SECONDS == 0:
        logger.info("%s", progress)


if __name__ == "__main__":
    sys.exit(main())
