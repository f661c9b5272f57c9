"""
What of a front's package is Tonnage's own and the service's: code and facts, no library, no model.
"""

import ast
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import tonnage
from tonnage.artefact import MANIFEST_NAME, Manifest, verify
from tonnage.domain import ConfigurationError

__all__ = ["note_left_out", "write_front_files"]

_PACKAGE: Final = Path(tonnage.__file__).parent
_ROOMS: Final = ("api", "artefact", "domain")
_ENTRY: Final = _PACKAGE / "deployment" / "fronts" / "in_lambda"
# Lambda's Python and Chalice bring these; they are never in the package.
_GIVEN: Final = frozenset({"boto3", "botocore", "chalice", "tonnage", "tonnage_front"})
_LAZY: Final = '''"""
The room's public names, each imported when it is first used.
"""

from importlib import import_module

_PLACES = {places}

__all__ = list(_PLACES)


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")
    found = globals()[name] = getattr(import_module(_PLACES[name], __name__), name)
    return found
'''


def write_front_files(
    directory: Path,
    *,
    artefact: Path,
    name: str,
    route: str,
    cors_origins: Sequence[str] = (),
    given: Sequence[str] = (),
) -> Manifest:
    """
    Write what is Tonnage's and the service's in a package: without libraries, without the model.

    Args:
        directory: A new or empty directory.
        artefact: The artefact whose service it fronts.
        name: The service's name.
        route: Where predictions are asked for.
        cors_origins: Where browsers may call from, if the front itself tells them.
        given: Libraries that are beside the package and need no stand-in.

    Raises:
        ArtefactError: If the artefact is not what its manifest says.
        ConfigurationError: If the directory is not empty.
    """
    manifest = verify(artefact)
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ConfigurationError(
            f"{directory} is not empty", hint="choose a new directory for the package"
        )
    for room in _ROOMS:
        _copy_code(_PACKAGE / room, directory / "tonnage" / room)
        _make_lazy(directory / "tonnage" / room / "__init__.py")
    shutil.copyfile(_PACKAGE / "__init__.py", directory / "tonnage" / "__init__.py")
    _copy_code(_ENTRY, directory / "tonnage_front")
    service = directory / "service"
    service.mkdir()
    shutil.copyfile(artefact / MANIFEST_NAME, service / MANIFEST_NAME)
    for file in manifest.files:
        if file.startswith("code/"):
            (service / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(artefact / file, service / file)
    facts = {"name": name, "route": route, "cors_origins": list(cors_origins), "left_out": []}
    (directory / "front.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    note_left_out(directory, given)
    return manifest


def _copy_code(source: Path, target: Path) -> None:
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(source, target, ignore=ignore, copy_function=shutil.copyfile)


def _make_lazy(init: Path) -> None:
    """
    Let a room's public names be imported when they are first used.

    A front uses a tenth of them, and every cold start would pay for the rest. A room that does more
    than import and list its names stays as it is.
    """
    tree = ast.parse(init.read_bytes(), filename=str(init))
    places: dict[str, str] = {}
    for node in tree.body[1:]:
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            places |= {alias.asname or alias.name: f".{node.module}" for alias in node.names}
        elif not (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"):
            return
    init.write_text(_LAZY.format(places=json.dumps(places, indent=4, sort_keys=True)))


def note_left_out(directory: Path, beside: Sequence[str] = ()) -> tuple[str, ...]:
    """Write down, and return, the libraries that the code imports and the package has not."""
    present = {path.name.partition(".")[0] for path in directory.iterdir()}
    code = directory / "service" / "code"
    own = {path.name.partition(".")[0] for path in code.iterdir()}
    imported = {
        name
        for root in (directory / "tonnage", directory / "tonnage_front", code)
        for file in root.rglob("*.py")
        for name in _imports(file)
    }
    given = present | own | set(beside) | _GIVEN | sys.stdlib_module_names
    left_out = tuple(sorted(imported - given))
    facts = json.loads((directory / "front.json").read_text(encoding="utf-8"))
    facts["left_out"] = left_out
    (directory / "front.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return left_out


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_bytes(), filename=str(file))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
