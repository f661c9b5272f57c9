"""
Faults at the command line: which class ends with which exit code, and how it is shown.
"""

import os
from typing import Final

import click

from tonnage.domain import (
    ArtefactError,
    CapacityError,
    ConfigurationError,
    DeploymentError,
    InterruptedRunError,
    InvalidPayloadError,
    MeasurementError,
    PortInUseError,
    RecordError,
    TonnageError,
    TransportError,
)

__all__ = [
    "EXIT_CODES",
    "INTERRUPTED",
    "MEASUREMENT_INVALID",
    "OBJECTIVE_MISSED",
    "colour_allowed",
    "exit_code",
    "show",
    "warn",
]

OBJECTIVE_MISSED: Final = 3
MEASUREMENT_INVALID: Final = 4
INTERRUPTED: Final = 130

EXIT_CODES: Final[dict[type[TonnageError], int]] = {
    ArtefactError: 1,
    CapacityError: 1,
    DeploymentError: 1,
    InvalidPayloadError: 1,
    RecordError: 1,
    PortInUseError: 1,
    ConfigurationError: 2,
    MeasurementError: MEASUREMENT_INVALID,
    TransportError: 5,
    InterruptedRunError: INTERRUPTED,
    TonnageError: 1,
}


def exit_code(error: BaseException) -> int | None:
    """Return a fault's exit code; None for what is no fault of the tree."""
    return next((EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES), None)


def show(error: BaseException) -> None:
    """Print a fault and its next step on stderr."""
    # Outside of click's context, which knows whether colour is allowed.
    color = colour_allowed()
    click.echo(f"{click.style('error:', fg='red', bold=True)} {error}", err=True, color=color)
    hint = getattr(error, "hint", None)
    if hint:
        click.echo(f"{click.style('hint:', bold=True)} {hint}", err=True, color=color)


def warn(text: str) -> None:
    """Print on stderr what the user should know, though nothing has failed."""
    click.echo(f"{click.style('warning:', fg='yellow', bold=True)} {text}", err=True)


def colour_allowed() -> bool | None:
    """Return False when ``NO_COLOR`` says so, else None: colour on a terminal."""
    return False if os.environ.get("NO_COLOR") else None
