"""
A swarm's life: deployed, started, waited for, its results fetched, and taken down again.

Whatever happens in between, the stack is taken down; what could not be is named.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

from tonnage.deployment._docker import find_docker
from tonnage.deployment.account import Account, open_account
from tonnage.deployment.cdk_cli import CdkCli, find_cdk
from tonnage.deployment.driving import DESTROY, Method, OnLine, deploy_flags, drive
from tonnage.deployment.leftovers import Leftover
from tonnage.deployment.synthesis import Synthesised
from tonnage.domain import DeploymentError, RunRecord, TonnageError, format_duration
from tonnage.loadtest import LoadPlan

from .options import SwarmOptions
from .place import SwarmPlace, synthesise_swarm
from .results import collect_swarm, has_record

__all__ = ["SwarmRun", "fetch_run", "run_swarm"]

_POLL_SECONDS: Final = 5.0
_TOLD_SECONDS: Final = 30.0
_RUNNING: Final = "RUNNING"
_SUCCEEDED: Final = "SUCCEEDED"


@dataclass(frozen=True, kw_only=True, slots=True)
class SwarmRun:
    """
    What came of a swarm.

    Attributes:
        record: One record of all workers.
        account: The account's number.
        leftovers: What is still there, and could bill.
    """

    record: RunRecord
    account: str
    leftovers: tuple[Leftover, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Standing:
    """A stack that is there, until it is taken down."""

    account: Account
    bucket: str
    machine: str


def run_swarm(
    options: SwarmOptions,
    place: SwarmPlace,
    *,
    run: str,
    method: Method = "change-set",
    on_line: OnLine = lambda _line: None,
    poll_seconds: float = _POLL_SECONDS,
) -> SwarmRun:
    """
    Run a load test by a swarm on AWS. This bills.

    Args:
        options: What is sent, and by how many.
        place: Where.
        run: The run's name, new in this account; its results are kept under it.
        method: How CloudFormation is asked.
        on_line: Called with each line of progress.
        poll_seconds: How often the run is looked at.

    Returns:
        The record; its bucket is emptied and deleted, for the record is here.

    Raises:
        ConfigurationError: If something that it needs is missing.
        DeploymentError: If AWS refuses it, or the run leaves no results; the message is AWS's own.
        KeyboardInterrupt: When it is interrupted; the tasks are stopped and the stack taken down.
    """
    if place.image_uri is None:
        find_docker("name an image that is there with --image-uri")
    account = open_account(place.region)
    cdk = find_cdk(on_line=on_line)
    with tempfile.TemporaryDirectory(prefix="tonnage-swarm-") as scratch:
        made = synthesise_swarm(options, place, Path(scratch, "cdk.out"))
        if made.needs_bootstrap:
            account.check_bootstrap(cdk.path)
        with _standing(account, cdk, made, method, on_line) as standing:
            ended = _run_to_its_end(standing, options, run, on_line, poll_seconds)
            copy = Path(scratch, "results")
            fetch_run(account, standing.bucket, run, copy)
            record = _collected(copy, ended, standing.bucket, options)
    left = _empty(account, standing.bucket, run)
    return SwarmRun(record=record, account=account.number, leftovers=tuple(left))


@contextmanager
def _standing(
    account: Account, cdk: CdkCli, made: Synthesised, method: Method, on_line: OnLine
) -> Iterator[_Standing]:
    """Deploy a stack and take it down, whatever happens in between."""
    (stack,) = made.stacks
    try:
        drive(cdk, account, made, deploy_flags(method), on_line)
        outputs = account.outputs(stack)
        yield _Standing(account=account, bucket=outputs["Bucket"], machine=outputs["StateMachine"])
    except BaseException as failure:
        try:
            drive(cdk, account, made, DESTROY, on_line)
        except TonnageError as error:
            # The first fault is the one to tell; this one must not be lost on its way.
            failure.add_note(f"and the stack {stack} could not be deleted: {error}")
            on_line(f"the stack {stack} could not be deleted: {error}")
        raise
    drive(cdk, account, made, DESTROY, on_line)


def _run_to_its_end(
    standing: _Standing, options: SwarmOptions, run: str, on_line: OnLine, poll_seconds: float
) -> dict[str, Any]:
    """Start the state machine, and return how its execution ended."""
    machines = standing.account.client("stepfunctions")
    started = machines.start_execution(stateMachineArn=standing.machine, name=run, input="{}")
    execution = started["executionArn"]
    began = told = time.monotonic()
    on_line(f"{options.workers} workers start; the test takes {_lasting(options)}")
    try:
        while True:
            described: dict[str, Any] = machines.describe_execution(executionArn=execution)
            if described["status"] != _RUNNING:
                return described
            now = time.monotonic()
            if now - told >= _TOLD_SECONDS:
                told = now
                done = sum(name.endswith("run.json") for name in _names(standing, run))
                on_line(
                    f"{format_duration(round(now - began))} of about {_lasting(options)};"
                    f" {done} of {_records(options)} records are there"
                )
            time.sleep(poll_seconds)
    except BaseException:
        machines.stop_execution(executionArn=execution, cause="interrupted")
        raise


def _records(options: SwarmOptions) -> int:
    """Return how many records a run leaves: its master's, or one of each worker."""
    return 1 if isinstance(options.plan, LoadPlan) else options.workers


