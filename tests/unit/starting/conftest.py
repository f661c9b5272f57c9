"""
A directory to begin in, and what the service that is written there answers.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tonnage.artefact import LoadedModel, pack
from tonnage.config import read_settings
from tonnage.starting import InitReport


@pytest.fixture
def place(tmp_path: Path) -> Path:
    directory = tmp_path / "flat-prices"
    directory.mkdir()
    return directory


@pytest.fixture
def answers() -> Callable[..., list[Any]]:
    """Packs what was written by its own settings, loads it, and predicts the rows given."""

    def ask(place: Path, report: InitReport, *rows: dict[str, Any]) -> list[Any]:
        settings = read_settings(place / "tonnage.toml")
        assert report.service == settings.service.handler
        packed = pack(
            settings.path(settings.service.model),
            service=settings.service.handler,
            output=settings.path(settings.service.artefact),
            code=settings.directory,
            data=settings.path(settings.service.data) if settings.service.data else None,
        )
        model = LoadedModel.load(packed.directory)
        parsed = [model.parse_row(json.dumps(row).encode()) for row in rows]
        return [json.loads(one) for one in model.predict(parsed)]

    return ask
