"""
Tonnage: know the load your model carries.

The package imports nothing heavy by itself; each public name is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .artefact import Service
    from .domain import TonnageError

__all__ = ["Service", "TonnageError", "__version__"]

__version__ = "0.1.0"

_ROOMS = {"Service": "artefact", "TonnageError": "domain"}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_ROOMS[name]}", __name__), name)
