"""
Services and models as a user would write them, in a directory of the test's own.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from tonnage.artefact import PackReport, pack

TWO_NUMBERS = """
import numpy as np
from pydantic import BaseModel, Field
from tonnage.artefact import Service

class Row(BaseModel):
    a: float = Field(ge=-3, le=3)
    b: float = Field(ge=0, le=10)

class Answer(BaseModel):
    y: str | float

class Model(Service[Row, Answer]):
    def features(self, rows):
        return np.array([[row.a, row.b] for row in rows])

    def results(self, predictions):
        return [Answer(y=one) for one in predictions.tolist()]
"""


@pytest.fixture(scope="session")
def two_numbers() -> str:
    """The source of a service that takes two numbers and gives one, or a label."""
    return TWO_NUMBERS


@pytest.fixture
def write_code(tmp_path: Path) -> Callable[..., Path]:
    """Writes Python files into ``code`` and says where."""

    def _write(**sources: str) -> Path:
        directory = tmp_path / "code"
        for name, source in sources.items():
            file = directory.joinpath(*name.split("__in__")[::-1]).with_suffix(".py")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(dedent(source))
        return directory

    return _write


@pytest.fixture
def copy(packed: PackReport, tmp_path: Path) -> Path:
    """A copy of the reference artefact, to be damaged."""
    return Path(shutil.copytree(packed.directory, tmp_path / "copy"))


@pytest.fixture
def pack_plane(plane_file: Path, tmp_path: Path) -> Callable[..., PackReport]:
    """Packs the plane with the service in ``code``."""

    def _pack(code: Path, service: str = "service:Model", **options: object) -> PackReport:
        return pack(
            plane_file,
            service=service,
            output=tmp_path / "artefact",
            code=code,
            **options,  # type: ignore[arg-type]
        )

    return _pack
