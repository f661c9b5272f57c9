"""
Importing the user's code: ``service:RealEstate`` → the class, from files in one directory.
"""

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from tonnage.domain import ConfigurationError, ModelLoadError

from .service import Service

__all__ = ["code_files", "import_service"]


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
    module = _import_module(_module_file(module_name, directory), directory)
    chosen = getattr(module, class_name, None)
    if chosen is None:
        names = [name for name, value in vars(module).items() if _is_service(value)]
        raise ConfigurationError(
            f"{module.__file__} has no {class_name!r}",
            hint=f"it has {', '.join(names)}" if names else "write a subclass of tonnage.Service",
        )
    if not _is_service(chosen):
        raise ConfigurationError(
            f"{handler} is no subclass of tonnage.Service[Row, Result]",
            hint="see the docstring of tonnage.Service for one to start from",
        )
    service: Service[Any, Any] = chosen()
    return service


def code_files(handler: str, directory: Path) -> list[Path]:
    """
    Return the files that ``handler`` is made of: its module and what it imports from beside it.

    Found by reading ``import`` statements, not by running them; relative to ``directory``.
    """
    found: dict[Path, None] = {}
    waiting = [_module_file(handler.partition(":")[0], directory)]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found[file] = None
            waiting += _imported_from_beside(file, directory)
    return sorted(file.relative_to(directory) for file in found)


def _module_file(name: str, directory: Path) -> Path:
    file = directory.joinpath(*name.split(".")).with_suffix(".py")
    if not file.is_file():
        raise ConfigurationError(
            f"there is no {file}", hint="name the service as MODULE:CLASS, beside tonnage.toml"
        )
    return file


def _imported_from_beside(file: Path, directory: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(file.read_bytes(), filename=str(file))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            parts = directory.joinpath(*name.split("."))
            for candidate in (parts.with_suffix(".py"), parts / "__init__.py"):
                if candidate.is_file():
                    yield candidate


def _import_module(file: Path, directory: Path) -> ModuleType:
    # A name of its own, because two services in one process may both be called `service`.
    place = hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:12]
    name = f"_tonnage_{place}_{file.stem}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None  # noqa: PT018 (one promise of importlib)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with _importing_from(directory):
            spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ModelLoadError(f"{file} fails at import: {type(error).__name__}: {error}") from error
    return module


@contextmanager
def _importing_from(directory: Path) -> Iterator[None]:
    """Let modules in ``directory`` import each other, and write no byte code into it."""
    wrote = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(directory))
    try:
        yield
    finally:
        sys.dont_write_bytecode = wrote
        sys.path.remove(str(directory))


def _is_service(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Service) and hasattr(value, "row")
