"""
A plan's answer as a whole ``tonnage.toml``: the user's own, with what was planned put in.
"""

import os.path
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from .options import Option
from .toml_text import toml_document

__all__ = ["planned_settings"]

_PATHS: Final = {"service": ("model", "artefact", "data"), "load": ("locustfile",)}
"""Settings that are paths, relative to their file."""
_UNPLANNED: Final = {
    "scaling": frozenset({"step", "scheduled"}),
    "deployment": frozenset({"provisioned_concurrency"}),
}
"""What a plan of such a section is without, unless it says so: the file's own is not planned."""


def planned_settings(
    option: Option,
    settings: Mapping[str, Mapping[str, Any]],
    *,
    comment: str = "",
    moved: tuple[Path, Path] | None = None,
) -> str:
    """
    Return settings that ``tonnage up`` takes unchanged.

    Args:
        option: What was chosen; its sections replace those of the settings, key by key.
        settings: The sections of the file the plan was made from; may be empty.
        comment: What to say at the top.
        moved: The directories of that file and of the new one, if they differ: relative paths
            are rewritten.
    """
    planned = option.settings()
    names = [*settings, *(name for name in planned if name not in settings)]
    merged = {name: {**settings.get(name, {}), **planned.get(name, {})} for name in names}
    for name, keys in _UNPLANNED.items():
        if name in planned:
            for key in keys & merged[name].keys() - planned[name].keys():
                del merged[name][key]
    if moved is not None:
        _move(merged, *moved)
    return toml_document(merged, comment=comment)


def _move(sections: Mapping[str, dict[str, Any]], old: Path, new: Path) -> None:
    for section, keys in _PATHS.items():
        for key in keys:
            value = sections.get(section, {}).get(key)
            if isinstance(value, str) and not Path(value).is_absolute():
                sections[section][key] = Path(os.path.relpath(old / value, new)).as_posix()
