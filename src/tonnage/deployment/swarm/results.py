"""
Where a swarm's results go, and one record of all of its workers'.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from tonnage.domain import RecordError, RunRecord, Samples, read_record, send_spread_seconds

__all__ = ["Results", "collect_swarm"]

MASTER: Final = "master.json"
_DOUBTS: Final = ("VALID", "DOUBTFUL", "INVALID")


class Results:
    """
    One run's objects in a bucket, ``runs/RUN/…``.

    Args:
        bucket: The bucket's name.
        run: The run's name.
    """

    def __init__(self, bucket: str, run: str) -> None:
        import boto3

        self._client: Any = boto3.client("s3")
        self._bucket = bucket
        self._prefix = f"runs/{run}/"

    def put(self, name: str, content: bytes) -> None:
        """Store an object."""
        self._client.put_object(Bucket=self._bucket, Key=self._prefix + name, Body=content)

    def put_directory(self, name: str, directory: Path) -> None:
        """Store a directory's files."""
        for file in sorted(path for path in directory.iterdir() if path.is_file()):
            self.put(f"{name}/{file.name}", file.read_bytes())

    def get_json(self, name: str) -> Mapping[str, Any] | None:
        """Return an object's JSON; None while it is not there."""
        # Listed first: without that permission S3 answers 403 for what does not exist.
        listed = self._client.list_objects_v2(
            Bucket=self._bucket, Prefix=self._prefix + name, MaxKeys=1
        )
        if not listed.get("KeyCount"):
            return None
        answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)
        described: Mapping[str, Any] = json.loads(answer["Body"].read())
        return described


def collect_swarm(directory: Path) -> RunRecord:
    """
    Return one record of a run that was copied from its bucket.

    The workers' clocks are the wall clock, which AWS keeps within a millisecond or so among its
    machines; each worker's own samples are exact to each other.

    Args:
        directory: What ``aws s3 cp --recursive s3://BUCKET/runs/RUN`` wrote: a record a worker.

    Raises:
        RecordError: If there is none, or one is damaged.
    """
    places = sorted(path.parent for path in directory.glob("worker-*/run.json"))
    if not places:
        raise RecordError(
            f"there is no worker's record in {directory}",
            hint="copy the whole run: aws s3 cp --recursive s3://BUCKET/runs/RUN DIR",
        )
    records = [read_record(place) for place in places]
    start = min(record.started_at_epoch_seconds for record in records)
    offsets = [record.started_at_epoch_seconds - start for record in records]
    ends = [o + record.duration_seconds for o, record in zip(offsets, records, strict=True)]
    samples = _merged(records, offsets)
    return replace(
        records[0],
        name="swarm",
        title=f"a swarm of {len(records)} workers",
        started_at_epoch_seconds=start,
        duration_seconds=max(ends),
        samples=samples,
        users=_users(records, offsets),
        generator=_generator(records, samples),
        machine={"workers": [each.machine for each in records]},
        notes=tuple(dict.fromkeys(note for each in records for note in each.notes)),
    )


def _users(records: Sequence[RunRecord], offsets: Sequence[float]) -> list[tuple[float, int]]:
    """Return how many users all of them had, at each moment one of them reported its own."""
    reports = sorted(
        (at + offset, number, users)
        for number, (record, offset) in enumerate(zip(records, offsets, strict=True))
        for at, users in record.users
    )
    latest = [0] * len(records)
    total = []
    for at, number, users in reports:
        latest[number] = users
        total.append((at, sum(latest)))
    return total


def _generator(records: Sequence[RunRecord], samples: Samples) -> dict[str, Any]:
    """Return all workers' accounts of themselves; the worst verdict is the whole's."""
    workers = [record.generator for record in records]
    word = max((str(worker.get("verdict", "DOUBTFUL")) for worker in workers), key=_DOUBTS.index)
    doubts = [
        f"worker {number}: {worker.get('reason')}"
        for number, worker in enumerate(workers, 1)
        if worker.get("verdict") == word
    ]
    spread = send_spread_seconds(samples)
    return {
        "engine": "locust swarm",
        "version": workers[0].get("version"),
        "model": "closed loop",
        "arrivals": workers[0].get("arrivals"),
        "cpu_seconds": sum(worker.get("cpu_seconds") or 0.0 for worker in workers),
        "cpu_fraction_max": max(worker.get("cpu_fraction_max") or 0.0 for worker in workers),
        "send_spread_seconds": None if math.isnan(spread) else spread,
        "interrupted_by": next(
            filter(None, (each.get("interrupted_by") for each in workers)), None
        ),
        "verdict": word,
        "reason": "; ".join(doubts) if word != "VALID" else f"all {len(workers)} workers kept up",
        "workers": workers,
    }


def _merged(records: Sequence[RunRecord], offsets: Sequence[float]) -> Samples:
    def column(name: str) -> Any:  # noqa: ANN401 (an array)
        return np.concatenate(
            [
                getattr(record.samples, name) + offset
                for record, offset in zip(records, offsets, strict=True)
            ]
        )

    return Samples(
        intended_seconds=column("intended_seconds"),
        sent_seconds=column("sent_seconds"),
        done_seconds=column("done_seconds"),
        status=np.concatenate([record.samples.status for record in records]),
    ).sorted_by_send()
