"""
Where a handler comes from: a directory, what in it is the program, and how it is to run.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tonnage.domain import ArtefactError, ConfigurationError

__all__ = [
    "HandlerOptions",
    "HandlerSource",
    "find_handler",
    "handler_options",
    "opened",
    "response_timeout_seconds",
]

logger = logging.getLogger(__name__)

MODEL_FILE: Final = "model.joblib"
_JSON: Final = "application/json"
_MANIFEST: Final = "manifest.json"
_PROGRAMS: Final = ("inference.py", "handler_service.py", "inference_handler.py")
_FOLDERS: Final = ("code", ".")
_DEFAULT_TIMEOUT_SECONDS: Final = 60.0
_TIMEOUTS: Final = ("SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS", "SAGEMAKER_MODEL_SERVER_TIMEOUT")
_MAX_TIMEOUT: Final = 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class HandlerOptions:
    """
    How a handler is found and run.

    Attributes:
        program: ``SAGEMAKER_PROGRAM``, a file in the code's directory; None looks for the usual.
        code_directory: ``SAGEMAKER_SUBMIT_DIRECTORY``; None for the model's ``code``.
        default_accept: ``SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT``, for callers without a preference.
        timeout_seconds: Until then a request is answered; see ``response_timeout_seconds``.
        max_waiting: How many requests wait in one worker; the next is refused.
        allow_pickle: Whether a ``model.joblib`` may be opened, be it without code or an artefact's.
    """

    program: str | None = None
    code_directory: Path | None = None
    default_accept: str = _JSON
    timeout_seconds: float = _DEFAULT_TIMEOUT_SECONDS
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
    return HandlerOptions(
        program=environment.get("SAGEMAKER_PROGRAM") or None,
        code_directory=Path(directory) if directory and Path(directory).is_dir() else None,
        default_accept=environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or _JSON,
        timeout_seconds=response_timeout_seconds(environment),
        allow_pickle=allow_pickle,
    )


def response_timeout_seconds(environment: Mapping[str, str]) -> float:
    """
    Return how long a request may take, whatever answers it: 60 s unless the environment says else.

    ``SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS`` has the first word and
    ``SAGEMAKER_MODEL_SERVER_TIMEOUT`` the second, as in sagemaker-inference-toolkit; both are in
    seconds.

    Raises:
        ConfigurationError: If it is no whole number of seconds from 1 on.
    """
    for name in _TIMEOUTS:
        if text := environment.get(name):
            if not (text.isascii() and text.isdecimal()) or not 1 <= int(text[:20]) <= _MAX_TIMEOUT:
                raise ConfigurationError(
                    f"{name} is {text!r}: it must be whole seconds, from 1 on",
                    hint=f"{_MAX_TIMEOUT} at most",
                )
            return float(text)
    return _DEFAULT_TIMEOUT_SECONDS


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
    import tempfile

    from tonnage.artefact import extract

    with tempfile.TemporaryDirectory(prefix="tonnage-model-") as directory:
        extract(model, Path(directory))
        yield Path(directory)
