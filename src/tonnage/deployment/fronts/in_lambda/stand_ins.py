"""
Stand-ins for libraries that a front does without.

``service.py`` holds the two models, which the front needs, beside the two functions, which only the
endpoint calls. So it imports numpy, and a front has none: 70 MB for two functions that are never
called. A stand-in lets the module be imported, annotations included, and says so when it is called.
"""

import sys
from collections.abc import Collection, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn, Self

__all__ = ["LeftOutError", "install"]


class LeftOutError(ImportError):
    """A library was called that is not in the package."""


def install(libraries: Collection[str]) -> None:
    """
    Let these libraries be imported where they are not installed.

    Args:
        libraries: Top-level names. One that is installed is imported as it is.
    """
    sys.meta_path.append(_Finder(frozenset(libraries)))


class _Finder(MetaPathFinder, Loader):
    def __init__(self, libraries: frozenset[str]) -> None:
        self._libraries = libraries

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 (the protocol's)
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in self._libraries:
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


class _Module(ModuleType):
    def __getattr__(self, name: str) -> "_StandIn":
        return _stand_in(f"{self.__name__}.{name}", name)


class _StandIn:
    """Whatever stands in an annotation: ``np.float64``, ``NDArray[np.float64]``, ``A | B``."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> "_StandIn":
        return _stand_in(f"{self._name}.{name}", name)

    def __getitem__(self, _key: object) -> Self:
        return self

    def __or__(self, _other: object) -> Self:
        return self

    __ror__ = __or__

    def __call__(self, *_arguments: object, **_named: object) -> NoReturn:
        library = self._name.partition(".")[0]
        raise LeftOutError(
            f"{self._name} was called, and the front has no {library}; "
            f"name {library} in requirements.txt beside service.py, or use it in features() and"
            " results() alone"
        )

    def __mro_entries__(self, _bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (object,)


def _stand_in(whole: str, name: str) -> _StandIn:
    # Python and pydantic ask for names of their own kind to learn what a thing is.
    if name.startswith("__"):
        raise AttributeError(name)
    return _StandIn(whole)
