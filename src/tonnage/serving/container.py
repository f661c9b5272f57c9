"""
The container's side of SageMaker's contract: its environment variables, its model directory.

The console script ``serve`` (``tonnage.cli.container``) runs it.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tonnage.artefact import ALLOW_PICKLE_VARIABLE
from tonnage.domain import ConfigurationError

from ._batching import BatchLimits
from ._json_logs import log_json_to_stdout
from ._serving import DEFAULT_PORT, serve
from ._worker import WorkerOptions
from .compat import HandlerOptions, handler_options, response_timeout_seconds

__all__ = ["ContainerOptions", "container_options", "run_container", "worker_options"]

logger = logging.getLogger(__name__)

_BASE_DIRECTORY: Final = "/opt/ml"
_MAX_PORT: Final = 65535
_MAX_WORKERS: Final = 1024
_MAX_PAYLOAD_MB: Final = 1024
_MAX_LOG_LEVEL: Final = 100
_BYTES_PER_MB: Final = 1024 * 1024
_SWITCHES: Final = {"": None, "true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, kw_only=True, slots=True)
class ContainerOptions:
    """
    What the environment asks for.

    Attributes:
        model: Where SageMaker puts the model: ``SAGEMAKER_BASE_DIR``'s ``model``.
        port: ``SAGEMAKER_BIND_TO_PORT``.
        workers: ``SAGEMAKER_MODEL_SERVER_WORKERS``; None for one a core.
        log_level: ``SAGEMAKER_CONTAINER_LOG_LEVEL``, a number of ``logging``.
        worker: How each worker serves; ``SAGEMAKER_MAX_PAYLOAD_IN_MB`` bounds a body, and
            ``TONNAGE_SERVING_ACCESS_LOG`` says whether each request is a line of the log: it is,
            unless that is ``false``.
        handler: How an ``inference.py`` is found and run, if the model has one;
            ``TONNAGE_SERVING_ALLOW_PICKLE`` says whether a joblib file is opened: only if it is
            ``true``.
    """

    model: Path = Path(_BASE_DIRECTORY, "model")
    port: int = DEFAULT_PORT
    workers: int | None = None
    log_level: int = logging.INFO
    worker: WorkerOptions = field(default_factory=lambda: WorkerOptions(access_log=True))
    handler: HandlerOptions = field(default_factory=HandlerOptions)


def container_options(environment: Mapping[str, str]) -> ContainerOptions:
    """
    Read what SageMaker and the model's container definition say.

    An empty variable counts as unset.

    Raises:
        ConfigurationError: If a variable asks for what cannot be; it is named with its value.

    Source: SageMaker Developer Guide, "Use your own inference code with hosting services", and the
    variables of sagemaker-inference-toolkit.
    """
    if environment.get("SAGEMAKER_MULTI_MODEL", "").strip().lower() in {"true", "1"}:
        raise ConfigurationError(
            "SAGEMAKER_MULTI_MODEL is set: this container serves one model",
            hint="make an endpoint, or an inference component, for each model",
        )
    default = ContainerOptions()
    max_payload_mb = _whole(environment, "SAGEMAKER_MAX_PAYLOAD_IN_MB", 1, _MAX_PAYLOAD_MB)
    log_level = _whole(environment, "SAGEMAKER_CONTAINER_LOG_LEVEL", 0, _MAX_LOG_LEVEL)
    return ContainerOptions(
        model=Path(environment.get("SAGEMAKER_BASE_DIR") or _BASE_DIRECTORY, "model"),
        port=_whole(environment, "SAGEMAKER_BIND_TO_PORT", 1, _MAX_PORT) or default.port,
        workers=_whole(environment, "SAGEMAKER_MODEL_SERVER_WORKERS", 1, _MAX_WORKERS),
        log_level=default.log_level if log_level is None else log_level,
        worker=worker_options(
            environment,
            max_body_bytes=max_payload_mb * _BYTES_PER_MB
            if max_payload_mb
            else default.worker.max_body_bytes,
            access_log=_switch(environment, "TONNAGE_SERVING_ACCESS_LOG", default=True),
        ),
        handler=handler_options(
            environment, allow_pickle=_switch(environment, ALLOW_PICKLE_VARIABLE, default=False)
        ),
    )


def worker_options(
    environment: Mapping[str, str], *, max_body_bytes: int, access_log: bool
) -> WorkerOptions:
    """
    Return how a worker serves, what the environment says of its answers included.

    Args:
        environment: ``SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT`` is the format of answers to those who
            have no preference, and one of two variables the deadline of all of them: see
            ``response_timeout_seconds``.
        max_body_bytes: The largest request body.
        access_log: Whether each request is a JSON line on standard output.

    Raises:
        ConfigurationError: If the deadline cannot be.
    """
    accept = environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "")
    return WorkerOptions(
        max_body_bytes=max_body_bytes,
        batching=BatchLimits(deadline_seconds=response_timeout_seconds(environment)),
        access_log=access_log,
        default_accept=accept.strip().lower(),
    )


def run_container(environment: Mapping[str, str]) -> None:
    """
    Serve the model that SageMaker has put in place until SIGTERM, then drain.

    Logs go to standard output as JSON lines.

    Args:
        environment: The process's environment variables.

    Raises:
        ConfigurationError: If a variable, or the port it names, cannot be used.
        ArtefactError: If the model is missing, changed, or fails its self-test.
    """
    log_json_to_stdout(logging.INFO)
    options = container_options(environment)
    log_json_to_stdout(options.log_level)

    def announce(port: int) -> None:
        logger.info("serving", extra={"port": port, "model": str(options.model)})

    serve(
        options.model,
        port=options.port,
        workers=options.workers,
        options=options.worker,
        handler=options.handler,
        on_listening=announce,
    )
    logger.info("drained")


def _whole(environment: Mapping[str, str], name: str, low: int, high: int) -> int | None:
    """Return a variable's whole number, None when it is unset or empty."""
    text = environment.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and low <= int(text[:20]) <= high):
        raise ConfigurationError(
            f"{name} is {text!r}: it must be a whole number from {low} to {high}",
            hint="change it in the model's container definition",
        )
    return int(text)


def _switch(environment: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = environment.get(name, "").strip().lower()
    if text not in _SWITCHES:
        raise ConfigurationError(
            f"{name} is {text!r}: it must be true or false",
            hint="change it in the model's container definition",
        )
    value = _SWITCHES[text]
    return default if value is None else value
