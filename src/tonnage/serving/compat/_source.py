"""
Where a handler comes from: a directory, what in it is the program, and how it is to run.
"""

import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tonnage.domain import ArtefactError, ConfigurationError

from ._archive import extract
from ._formats import JSON

__all__ = ["HandlerOptions", "HandlerSource", "find_handler", "handler_options", "opened"]

logger = logging.getLogger(__name__)

MODEL_FILE: Final = "model.joblib"
_MANIFEST: Final = "manifest.json"
_PROGRAMS: Final = ("inference.py", "handler_service.py", "inference_handler.py")
_FOLDERS: Final = ("code", ".")
_DEFAULT_TIMEOUT_SECONDS: Final = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class HandlerOptions:
    """
    How a handler is found and run.

    Attributes:
        program: ``SAGEMAKER_PROGRAM``, a file in the code's directory; None looks for the usual.
        code_directory: ``SAGEMAKER_SUBMIT_DIRECTORY``; None for the model's ``code``.
        default_accept: ``SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT``, for callers without a preference.
        timeout_seconds: ``SAGEMAKER_MODEL_SERVER_TIMEOUT``: until then a request is answered.
        max_waiting: How many requests wait in one worker; the next is refused.
        allow_pickle: Whether a ``model.joblib`` without code may be opened.
    """

    program: str | None = None
    code_directory: Path | None = None
    default_accept: str = JSON
    timeout_seconds: float = float(_DEFAULT_TIMEOUT_SECONDS)
    max_waiting: int = 100
    allow_pickle: bool = False


def handler_options(
    environment: Mapping[str, str], *, allow_pickle: bool = False
) -> HandlerOptions:
    """
    Read the toolkit's environment variables; an empty one counts as unset.

    Raises:
        ConfigurationError: If one asks for what cannot be.

    Source: the variables of sagemaker-inference-toolkit.
    """
    directory = environment.get("SAGEMAKER_SUBMIT_DIRECTORY") or None
    if directory and "://" in directory:
        raise ConfigurationError(
            f"SAGEMAKER_SUBMIT_DIRECTORY is {directory!r}: code is not fetched at start",
            hint="put it into code/ of the model's archive",
        )
    timeout = environment.get("SAGEMAKER_MODEL_SERVER_TIMEOUT") or str(_DEFAULT_TIMEOUT_SECONDS)
    if not timeout.isdecimal() or int(timeout) == 0:
        raise ConfigurationError(
            f"SAGEMAKER_MODEL_SERVER_TIMEOUT is {timeout!r}: it must be whole seconds, from 1 on"
        )
    return HandlerOptions(
        program=environment.get("SAGEMAKER_PROGRAM") or None,
        code_directory=Path(directory) if directory and Path(directory).is_dir() else None,
        default_accept=environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or JSON,
        timeout_seconds=float(timeout),
        allow_pickle=allow_pickle,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class HandlerSource:
    """
    A handler that was found and not yet run.

    Attributes:
        model_dir: The model's directory.
        program: The user's module; None for a ``model.joblib`` alone.
        options: How it runs.
    """

    model_dir: Path
    program: Path | None
    options: HandlerOptions = field(default_factory=HandlerOptions)


def find_handler(directory: Path, options: HandlerOptions) -> HandlerSource | None:
    """
    Find the handler in a model's directory; nothing of it is run.

    Returns:
        None when this is an artefact with a manifest, or nothing that a handler could be.

    Raises:
        ConfigurationError: If the program that was asked for is not there.
        ArtefactError: If there is a pickle, no code, and no leave to open it.
    """
    if (directory / _MANIFEST).exists() or not directory.is_dir():
        return None
    directory = directory.resolve()
    program = _program(directory, options)
    if program is not None:
        if (program.parent / "requirements.txt").is_file():
            logger.warning("requirements.txt is not installed at start: it must be already")
        return HandlerSource(model_dir=directory, program=program, options=options)
    if not (directory / MODEL_FILE).is_file():
        return None
    if not options.allow_pickle:
        raise ArtefactError(
            f"{directory} holds {MODEL_FILE} and neither {_MANIFEST} nor code/{_PROGRAMS[0]};"
            " opening a pickle runs whatever code is in it",
            hint="`tonnage pack` makes it an artefact; --allow-pickle serves a file that you trust",
        )
    logger.warning("%s is a pickle: opening it runs whatever code is in it", MODEL_FILE)
    return HandlerSource(model_dir=directory, program=None, options=options)


def _program(directory: Path, options: HandlerOptions) -> Path | None:
    folders = [options.code_directory] if options.code_directory else []
    folders += [directory / folder for folder in _FOLDERS]
    names = [options.program] if options.program else list(_PROGRAMS)
    for name in names:
        for folder in folders:
            if (folder / name).is_file():
                return (folder / name).resolve()
    if options.program:
        raise ConfigurationError(
            f"SAGEMAKER_PROGRAM is {options.program!r}, and there is none in {directory / 'code'}",
            hint="name a file in the model's code/, or unset it for inference.py",
        )
    return None


@contextmanager
def opened(model: Path) -> Iterator[Path]:
    """
    Give a model's directory: the one named, or an archive's, extracted for the time of the block.

    Raises:
        ArtefactError: If the archive is not safe to extract.
    """
    if not model.is_file():
        yield model
        return
    with tempfile.TemporaryDirectory(prefix="tonnage-model-") as directory:
        extract(model, Path(directory))
        yield Path(directory)
