"""
Every name that a room offers says what it is.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil

import pytest

import tonnage

ROOMS = sorted(
    f"tonnage.{module.name}" for module in pkgutil.iter_modules(tonnage.__path__) if module.ispkg
)


def says_nothing(value: object) -> bool:
    """Whether a class or function has no text of its own; what a base says is not its own."""
    text = (vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__) or ""
    if dataclasses.is_dataclass(value) and isinstance(value, type):  # their default is a signature
        return text.startswith(f"{value.__name__}(")
    return not text.strip()


@pytest.mark.parametrize("room", ROOMS)
def test_each_public_name_of_a_room_is_documented(room: str):
    package = importlib.import_module(room)
    offered = {name: getattr(package, name) for name in getattr(package, "__all__", ())}
    silent = [
        name
        for name, value in offered.items()
        if (inspect.isclass(value) or inspect.isroutine(value)) and says_nothing(value)
    ]
    assert silent == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_rooms_text_is_more_than_its_name(room: str):
    text = inspect.cleandoc(importlib.import_module(room).__doc__ or "")
    assert len(text.split()) > 5
