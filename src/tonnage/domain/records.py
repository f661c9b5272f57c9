"""
Run records: a directory that keeps what a measurement saw.

::

    RUN/
      run.json       what was run, with which settings, on what machine, and the fleet's timeline
      samples.npz    the raw samples, one row a request

Times are seconds since the run began; ``started_at_epoch_seconds`` ties them to the wall clock.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from .analysis import summarise
from .directories import replacing_directory
from .errors import RecordError
from .notebook import html_table
from .samples import Samples
from .units import format_duration, format_fraction, format_rate

__all__ = [
    "FaultEvent",
    "FleetTimeline",
    "RunRecord",
    "ScalingActivity",
    "read_record",
    "write_record",
]

FORMAT: Final = "tonnage.run/1"
_COLUMNS: Final = {
    "intended_seconds": np.float64,
    "sent_seconds": np.float64,
    "done_seconds": np.float64,
    "status": np.uint16,
}
_KINDS: Final[Mapping[str, type | tuple[type, ...]]] = {
    "requests": int,
    "name": str,
    "title": str,
    "started_at_epoch_seconds": (int, float),
    "duration_seconds": (int, float),
    "users": list,
    "fleet": (dict, type(None)),
    "settings": dict,
    "generator": dict,
    "machine": dict,
    "notes": list,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ScalingActivity:
    """
    One recorded scaling decision.

    Attributes:
        at_seconds: When it was decided, in seconds since the run began.
        from_count: The desired instance count before.
        to_count: The desired instance count after.
        cause: The alarm and the metric that led to it, in words.
        in_service_at_seconds: When the last instance it asked for was in service (or gone);
            None while it is under way.
    """

    at_seconds: float
    from_count: int
    to_count: int
    cause: str
    in_service_at_seconds: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultEvent:
    """
    A fault that was injected.

    Attributes:
        at_seconds: When it happened, in seconds since the run began.
        action: What went wrong, such as ``kill``.
        instances: Which instances it hit; empty for launches to come, or if none was in service.
    """

    at_seconds: float
    action: str
    instances: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FleetTimeline:
    """
    What the fleet did during a run.

    Attributes:
        time_scale: Compressed seconds per second; 1 is real time.
        instances: ``(seconds, desired, in_service)`` at each change, oldest first; each holds
            until the next.
        invocations_per_instance: ``(seconds, value)`` per metric period: the end of the period and
            the invocations per instance and (compressed) minute it counted.
        activities: The scaling decisions, oldest first.
        faults: The faults that were injected, oldest first.
    """

    time_scale: float = 1.0
    instances: Sequence[tuple[float, int, int]] = ()
    invocations_per_instance: Sequence[tuple[float, float]] = ()
    activities: Sequence[ScalingActivity] = ()
    faults: Sequence[FaultEvent] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRecord:
    """
    One measurement, whole.

    Attributes:
        name: Short and fit for a file name, e.g. ``a-one-instance``.
        title: What was run, in words.
        started_at_epoch_seconds: When the load began, wall clock.
        duration_seconds: How long it lasted.
        samples: The raw samples.
        users: ``(seconds, users)`` as the generator reported them, oldest first; empty open loop.
        fleet: What the fleet did, when it was Tonnage's own.
        settings: The settings in force, by section, as plain JSON values.
        generator: The generator's own account of itself: engine, version, arrivals, CPU.
        machine: Where it ran: cores, Python, platform.
        notes: What a reader must know, e.g. that an instance's capacity was an emulated cap.
    """

    name: str
    title: str
    started_at_epoch_seconds: float
    duration_seconds: float
    samples: Samples
    users: Sequence[tuple[float, int]] = ()
    fleet: FleetTimeline | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    generator: Mapping[str, Any] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def _repr_html_(self) -> str:
        """Return it as a notebook shows it: the verdict, then the numbers of the whole run."""
        whole = summarise(self.samples, start_seconds=-math.inf, end_seconds=math.inf)
        lasted = max(self.duration_seconds, 1e-9)
        rows = {
            "generator": str(self.generator.get("verdict", "not judged")),
            "requests": f"{whole.requests:,} in {format_duration(self.duration_seconds)}",
            "offered": format_rate(round(whole.requests / lasted, 1)),
            "failed": f"{whole.failed:,} ({format_fraction(whole.error_fraction)})",
            **{
                name: "none" if math.isnan(seconds) else format_duration(seconds)
                for name, seconds in whole.latency_seconds.items()
            },
        }
        return html_table(self.title, rows, self.notes)


def write_record(record: RunRecord, directory: Path) -> Path:
    """
    Write a record as a directory, in one step: it is there whole or not at all.

    Args:
        record: What to write.
        directory: Where; an older record there is replaced, anything else is not.

    Raises:
        RecordError: If something that is not a run record is in the way.
    """
    if directory.exists() and not (directory / "run.json").is_file():
        raise RecordError(
            f"{directory} exists and is not a run record", hint="choose another directory"
        )
    with replacing_directory(directory) as fresh:
        np.savez_compressed(
            fresh / "samples.npz",
            allow_pickle=False,
            **{name: getattr(record.samples, name) for name in _COLUMNS},
        )
        described = json.dumps(_to_json(record), indent=1) + "\n"
        (fresh / "run.json").write_text(described, encoding="utf-8")
    return directory


def read_record(directory: Path) -> RunRecord:
    """
    Read a record that ``write_record`` wrote.

    Raises:
        RecordError: If it is missing, damaged, or of another format.
    """
    try:
        described = json.loads((directory / "run.json").read_text(encoding="utf-8"))
        samples = _read_samples(directory / "samples.npz")
    except FileNotFoundError as error:
        raise RecordError(
            f"{directory} is not a run record: {Path(error.filename).name} is missing",
            hint="name a directory that `tonnage load` or `tonnage rehearse` wrote",
        ) from error
    except Exception as error:
        # A damaged file makes zipfile, zlib, tokenize and numpy raise a dozen different errors.
        raise _damaged(directory, error) from error
    return _Reader(directory).record(described, samples)


def _read_samples(file: Path) -> Samples:
    # Opened here, because numpy leaves a file open that turns out to be no archive.
    with file.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
        columns = {name: archive[name] for name in _COLUMNS}
    for name, kind in _COLUMNS.items():
        column = columns[name]
        if column.dtype != kind or column.shape != (len(columns["status"]),):
            raise ValueError(f"{name} is {column.dtype} of shape {column.shape}")
    return Samples(**columns)


def _damaged(directory: Path, error: Exception) -> RecordError:
    return RecordError(f"{directory} is damaged: {str(error) or type(error).__name__}")


def _to_json(record: RunRecord) -> dict[str, Any]:
    described = {
        name: getattr(record, name) for name in RunRecord.__dataclass_fields__ if name != "samples"
    }
    described["fleet"] = asdict(record.fleet) if record.fleet else None
    return {"format": FORMAT, "requests": len(record.samples), **described}


@dataclass(frozen=True, slots=True)
class _Reader:
    directory: Path

    def record(self, described: object, samples: Samples) -> RunRecord:
        if not isinstance(described, dict) or described.get("format") != FORMAT:
            raise RecordError(f"{self.directory} is not of the format {FORMAT}")
        for name, kind in _KINDS.items():
            if not isinstance(described.get(name), kind):
                raise RecordError(f"{self.directory} is damaged: {name} is not what it must be")
        if described["requests"] != len(samples):
            raise RecordError(
                f"{self.directory} is damaged: {described['requests']} requests are described,"
                f" {len(samples)} samples are there"
            )
        known = {name: described[name] for name in _KINDS if name != "requests"}
        try:
            known["notes"] = tuple(map(str, known["notes"]))
            known["users"] = tuple((float(at), int(count)) for at, count in known["users"])
            known["fleet"] = self._fleet(known["fleet"]) if known["fleet"] else None
            return RunRecord(**known, samples=samples)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise _damaged(self.directory, error) from error

    def _fleet(self, described: Mapping[str, Any]) -> FleetTimeline:
        return FleetTimeline(
            time_scale=float(described["time_scale"]),
            instances=tuple((float(t), int(d), int(n)) for t, d, n in described["instances"]),
            invocations_per_instance=tuple(
                (float(at), float(value)) for at, value in described["invocations_per_instance"]
            ),
            activities=tuple(ScalingActivity(**activity) for activity in described["activities"]),
            faults=tuple(  # none in records of before there were any
                FaultEvent(**{**fault, "instances": tuple(map(str, fault["instances"]))})
                for fault in described.get("faults", ())
            ),
        )
