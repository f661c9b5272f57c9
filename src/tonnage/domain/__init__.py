"""
The words of the problem: units, objectives, clocks, samples and run records, and the error tree.

Nothing here does I/O but ``read_record`` and ``write_record``, and nothing here knows a library but
numpy. Every other room may import this one; it imports none.
"""

from .analysis import (
    PERCENTILES,
    LoadSummary,
    Onset,
    failure_onset,
    meets,
    per_second_counts,
    percentile,
    send_spread_seconds,
    summarise,
)
from .clock import Clock, ManualClock, MonotonicClock, ScaledClock
from .envelopes import error_body
from .errors import (
    ArtefactError,
    CapacityError,
    ConfigurationError,
    FieldFault,
    InterruptedRunError,
    InvalidPayloadError,
    MeasurementError,
    ModelLoadError,
    PortInUseError,
    RecordError,
    TonnageError,
    TransportError,
)
from .objectives import ErrorObjective, LatencyObjective, Objective
from .records import FleetTimeline, RunRecord, ScalingActivity, read_record, write_record
from .samples import NO_ANSWER, Samples
from .units import (
    format_bytes,
    format_duration,
    format_fraction,
    format_rate,
    parse_duration,
    parse_fraction,
    parse_rate,
    parse_size,
)

__all__ = [
    "NO_ANSWER",
    "PERCENTILES",
    "ArtefactError",
    "CapacityError",
    "Clock",
    "ConfigurationError",
    "ErrorObjective",
    "FieldFault",
    "FleetTimeline",
    "InterruptedRunError",
    "InvalidPayloadError",
    "LatencyObjective",
    "LoadSummary",
    "ManualClock",
    "MeasurementError",
    "ModelLoadError",
    "MonotonicClock",
    "Objective",
    "Onset",
    "PortInUseError",
    "RecordError",
    "RunRecord",
    "Samples",
    "ScaledClock",
    "ScalingActivity",
    "TonnageError",
    "TransportError",
    "error_body",
    "failure_onset",
    "format_bytes",
    "format_duration",
    "format_fraction",
    "format_rate",
    "meets",
    "parse_duration",
    "parse_fraction",
    "parse_rate",
    "parse_size",
    "per_second_counts",
    "percentile",
    "read_record",
    "send_spread_seconds",
    "summarise",
    "write_record",
]
