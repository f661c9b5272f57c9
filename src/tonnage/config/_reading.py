"""
Reading the settings: file, environment and flags, in that order of growing weight.
"""

import difflib
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date, time
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from tonnage.domain import ConfigurationError

from .settings import Settings

__all__ = ["DEFAULT_FILE", "keys", "read_settings"]

DEFAULT_FILE: Final = Path("tonnage.toml")
_ENVIRONMENT: Final = "TONNAGE_"
# tomllib raises a bare ValueError for a number of 5,000 digits, and nests as deep as the text does.
_NO_TOML: Final = (ValueError, RecursionError)
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
"""What Python makes of a byte in the environment or the arguments that is no UTF-8."""

type_adapter = cache(lambda: TypeAdapter(Settings))


def read_settings(
    file: Path | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    overrides: Sequence[str] = (),
) -> Settings:
    """
    Return the settings in force: flag before environment before file before default.

    Args:
        file: The settings file; without one ``tonnage.toml`` in the working directory, if there
            is one.
        environment: Variables such as ``TONNAGE_LOCAL_TIME_SCALE=20``; others are left alone.
        overrides: Flags as ``local.time_scale=20``.

    Raises:
        ConfigurationError: If the file is missing or no TOML, or a key or value is not what the
            settings know; the message names the key and suggests the nearest.
    """
    chosen = file or DEFAULT_FILE
    tables = _read_toml(chosen) if file or chosen.exists() else {}
    _refuse_unknown(tables, str(chosen))
    origins: dict[tuple[str, str], str] = {}
    for source, section, key, text in (
        *_from_environment(environment or {}),
        *_from_flags(overrides),
    ):
        _refuse_unknown({section: {key: text}}, source)
        value = _value(text, source)
        tables = {**tables, section: {**tables.get(section, {}), key: value}}
        origins[section, key] = source
    return _validated(tables, chosen, origins)


@cache
def keys() -> Mapping[str, tuple[str, ...]]:
    """Return the keys of each section, as ``tonnage.toml`` spells them."""
    schema = type_adapter().json_schema(by_alias=True)
    sections = [field.name for field in fields(Settings) if field.name != "directory"]
    definitions = schema["$defs"]
    return {
        section: tuple(definitions[f"{section.capitalize()}Settings"]["properties"])
        for section in sections
    }


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"there is no settings file {file}", hint="name one with --config"
        ) from error
    except (OSError, *_NO_TOML) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from error


def _refuse_unknown(tables: Mapping[str, Any], source: str) -> None:
    for section, table in tables.items():
        if section not in keys():
            raise _unknown(f"section [{section}]", source, _nearest(section, keys()))
        if not isinstance(table, dict):
            raise ConfigurationError(f"{source}: {section} is a section: write [{section}]")
        for key, value in table.items():
            if key not in keys()[section]:
                raise _unknown(f"key {key!r} in [{section}]", source, _nearest_key(section, key))
            if isinstance(value, (date, time)):
                raise ConfigurationError(
                    f"{source}: [{section}] {key} = {value} is a date or time",
                    hint="write it as text, in quotes",
                )


def _unknown(what: str, source: str, nearest: str | None) -> ConfigurationError:
    return ConfigurationError(
        f"{source}: unknown {what}", hint=f"did you mean {nearest}?" if nearest else None
    )


def _nearest(word: str, known: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(word, known, n=1, cutoff=0.3)), None)


def _nearest_key(section: str, key: str) -> str | None:
    elsewhere = {f"{key} in [{other}]" for other, known in keys().items() if key in known}
    return next(iter(sorted(elsewhere)), None) or _nearest(key, keys()[section])


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    for variable, text in environment.items():
        section, _, key = variable.removeprefix(_ENVIRONMENT).lower().partition("_")
        if variable.startswith(_ENVIRONMENT) and section in keys():
            yield variable, section, key, text


def _from_flags(overrides: Sequence[str]) -> Iterator[tuple[str, str, str, str]]:
    for override in overrides:
        name, equals, text = override.partition("=")
        section, dot, key = name.strip().partition(".")
        if not equals or not dot:
            raise ConfigurationError(
                f"--set {override!r} is no setting", hint="write --set local.time_scale=20"
            )
        yield f"--set {override}", section, key, text.strip()


def _value(text: str, source: str) -> object:
    """Return a value as TOML would read it; what is no TOML is text."""
    if not text.isascii() and _LONE_SURROGATE.search(text):
        raise ConfigurationError(f"{source!a}: {text!r} is no UTF-8 text")
    try:
        document = tomllib.loads(f"value = {text}")
    except _NO_TOML:
        return text
    return document["value"] if len(document) == 1 else text


def _validated(
    tables: Mapping[str, Any], file: Path, origins: Mapping[tuple[str, str], str]
) -> Settings:
    try:
        # As JSON, because strict validation takes dataclasses from JSON objects only.
        text = json.dumps({**tables, "directory": str(file.parent)}, default=str)
        settings = type_adapter().validate_json(text)
    except ValidationError as error:
        raise ConfigurationError(
            "; ".join(_fault(fault, file, origins) for fault in error.errors(include_url=False))
        ) from error
    except ValueError as error:  # a number of more digits than Python writes
        raise ConfigurationError(f"{file}: {error}") from error
    if settings.scaling.min_capacity > settings.scaling.max_capacity:
        raise ConfigurationError(
            f"{file}: [scaling] min_capacity {settings.scaling.min_capacity} is above"
            f" max_capacity {settings.scaling.max_capacity}"
        )
    return settings


def _fault(fault: ErrorDetails, file: Path, origins: Mapping[tuple[str, str], str]) -> str:
    section, key = (*map(str, fault["loc"]), "", "")[:2]
    message = fault["msg"].removeprefix("Value error, ")
    source = origins.get((section, key), str(file))
    return f"{source}: [{section}] {key} = {fault['input']!r}: {message}"
