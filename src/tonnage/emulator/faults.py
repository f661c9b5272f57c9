"""
Faults on a timeline: what is to go wrong, with which instances, and when.

A file of them is TOML or JSON; times are on the emulator's clock and count from the moment the
endpoint is in service, while ``delay`` is real, as all latencies are::

    [[fault]]
    at = "5m"
    action = "freeze"
    instance = 0            # by age; "all" for every one
    for = "2m"
"""

import difflib
import json
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Literal

from pydantic.dataclasses import dataclass

from tonnage.domain import ConfigurationError, TonnageError, parse_duration

__all__ = ["Fault", "FaultAction", "read_faults"]

_ALWAYS: Final = frozenset({"at", "action", "endpoint", "variant"})


class FaultAction(StrEnum):
    """What goes wrong."""

    KILL = "kill"
    FREEZE = "freeze"
    SLOW = "slow"
    FAIL = "fail"
    FAIL_LAUNCH = "fail_launch"


_NEEDED: Final[Mapping[FaultAction, tuple[str, ...]]] = {
    FaultAction.KILL: (),
    FaultAction.FREEZE: ("for",),
    FaultAction.SLOW: ("for",),
    FaultAction.FAIL: ("for",),
    FaultAction.FAIL_LAUNCH: (),
}
_ALLOWED: Final[Mapping[FaultAction, frozenset[str]]] = {
    FaultAction.KILL: frozenset({"instance"}),
    FaultAction.FREEZE: frozenset({"instance", "for"}),
    FaultAction.SLOW: frozenset({"instance", "for", "factor", "delay"}),
    FaultAction.FAIL: frozenset({"instance", "for"}),
    FaultAction.FAIL_LAUNCH: frozenset({"count"}),
}
_KEYS: Final = sorted(_ALWAYS.union(*_ALLOWED.values()))


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """
    One fault.

    Attributes:
        action: What goes wrong.
        at_seconds: When, on the emulator's clock, from the moment the endpoint is in service.
        endpoint: With whose instances; None for every endpoint's.
        variant: Likewise; None for every variant's.
        instance: Which of them that are in service, by age from 0, or all.
        for_seconds: How long it lasts, on the emulator's clock.
        factor: How many times longer than its own a slow instance's answers take.
        delay_seconds: What is added to each of them, in real time.
        count: How many launches fail.
    """

    action: FaultAction
    at_seconds: float = 0.0
    endpoint: str | None = None
    variant: str | None = None
    instance: int | Literal["all"] = 0
    for_seconds: float = 0.0
    factor: float = 1.0
    delay_seconds: float = 0.0
    count: int = 1


def read_faults(path: Path) -> tuple[Fault, ...]:
    """
    Return a file's faults in the order of their times.

    Raises:
        ConfigurationError: If it is missing or is no such file; the message names the entry.
    """
    entries = _entries(path)
    faults = [_fault(entry, f"{path}, fault {number}") for number, entry in enumerate(entries, 1)]
    return tuple(sorted(faults, key=lambda fault: fault.at_seconds))


def _entries(path: Path) -> list[Any]:
    try:
        text = path.read_text(encoding="utf-8")
        parsed = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        kind = "JSON" if path.suffix == ".json" else "TOML"
        raise ConfigurationError(f"{path} is no {kind}: {error}") from error
    if not isinstance(parsed, dict) or set(parsed) != {"fault"}:
        raise ConfigurationError(
            f"{path} holds no list of faults",
            hint="in TOML each fault is a table [[fault]]; in JSON it is {'fault': [ … ]}",
        )
    if not isinstance(parsed["fault"], list):
        raise ConfigurationError(f"{path}: `fault` is no list", hint="write [[fault]], not [fault]")
    return list(parsed["fault"])


def _fault(entry: object, where: str) -> Fault:
    if not isinstance(entry, dict):
        raise ConfigurationError(f"{where} is no table: {entry!r}")
    for key in entry:
        if key not in _KEYS:
            near = difflib.get_close_matches(str(key), _KEYS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_KEYS)}"
            raise ConfigurationError(f"{where} has an unknown key, {key}", hint=hint)
    action = _action(entry.get("action"), where)
    misplaced = set(entry) - _ALWAYS - _ALLOWED[action]
    if misplaced:
        raise ConfigurationError(f"{where}: {action} takes no {', '.join(sorted(misplaced))}")
    for key in _NEEDED[action]:
        if key not in entry:
            raise ConfigurationError(f"{where}: {action} needs `{key}`", hint='such as for = "30s"')
    if action is FaultAction.SLOW and not {"factor", "delay"} & set(entry):
        raise ConfigurationError(f"{where}: slow needs `factor`, `delay` or both")
    return Fault(
        action=action,
        at_seconds=_duration(entry.get("at", "0s"), f"{where}: at"),
        for_seconds=_duration(entry.get("for", "0s"), f"{where}: for"),
        delay_seconds=_duration(entry.get("delay", "0s"), f"{where}: delay"),
        endpoint=_name(entry.get("endpoint"), f"{where}: endpoint"),
        variant=_name(entry.get("variant"), f"{where}: variant"),
        instance=_instance(entry.get("instance", 0), where),
        factor=_number(entry.get("factor", 1.0), 1.0, f"{where}: factor"),
        count=int(_number(entry.get("count", 1), 1.0, f"{where}: count")),
    )


def _action(value: object, where: str) -> FaultAction:
    try:
        return FaultAction(str(value))
    except ValueError:
        there = ", ".join(FaultAction)
        raise ConfigurationError(
            f"{where} has the action {value!r}", hint=f"the actions are {there}"
        ) from None


def _duration(value: object, where: str) -> float:
    try:
        if not isinstance(value, str):
            raise ConfigurationError(f"{value!r} is no duration", hint='write it as "30s"')
        return parse_duration(value)
    except TonnageError as error:
        raise ConfigurationError(f"{where}: {error.message}", hint=error.hint) from error


def _name(value: object, where: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ConfigurationError(f"{where} is {value!r}, which is no name")
    return value


def _instance(value: object, where: str) -> int | Literal["all"]:
    if value == "all":
        return "all"
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigurationError(
            f"{where}: instance is {value!r}", hint='give a number from 0, by age, or "all"'
        )
    return value


def _number(value: object, least: float, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= least:
        raise ConfigurationError(f"{where} is {value!r}; it must be at least {least:g}")
    return float(value)