def _lasting(options: SwarmOptions) -> str:
    return format_duration(options.duration_seconds)


def _names(standing: _Standing, run: str) -> list[str]:
    return list(_objects(standing.account.client("s3"), standing.bucket, run))


def _objects(s3: Any, bucket: str, run: str) -> Iterator[str]:  # noqa: ANN401 (a boto3 client)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"runs/{run}/")
    for page in pages:
        for each in page.get("Contents", []):
            yield each["Key"]


def fetch_run(account: Account, bucket: str, run: str, directory: Path) -> None:
    """
    Copy a run's objects, as ``aws s3 cp --recursive`` would.

    Raises:
        DeploymentError: If an object's name leads out of the directory.
    """
    s3 = account.client("s3")
    directory.mkdir(parents=True, exist_ok=True)
    for key in _objects(s3, bucket, run):
        name = PurePosixPath(key.removeprefix(f"runs/{run}/"))
        if name.is_absolute() or ".." in name.parts:
            raise DeploymentError(f"an object of the run leads elsewhere: {key}")
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, key, str(directory / name))


def _collected(copy: Path, ended: dict[str, Any], bucket: str, options: SwarmOptions) -> RunRecord:
    status = ended["status"]
    why = "; ".join(filter(None, (ended.get("error"), ended.get("cause"))))
    if not has_record(copy):
        raise DeploymentError(
            f"the swarm ended as {status} and left no record{': ' + why if why else ''}",
            hint=f"what is there is kept in s3://{bucket}; its tasks' words were in the stack's"
            " log group",
        )
    record = collect_swarm(copy)
    notes = list(record.notes)
    if status != _SUCCEEDED:
        notes.append(f"the swarm's execution ended as {status}{': ' + why if why else ''}")
    sent = record.generator["workers"]
    if sent != options.workers:
        notes.append(f"{sent} of {options.workers} workers took part: the others' share is missing")
    return replace(record, notes=tuple(notes))


def _empty(account: Account, bucket: str, run: str) -> Iterator[Leftover]:
    """Delete a run's results and their bucket; yield it if it stays."""
    from botocore.exceptions import ClientError

    s3 = account.client("s3")
    try:
        for key in list(_objects(s3, bucket, run)):
            s3.delete_object(Bucket=bucket, Key=key)
        s3.delete_bucket(Bucket=bucket)
    except ClientError as error:
        yield Leftover(
            what="S3 bucket",
            name=bucket,
            why=f"it could not be deleted: {error.response['Error']['Message']}",
            command=f"aws s3 rb --force s3://{bucket}",
        )
