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

__all__ = ["RECORD", "Results", "collect_swarm", "has_record"]

RECORD: Final = "record"
"""The master's record of a closed loop: Locust's workers send it what they see."""

_WORKERS: Final = "worker-*/run.json"
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

    def names(self, prefix: str) -> list[str]:
        """Return the names of the objects below a prefix, without it, in order; 1,000 at most."""
        whole = self._prefix + prefix
        listed = self._client.list_objects_v2(Bucket=self._bucket, Prefix=whole)
        return sorted(each["Key"].removeprefix(whole) for each in listed.get("Contents", []))

    def get_json(self, name: str) -> Mapping[str, Any] | None:
        """Return an object's JSON; None while it is not there."""
        # Listed first: without that permission S3 answers 403 for what does not exist.
        if "" not in self.names(name):
            return None
        answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)
        described: Mapping[str, Any] = json.loads(answer["Body"].read())
        return described


def has_record(directory: Path) -> bool:
    """Say whether a run that was copied from its bucket left anything to read."""
    return (directory / RECORD / "run.json").is_file() or any(directory.glob(_WORKERS))


def collect_swarm(directory: Path) -> RunRecord:
    """
    Return one record of a run that was copied from its bucket.

    A closed loop's is its master's. An open loop's workers leave one each; their clocks are the
    wall clock, which AWS keeps within a millisecond or so among its machines, and each worker's own
    samples are exact to each other.

    Args:
        directory: What ``aws s3 cp --recursive s3://BUCKET/runs/RUN`` wrote.

    Raises:
        RecordError: If there is none, or one is damaged.
    """
    if (directory / RECORD / "run.json").is_file():
        return replace(read_record(directory / RECORD), name="swarm")
    places = sorted(path.parent for path in directory.glob(_WORKERS))
    if not places:
        raise RecordError(
            f"there is no record of a swarm in {directory}",
            hint="copy the whole run: aws s3 cp --recursive s3://BUCKET/runs/RUN DIR",
        )
    return _joined([read_record(place) for place in places])


def _joined(records: Sequence[RunRecord]) -> RunRecord:
    start = min(record.started_at_epoch_seconds for record in records)
    offsets = [record.started_at_epoch_seconds - start for record in records]
    ends = [o + record.duration_seconds for o, record in zip(offsets, records, strict=True)]
    samples = _merged(records, offsets)
    return replace(
        records[0],
        name="swarm",
        title=f"{records[0].title}, by {len(records)} workers",
        started_at_epoch_seconds=start,
        duration_seconds=max(ends),
        samples=samples,
        generator=_generator(records, samples),
        machine={"workers": [each.machine for each in records]},
        notes=tuple(dict.fromkeys(note for each in records for note in each.notes)),
    )


def _generator(records: Sequence[RunRecord], samples: Samples) -> dict[str, Any]:
    """Return all workers' accounts of themselves; the worst verdict is the whole's."""
    each = [record.generator for record in records]
    word = max((str(one.get("verdict", "DOUBTFUL")) for one in each), key=_DOUBTS.index)
    worst = [one for one in each if one.get("verdict", "DOUBTFUL") == word]
    doubts = [
        f"worker {number}: {one.get('reason')}"
        for number, one in enumerate(each, 1)
        if one in worst
    ]
    spread = send_spread_seconds(samples)
    return {
        "engine": f"{each[0].get('engine')} swarm",
        "version": each[0].get("version"),
        "model": each[0].get("model"),
        "arrivals": each[0].get("arrivals"),
        "workers": len(each),
        "cpu_seconds": sum(one.get("cpu_seconds") or 0.0 for one in each),
        "cpu_fraction_max": max(one.get("cpu_fraction_max") or 0.0 for one in each),
        "send_spread_seconds": None if math.isnan(spread) else spread,
        "unanswered": _summed(each),
        "interrupted_by": next(filter(None, (one.get("interrupted_by") for one in each)), None),
        "verdict": word,
        "reason": "; ".join(doubts) if word != "VALID" else f"all {len(each)} workers kept up",
        "cause": worst[0].get("cause"),
        "each": each,
    }


def _summed(each: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many requests of each kind were left without an answer, over all workers."""
    total: dict[str, int] = {}
    for one in each:
        for kind, count in one.get("unanswered", {}).items():
            total[kind] = total.get(kind, 0) + count
    return total


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
