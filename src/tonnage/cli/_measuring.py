"""
What ``tonnage load`` and ``tonnage line`` have in common: flags, payload, and the record they keep.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from tonnage.config import Settings
from tonnage.domain import ConfigurationError, RunRecord, write_record, write_series
from tonnage.loadtest import Payload, SageMakerEndpoint
from tonnage.loadtest.signals import HeldSignals

from ._convert import drawn_from, packed_artefact, settings_shown
from ._options import json_value

__all__ = [
    "body_option",
    "draw_option",
    "drawn_ranges",
    "endpoint_of",
    "endpoint_option",
    "i_own_option",
    "keep",
    "objective_option",
    "output_option",
    "payload_of",
    "payload_option",
    "processes_option",
    "region_option",
    "runtime_url",
    "seed_option",
    "with_settings_in_force",
]

_Function = TypeVar("_Function", bound=Callable[..., Any])
_RUNTIME_VARIABLES: Final = ("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "AWS_ENDPOINT_URL")
_NUMBER: Final = r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
_RANGE: Final = re.compile(rf"(?P<field>[^=]+)=(?P<low>{_NUMBER})\.\.(?P<high>{_NUMBER})")

body_option: Final = click.option("--body", metavar="JSON", help="The JSON body of every request.")
draw_option: Final = click.option(
    "--draw",
    "draws",
    metavar="FIELD=LOW..HIGH",
    multiple=True,
    help="Draw a number into the body, for each request; repeatable.",
)
payload_option: Final = click.option(
    "--payload", metavar="MODULE:FUNCTION", help="A function that makes bodies."
)
endpoint_option: Final = click.option(
    "--endpoint", metavar="NAME", help="InvokeEndpoint, signed, without retries."
)
region_option: Final = click.option(
    "--region", default=None, help="Of --endpoint.  [default: [aws] region]"
)
processes_option: Final = click.option(
    "--processes",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Open loop: generator processes, a core each.",
)
seed_option: Final = click.option(
    "--seed", type=int, default=0, show_default=True, help="Of random draws."
)
i_own_option: Final = click.option(
    "--i-own", metavar="HOST", help="Fire at a host that is not this machine: yours."
)


def objective_option(terms: str) -> Callable[[_Function], _Function]:
    """Add ``--objective`` to a verb, whose help names its terms."""
    return click.option("--objective", "terms", metavar="TERM", multiple=True, help=terms)


def output_option(default: str) -> Callable[[_Function], _Function]:
    """Add ``--output`` to a verb."""
    return click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path),
        default=Path(default),
        show_default=True,
        help="Where the run record goes.",
    )


def payload_of(settings: Settings, flags: Mapping[str, Any]) -> Payload:
    """Return what requests carry: a body, a function's, or what the artefact says."""
    ranges = drawn_ranges(flags.get("draws") or ())
    if flags.get("payload") is not None:
        if flags.get("body") is not None or ranges:
            raise ConfigurationError("--body and --payload both say what is sent", hint="give one")
        return Payload(function=flags["payload"], directory=settings.directory)
    if flags.get("body") is not None:
        return Payload(body=json_value("--body", flags["body"]), ranges=ranges)
    if ranges:
        return Payload(ranges=ranges)
    return Payload(**drawn_from(packed_artefact(settings)))


def drawn_ranges(texts: Sequence[str]) -> dict[str, tuple[float, float]]:
    """
    Read ``distance=1..6500``, one a field.

    Raises:
        ConfigurationError: If one reads otherwise.
    """
    ranges = {}
    for text in texts:
        match = _RANGE.fullmatch(text.strip())
        if match is None:
            raise ConfigurationError(
                f"--draw {text!r} names no range", hint="write distance=1..6500"
            )
        ranges[match["field"]] = (float(match["low"]), float(match["high"]))
    return ranges


def endpoint_of(settings: Settings, flags: Mapping[str, Any]) -> SageMakerEndpoint | None:
    """Return the endpoint that is invoked instead of a route, None for a route."""
    if flags.get("endpoint") is None:
        return None
    return SageMakerEndpoint(
        endpoint_name=flags["endpoint"], region=flags.get("region") or settings.aws.region
    )


def runtime_url(url: str | None) -> str:
    """Return the service's origin as AWS's own clients find it; empty for AWS itself."""
    found = (url, *(os.environ.get(name) for name in _RUNTIME_VARIABLES))
    return next(filter(None, found), "")


def with_settings_in_force(record: RunRecord, settings: Settings) -> RunRecord:
    """Return a record that says under which settings it was made."""
    return replace(record, settings={**settings_shown(settings), **record.settings})


def keep(record: RunRecord, output: Path) -> Path:
    """Write a record and its series beside it, whatever Ctrl-C says; return where."""
    with HeldSignals().hold():
        directory = write_record(record, output)
        write_series(record, directory)
    return directory
