"""
``/opt/ml/model`` on a machine that has none: the path leads to the model's directory.

Handlers name it outright. In a container it is real and nothing happens here. Elsewhere making it
would take root, so Python's own doors to files are led elsewhere, in the worker's process only.
Libraries that open files in C are not: they find no such file, as they would have anyway.
"""

import builtins
import io
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

__all__ = ["OPT_ML_MODEL", "lead_to"]

logger = logging.getLogger(__name__)

OPT_ML_MODEL: Final = Path("/opt/ml/model")
_DOORS: Final = (
    (builtins, "open"),
    (io, "open"),
    *((os, name) for name in ("open", "stat", "lstat", "access", "listdir", "scandir")),
)
_PATHS: Final = frozenset({"file", "path"})
"""What these call their first argument."""


def lead_to(directory: Path, *, prefix: Path = OPT_ML_MODEL) -> bool:
    """
    Lead every path below ``prefix`` to ``directory``, for the rest of this process.

    Returns:
        Whether that was needed: not where ``prefix`` exists.
    """
    if prefix.exists():
        return False
    logger.info("%s does not exist here: it leads to %s", prefix, directory)
    for module, name in _DOORS:
        setattr(module, name, _leading(getattr(module, name), str(prefix), str(directory)))
    return True


def _leading(door: Callable[..., Any], prefix: str, directory: str) -> Callable[..., Any]:
    def led(path: object) -> object:
        if isinstance(path, str | os.PathLike):
            text = os.fspath(path)
            if isinstance(text, str) and (text == prefix or text.startswith(f"{prefix}/")):
                return directory + text[len(prefix) :]
        return path

    def lead(*arguments: object, **options: object) -> Any:  # noqa: ANN401 (any door's)
        first, rest = arguments[:1], arguments[1:]
        named = {name: led(value) if name in _PATHS else value for name, value in options.items()}
        return door(*map(led, first), *rest, **named)

    return lead
