"""
The front of a package: what ``front.json`` and ``service/`` beside this code describe.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .stand_ins import install

if TYPE_CHECKING:
    from tonnage.api import Front

__all__ = ["PACKAGE", "open_front"]

PACKAGE: Final = Path(__file__).parents[1]
"""Where the package was unpacked."""


def open_front(directory: Path = PACKAGE) -> "Front":
    """
    Open the front in a package's directory.

    Raises:
        TonnageError: If its service cannot be imported.
    """
    facts: dict[str, Any] = json.loads((directory / "front.json").read_text(encoding="utf-8"))
    install(facts["left_out"])
    # Only now: these import numpy, too.
    from tonnage.api import Front
    from tonnage.artefact import LoadedService, Manifest, import_service

    manifest = Manifest.read(directory / "service")
    service = import_service(manifest.handler, directory / "service" / "code")
    return Front(
        LoadedService(manifest=manifest, service=service),
        name=facts["name"],
        route=facts["route"],
        cors_origins=facts["cors_origins"],
    )
