"""
The words of the problem: units, objectives, clocks, traffic, samples, run records, and the errors.

Nothing here does I/O but ``read_record``, ``write_record``, ``read_trace`` and
``replacing_directory``, and nothing here knows a library but numpy. Every other room may import
this one; it imports none.

Names are imported when they are first used (``lazy``): a new one goes into the imports, ``__all__``
and ``_HOMES``.
"""

from typing import TYPE_CHECKING

from .lazy import lazily as _lazily

if TYPE_CHECKING:
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
    from .directories import replacing_directory
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
    from .joined import JoinedProfile
    from .notebook import html_table
    from .objectives import ErrorObjective, LatencyObjective, Objective
    from .piecewise import PiecewiseRate, join_profiles
    from .profile_text import PROFILE_FORMS, parse_profile
    from .rate_profile import RateProfile
    from .records import (
        FaultEvent,
        FleetTimeline,
        RunRecord,
        ScalingActivity,
        read_record,
        write_record,
    )
    from .requirements import Check, CheckState, Requirement
    from .samples import NO_ANSWER, Samples
    from .scaling_rules import ScheduledAction, StepAdjustment, StepPolicy
    from .sine import Sine
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
    "FaultEvent",
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
    "ScheduledAction",
    "Sine",
    "StepAdjustment",
    "StepPolicy",
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
    "replacing_directory",
    "send_spread_seconds",
    "summarise",
    "write_record",
    "write_series",
]

_HOMES = {
    "HISTORY_COLUMNS": ".history",
    "NO_ANSWER": ".samples",
    "PERCENTILES": ".analysis",
    "PROFILE_FORMS": ".profile_text",
    "TRACE_COLUMNS": ".traces",
    "ArtefactError": ".errors",
    "CapacityError": ".errors",
    "Check": ".requirements",
    "CheckState": ".requirements",
    "Clock": ".clock",
    "ConfigurationError": ".errors",
    "DeploymentError": ".errors",
    "ErrorObjective": ".objectives",
    "FaultEvent": ".records",
    "FieldFault": ".errors",
    "FleetTimeline": ".records",
    "InterruptedRunError": ".errors",
    "InvalidPayloadError": ".errors",
    "JoinedProfile": ".joined",
    "LatencyObjective": ".objectives",
    "LoadSummary": ".analysis",
    "ManualClock": ".clock",
    "MeasurementError": ".errors",
    "ModelLoadError": ".errors",
    "MonotonicClock": ".clock",
    "Objective": ".objectives",
    "Onset": ".analysis",
    "PiecewiseRate": ".piecewise",
    "PortInUseError": ".errors",
    "RateProfile": ".rate_profile",
    "RecordError": ".errors",
    "Requirement": ".requirements",
    "RunRecord": ".records",
    "Samples": ".samples",
    "ScaledClock": ".clock",
    "ScalingActivity": ".records",
    "ScheduledAction": ".scaling_rules",
    "Sine": ".sine",
    "StepAdjustment": ".scaling_rules",
    "StepPolicy": ".scaling_rules",
    "TonnageError": ".errors",
    "TransportError": ".errors",
    "error_body": ".envelopes",
    "failure_onset": ".analysis",
    "format_bytes": ".units",
    "format_duration": ".units",
    "format_fraction": ".units",
    "format_rate": ".units",
    "history_csv": ".history",
    "html_table": ".notebook",
    "join_profiles": ".piecewise",
    "meets": ".analysis",
    "parse_duration": ".units",
    "parse_fraction": ".units",
    "parse_profile": ".profile_text",
    "parse_rate": ".units",
    "parse_size": ".units",
    "per_second_counts": ".analysis",
    "percentile": ".analysis",
    "read_record": ".records",
    "read_trace": ".traces",
    "record_profile": ".traces",
    "replacing_directory": ".directories",
    "send_spread_seconds": ".analysis",
    "summarise": ".analysis",
    "write_record": ".records",
    "write_series": ".history",
}

if not TYPE_CHECKING:  # a type checker sees the names above, and no others
    __getattr__ = _lazily(__name__, _HOMES)


def __dir__() -> list[str]:
    return __all__
