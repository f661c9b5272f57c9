"""
The Lambda package of a front: what ``api.Front`` needs, and nothing that predicts.

::

    PACKAGE/
      tonnage/          domain, artefact and api, as they are installed
      tonnage_front/    the entry points
      service/          the artefact's manifest and the service's code, without the model
      front.json        name, route, origins, and the libraries that have stand-ins
      pydantic/ …       what those import, with byte code: Lambda's disk cannot be written to

It weighs about 11 MB and is tried out when it is made: in a process that sees nothing but the
package and the standard library, every golden row must be taken and the schema be the manifest's.
"""

import compileall
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Final, Literal

from packaging.requirements import InvalidRequirement, Requirement

from tonnage.domain import ConfigurationError

from ._distributions import copy_installed, download, why_not_installed
from ._front_files import note_left_out, write_front_files

__all__ = [
    "HANDLER",
    "LAMBDA_PYTHONS",
    "FrontPackage",
    "own_requirements",
    "write_lambda_package",
]

Architecture = Literal["x86_64", "arm64"]

HANDLER: Final = "tonnage_front.handler.handle"
LAMBDA_PYTHONS: Final = ("3.11", "3.12", "3.13", "3.14")
_ROOTS: Final = ("pydantic",)
_TRIAL_SECONDS: Final = 60
_TRIAL: Final = """
import sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from pathlib import Path
from tonnage_front.opening import open_front
import json
directory = Path(sys.argv[1])
front = open_front(directory)
from tonnage.api import Invocation
from tonnage.artefact import Manifest
manifest = Manifest.read(directory / "service")
route = json.loads((directory / "front.json").read_text())["route"]
for row in manifest.golden.rows:
    taken = front.accept("POST", route, {}, json.dumps(row).encode())
    assert isinstance(taken, Invocation), f"it refuses the golden row {row}: {taken.body!r}"
    assert front.accept("POST", route, {}, b"{").status == 400
schema = front.row_schema()
assert schema == manifest.row_schema, "its schema is not the manifest's"
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class FrontPackage:
    """
    A Lambda package that was written.

    Attributes:
        directory: Where.
        size_bytes: What its files weigh, unpacked.
        python_version: The function's Python.
        architecture: The function's processor.
        left_out: Libraries that the code imports and a stand-in stands for.
    """

    directory: Path
    size_bytes: int
    python_version: str
    architecture: Architecture
    left_out: tuple[str, ...]


def write_lambda_package(
    directory: Path,
    *,
    artefact: Path,
    name: str,
    route: str,
    python_version: str | None = None,
    architecture: Architecture = "x86_64",
) -> FrontPackage:
    """
    Write the package of the Lambda function behind an HTTP API.

    What the service's own models import besides pydantic goes in when it is named in
    ``requirements.txt`` beside ``service.py``; else it has a stand-in, which fails when it is used.

    Args:
        directory: A new or empty directory.
        artefact: The artefact whose service it fronts.
        name: The service's name.
        route: Where predictions are asked for.
        python_version: The function's Python, this one's by default: then nothing is downloaded.
        architecture: The function's processor.

    Raises:
        ArtefactError: If the artefact is not what its manifest says.
        ConfigurationError: If Lambda has no such Python, or the service's models cannot do without
            a library that was left out.
        DeploymentError: If the libraries cannot be had.
    """
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    version = python_version or (here if here in LAMBDA_PYTHONS else LAMBDA_PYTHONS[-1])
    if version not in LAMBDA_PYTHONS:
        raise ConfigurationError(
            f"Lambda has no Python {version}", hint=f"it has {', '.join(LAMBDA_PYTHONS)}"
        )
    write_front_files(directory, artefact=artefact, name=name, route=route)
    roots = [*_ROOTS, *own_requirements(artefact)]
    unfit = why_not_installed(roots, python_version=version, architecture=architecture)
    if unfit is None:
        copy_installed(roots, directory)
    else:
        download(roots, directory, python_version=version, architecture=architecture)
    left_out = note_left_out(directory)
    if unfit is None:
        _compile(directory)
        _try_out(directory)
    return FrontPackage(
        directory=directory,
        size_bytes=sum(file.stat().st_size for file in directory.rglob("*") if file.is_file()),
        python_version=version,
        architecture=architecture,
        left_out=left_out,
    )


def own_requirements(artefact: Path) -> Iterator[str]:
    """
    Yield the distributions that the service's code needs besides pydantic, as it says itself.

    Raises:
        ConfigurationError: If a line of its ``requirements.txt`` names none.
    """
    file = artefact / "code" / "requirements.txt"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    for line in lines:
        text = line.partition("#")[0].strip()
        if text:
            try:
                yield Requirement(text).name
            except InvalidRequirement as error:
                raise ConfigurationError(
                    f"{file} has a line that names no package: {text}",
                    hint="write one requirement a line, without options",
                ) from error


def _compile(directory: Path) -> None:
    """Write byte code that is never checked against its source, so that the package is the same."""
    compileall.compile_dir(
        directory,
        quiet=2,
        stripdir=str(directory),
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )


def _try_out(directory: Path) -> None:
    """Take the golden rows in a process that sees the package and the standard library alone."""
    finished = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _TRIAL, str(directory)],
        capture_output=True,
        text=True,
        timeout=_TRIAL_SECONDS,
        check=False,
    )
    if finished.returncode == 0:
        return
    said = (finished.stderr.strip().splitlines() or ["it said nothing"])[-1]
    raise ConfigurationError(
        f"the service's models do not work without the model's libraries: {said}",
        hint="name what they use in requirements.txt beside service.py, and pack again; or choose"
        ' front = "rest", which needs no Lambda',
    )
