"""
Every error Tonnage raises on purpose, as one tree.

::

    TonnageError                    something is wrong, and the message says what and what next
    ├── ConfigurationError          the user's settings, arguments or environment
    │   └── PortInUseError          the port to listen on is taken
    ├── InvalidPayloadError         the caller's request body, with the fields at fault
    ├── ArtefactError               a packed model cannot be made or trusted
    │   └── ModelLoadError          it is intact, but the model does not load or fails its self-test
    ├── DeploymentError             an image or a stack could not be built or changed
    ├── CapacityError               more was asked for than there is room for now
    ├── TransportError              a peer could not be reached, broke off, or took too long
    ├── RecordError                 a run record cannot be read
    ├── InterruptedRunError         a measurement was stopped before its end
    └── MeasurementError            a measurement was made but must not be believed

A class says *who must act*. The core knows neither HTTP statuses nor exit codes: each edge maps the
classes in one table of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "ArtefactError",
    "CapacityError",
    "ConfigurationError",
    "DeploymentError",
    "FieldFault",
    "InterruptedRunError",
    "InvalidPayloadError",
    "MeasurementError",
    "ModelLoadError",
    "PortInUseError",
    "RecordError",
    "TonnageError",
    "TransportError",
]


class TonnageError(Exception):
    """
    The root of the tree: catch it to catch everything Tonnage raises on purpose.

    Args:
        message: What was seen and what is allowed, in one line.
        hint: The next step, in one line, if there is one to name.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigurationError(TonnageError):
    """The user's settings, arguments or environment must change."""


class PortInUseError(ConfigurationError):
    """Something else listens on the port that was to be listened on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldFault:
    """
    One thing wrong with one field of a payload.

    Attributes:
        field: Where it is, as a dotted path (``rooms.0.area``); empty for the payload as a whole.
        message: What is wrong with it.
    """

    field: str
    message: str


class InvalidPayloadError(TonnageError):
    """The caller's payload is not what the service takes; ``faults`` name the fields."""

    def __init__(self, message: str, *, faults: Sequence[FieldFault] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults)


class ArtefactError(TonnageError):
    """An artefact cannot be made, is missing, or does not match its manifest."""


class ModelLoadError(ArtefactError):
    """An intact artefact whose model does not load, or does not predict what it promised."""


class DeploymentError(TonnageError):
    """What builds or changes a deployment failed; the message holds what it said last."""


class CapacityError(TonnageError):
    """
    More was asked for than there is room for now.

    Args:
        message: What was full.
        retry_after_seconds: When it is worth trying again.
    """

    def __init__(self, message: str, *, retry_after_seconds: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class TransportError(TonnageError):
    """A peer could not be reached, broke off, or took too long to answer."""


class RecordError(TonnageError):
    """A run record is missing, damaged, or of a format this version does not know."""


class InterruptedRunError(TonnageError):
    """A measurement was stopped before its end; what it had seen is kept."""


class MeasurementError(TonnageError):
    """A measurement was made, but its generator was the limit: its numbers must not be believed."""
