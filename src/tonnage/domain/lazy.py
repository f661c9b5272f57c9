"""
Packages whose names are imported when they are first used: PEP 562, once for all rooms.

A container that serves one model needs a tenth of what these rooms hold, and its users wait for it.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module

__all__ = ["lazily"]


def lazily(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """
    Return a package's ``__getattr__``.

    Args:
        package: Its ``__name__``.
        homes: The module of each public name, as ``import_module`` takes it: ``.units``.
    """

    def look_up(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(homes[name], package), name)
        setattr(sys.modules[package], name, value)  # it is asked once
        return value

    return look_up
