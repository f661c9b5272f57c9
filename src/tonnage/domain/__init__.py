"""
The words of the problem: units, objectives, clocks, traffic, samples, run records, and the errors.

Nothing here does I/O but ``read_record``, ``write_record`` and ``read_trace``, and nothing here
knows a library but numpy. Every other room may import this one; it imports none.
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
    DeploymentError,
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
from .history import HISTORY_COLUMNS, history_csv, write_series
from .notebook import html_table
from .objectives import ErrorObjective, LatencyObjective, Objective
from .profile_text import PROFILE_FORMS, parse_profile
from .profiles import JoinedProfile, PiecewiseRate, RateProfile, Sine, join_profiles
from .records import FleetTimeline, RunRecord, ScalingActivity, read_record, write_record
from .requirements import Check, CheckState, Requirement
from .samples import NO_ANSWER, Samples
from .traces import TRACE_COLUMNS, read_trace, record_profile
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
    "HISTORY_COLUMNS",
    "NO_ANSWER",
    "PERCENTILES",
    "PROFILE_FORMS",
    "TRACE_COLUMNS",
    "ArtefactError",
    "CapacityError",
    "Check",
    "CheckState",
    "Clock",
    "ConfigurationError",
    "DeploymentError",
    "ErrorObjective",
    "FieldFault",
    "FleetTimeline",
    "InterruptedRunError",
    "InvalidPayloadError",
    "JoinedProfile",
    "LatencyObjective",
    "LoadSummary",
    "ManualClock",
    "MeasurementError",
    "ModelLoadError",
    "MonotonicClock",
    "Objective",
    "Onset",
    "PiecewiseRate",
    "PortInUseError",
    "RateProfile",
    "RecordError",
    "Requirement",
    "RunRecord",
    "Samples",
    "ScaledClock",
    "ScalingActivity",
    "Sine",
    "TonnageError",
    "TransportError",
    "error_body",
    "failure_onset",
    "format_bytes",
    "format_duration",
    "format_fraction",
    "format_rate",
    "history_csv",
    "html_table",
    "join_profiles",
    "meets",
    "parse_duration",
    "parse_fraction",
    "parse_profile",
    "parse_rate",
    "parse_size",
    "per_second_counts",
    "percentile",
    "read_record",
    "read_trace",
    "record_profile",
    "send_spread_seconds",
    "summarise",
    "write_record",
    "write_series",
]
