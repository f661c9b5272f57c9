"""
Options that several verbs share, and what they mean.
"""

import json
import logging
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import click

from tonnage.domain import ConfigurationError, TonnageError, parse_duration, parse_rate, parse_size

if TYPE_CHECKING:
    from tonnage.config import Settings

__all__ = [
    "DEFAULT_URL",
    "DURATION",
    "RATE",
    "SIZE",
    "emit_json",
    "json_option",
    "json_value",
    "log_to_stderr",
    "route_of",
    "settings_options",
    "with_settings",
]

DEFAULT_URL: Final = "http://127.0.0.1:8000"
"""Where `tonnage up` listens."""

_Function = TypeVar("_Function", bound=Callable[..., Any])


class _Quantity(click.ParamType[float]):
    """A flag whose value has a unit; a bare number is in seconds, per second or bytes."""

    def __init__(self, name: str, parse: Callable[[str], float], bare_unit: str) -> None:
        self.name = name
        self._parse = parse
        self._bare_unit = bare_unit

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, int | float):
            return value
        text = str(value).strip()
        bare = text.replace(".", "", 1).isdecimal()
        try:
            return self._parse(text + self._bare_unit if bare else text)
        except TonnageError as error:
            self.fail("; ".join(filter(None, [error.message, error.hint])), param, ctx)


DURATION = _Quantity("duration", parse_duration, "s")
RATE = _Quantity("rate", parse_rate, "/s")
SIZE = _Quantity("size", parse_size, "B")

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")


def settings_options(function: _Function) -> _Function:
    """Add ``--config`` and ``--set`` to a verb."""
    config = click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Settings.  [default: tonnage.toml, if there is one]",
    )
    overrides = click.option(
        "--set",
        "overrides",
        metavar="SECTION.KEY=VALUE",
        multiple=True,
        help="Override one setting, e.g. --set local.time_scale=60; repeatable.",
    )
    return config(overrides(function))


def with_settings(config: Path | None, overrides: tuple[str, ...]) -> "Settings":
    """Read the settings in force."""
    from tonnage.config import read_settings  # 80 ms that `serve`, which has no file, need not wait

    return read_settings(config, environment=os.environ, overrides=overrides)


def json_value(flag: str, text: str) -> object:
    """Return the JSON value that a flag names."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigurationError(f"{flag} {text!r} is no JSON: {error}") from error


def route_of(route: str, url: str | None) -> str:
    """Return the service's route at a URL that names only a host, or at the local endpoint."""
    if url is None:
        return DEFAULT_URL + route
    return url if urlsplit(url).path not in {"", "/"} else url.rstrip("/") + route


def emit_json(value: object) -> None:
    """Print one JSON object on stdout; NaN, which JSON does not have, becomes null."""
    click.echo(json.dumps(_without_nan(value), default=str))


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def log_to_stderr(level: int = logging.WARNING) -> None:
    """Send what the library logs to stderr, for a verb that runs on."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(message)s")
