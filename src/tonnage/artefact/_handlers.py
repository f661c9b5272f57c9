"""
Importing the user's code: ``service:RealEstate`` → the class, from files in one directory.
"""

import ast
import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from tonnage.domain import ConfigurationError, ModelLoadError

from .service import Service

__all__ = [
    "code_files",
    "files_of",
    "import_service",
    "imported_beside",
    "unpickling_beside",
]


def import_service(handler: str, directory: Path) -> Service[Any, Any]:
    """
    Import a service class from ``directory`` and make one.

    Args:
        handler: ``module:Class``.
        directory: Where the module lies; modules beside it can be imported by it.

    Raises:
        ConfigurationError: If there is no such module or class, or it is no ``Service``.
        ModelLoadError: If the module fails while it is imported.
    """
    module_name, _, class_name = handler.partition(":")
    module = _import_module(_module_file(module_name, directory), handler, directory)
    chosen = getattr(module, class_name, None)
    if chosen is None:
        names = [name for name, value in vars(module).items() if _is_service(value)]
        raise ConfigurationError(
            f"{module.__file__} has no {class_name!r}",
            hint=f"name MODULE:CLASS: it has {', '.join(f'{module_name}:{name}' for name in names)}"
            if names
            else "write a subclass of tonnage.Service",
        )
    if not _is_service(chosen):
        raise ConfigurationError(
            f"{handler} is no subclass of tonnage.Service[Row, Result]",
            hint="see the docstring of tonnage.Service for one to start from",
        )
    try:
        service: Service[Any, Any] = chosen()
    except Exception as error:
        raise ConfigurationError(
            f"{handler} cannot be made: {type(error).__name__}: {error}",
            hint="it is made without arguments",
        ) from error
    return service


def code_files(handler: str, directory: Path) -> list[Path]:
    """
    Return the files that ``handler`` is made of: its module and what it imports from beside it.

    Found by reading ``import`` statements, not by running them; relative to ``directory``.

    Raises:
        ConfigurationError: If one of them is missing or no Python.
    """
    return files_of([_module_file(handler.partition(":")[0], directory)], directory)


def files_of(modules: Iterable[Path], directory: Path) -> list[Path]:
    """
    Return modules in ``directory`` and what they import from beside them, relative to it.

    Raises:
        ConfigurationError: If one of them is no Python.
    """
    found: dict[Path, None] = {}
    waiting = list(modules)
    while waiting:
        file = waiting.pop()
        if file not in found:
            found[file] = None
            waiting += _imported_from_beside(file, directory)
    return sorted(file.relative_to(directory) for file in found)


def _module_file(name: str, directory: Path) -> Path:
    *packages, module = name.split(".")
    file = directory.joinpath(*packages, f"{module}.py")
    if not file.is_file():
        raise ConfigurationError(
            f"there is no {file}", hint="name the service as MODULE:CLASS, beside tonnage.toml"
        )
    return file


def _imported_from_beside(file: Path, directory: Path) -> Iterator[Path]:
    try:
        tree = ast.parse(file.read_bytes(), filename=str(file))
    except (SyntaxError, ValueError) as error:
        raise ConfigurationError(f"{file} is no Python: {error}") from error
    for node in ast.walk(tree):
        for name in _imported_names(node, file.parent.relative_to(directory).parts):
            # Importing a.b runs a/__init__.py first.
            for depth in range(1, len(name) + 1):
                place = directory.joinpath(*name[:depth])
                for candidate in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
                    if candidate.is_file():
                        yield candidate


def _imported_names(node: ast.AST, package: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield what an import statement in ``package`` may import, as the parts of absolute names."""
    if isinstance(node, ast.Import):
        yield from (tuple(alias.name.split(".")) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = package[: len(package) - node.level + 1] if node.level else ()
        module = (*base, *(node.module.split(".") if node.module else ()))
        yield from ((*module, alias.name) for alias in node.names)


def _import_module(file: Path, handler: str, directory: Path) -> ModuleType:
    # A name of its own, because two services in one process may both be called `service`, and
    # because the one of this place may have been edited since it was imported.
    siblings = code_files(handler, directory)
    identity = hashlib.sha256(str(file.resolve()).encode())
    for sibling in siblings:
        identity.update((directory / sibling).read_bytes())
    name = f"_tonnage_{identity.hexdigest()[:12]}_{file.stem}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None  # noqa: PT018 (one promise of importlib)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with _importing_from(directory, {sibling.parts[0] for sibling in siblings}):
            spec.loader.exec_module(module)
    except ConfigurationError:
        del sys.modules[name]
        raise
    except Exception as error:
        del sys.modules[name]
        raise ModelLoadError(f"{file} fails at import: {type(error).__name__}: {error}") from error
    return module


@contextmanager
def _importing_from(directory: Path, siblings: Collection[str]) -> Iterator[None]:
    """
    Let modules in ``directory`` import each other, and write no byte code into it.

    Their names are theirs only meanwhile: another service's module of the same name, imported
    before or after, is another module.
    """
    names = {sibling.removesuffix(".py") for sibling in siblings} - sys.stdlib_module_names
    wrote = sys.dont_write_bytecode
    elsewhere = _take_modules(names)
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(directory))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.dont_write_bytecode = wrote
        sys.path.remove(str(directory))
        _take_modules(names)
        sys.modules.update(elsewhere)


@contextmanager
def unpickling_beside(directory: Path) -> Iterator[list[Path]]:
    """
    Let a pickle find classes in the modules of ``directory``, after those that are installed.

    Yields:
        A list that holds, at the end of the block, the files of ``directory`` that were imported.
    """
    place = str(directory.resolve())
    wrote, before = sys.dont_write_bytecode, set(sys.modules)
    files: list[Path] = []
    sys.dont_write_bytecode = True
    sys.path.append(place)
    importlib.invalidate_caches()
    try:
        yield files
    finally:
        sys.dont_write_bytecode = wrote
        sys.path.remove(place)
        for name in set(sys.modules) - before:
            if file := _file_beside(name, place):
                del sys.modules[name]
                files.append(directory / file)


def _file_beside(name: str, place: str) -> Path | None:
    """Return an imported module's file if its name leads there from ``place``, relative to it."""
    file = Path(getattr(sys.modules[name], "__file__", None) or "/").resolve()
    if not file.is_relative_to(place):
        return None
    inside, parts = file.relative_to(place), tuple(name.split("."))
    # That of an environment which lies in there has a longer way.
    return inside if inside.with_suffix("").parts in {parts, (*parts, "__init__")} else None


def imported_beside(names: Iterable[str], directory: Path) -> list[Path]:
    """Return the files of those modules that were imported from ``directory`` by their names."""
    place = str(directory.resolve())
    files = [_file_beside(name, place) for name in names if name in sys.modules]
    return [directory / file for file in files if file]


def _take_modules(names: Collection[str]) -> dict[str, ModuleType]:
    """Take the modules of these names, and all in them, out of ``sys.modules``."""
    chosen = [name for name in sys.modules if name.partition(".")[0] in names]
    return {name: sys.modules.pop(name) for name in chosen}


def _is_service(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Service) and hasattr(value, "row")
