"""
A template's file, and the order of its resources.
"""

import json
import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, Final

from tonnage.domain import ConfigurationError

__all__ = ["in_order", "read_template", "references", "substitutions"]

_SUBSTITUTION: Final = re.compile(r"\$\{([^!}][^}]*)\}")


def read_template(file: Path) -> Mapping[str, Any]:
    """
    Return a synthesised template, which is JSON.

    Raises:
        ConfigurationError: If it cannot be read, or is no template.
    """
    try:
        template = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"cannot read the template {file}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(
            f"{file} is not JSON: {error}",
            hint="give a synthesised template, as `cdk synth` or `tonnage synth` writes it",
        ) from error
    resources = template.get("Resources") if isinstance(template, dict) else None
    if not isinstance(resources, dict) or not all(
        isinstance(one, dict) and isinstance(one.get("Type"), str) for one in resources.values()
    ):
        raise ConfigurationError(f"{file} is no CloudFormation template: it has no Resources")
    found: Mapping[str, Any] = template
    return found


def in_order(resources: Mapping[str, Any]) -> list[str]:
    """
    Return the resources' logical ids, each after those it refers to.

    Raises:
        ConfigurationError: If they refer to each other in a circle.
    """
    graph = {
        logical_id: {name for name in _needs(resource) if name in resources}
        for logical_id, resource in resources.items()
    }
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise ConfigurationError(f"the template's resources need each other: {circle}") from error


def references(value: object) -> Iterator[str]:
    """Yield the names that a value refers to, of parameters and pseudo parameters too."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        if name == "Ref" and isinstance(inner, str):
            yield inner
        elif name == "Fn::GetAtt":
            yield str(inner[0] if isinstance(inner, list) else inner).partition(".")[0]
        elif name == "Fn::Sub":
            yield from _in_text(inner[0] if isinstance(inner, list) else inner)
        yield from references(inner)


def substitutions(text: str) -> Iterator[re.Match[str]]:
    """Yield what ``Fn::Sub`` replaces in a text."""
    return _SUBSTITUTION.finditer(text)


def _in_text(text: object) -> Iterator[str]:
    for match in substitutions(str(text)):
        yield match[1].partition(".")[0].strip()


def _needs(resource: Mapping[str, Any]) -> set[str]:
    given = resource.get("DependsOn", [])
    return {
        *([given] if isinstance(given, str) else given),
        *references(resource.get("Properties")),
    }
