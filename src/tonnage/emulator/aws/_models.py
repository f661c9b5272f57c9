"""
botocore's models of the services, read when the first request needs one.

The API's public surface is its model: what a client validates against, so does the local port.
"""

import functools
import importlib.util
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from tonnage.domain import ConfigurationError

__all__ = [
    "JsonValue",
    "OperationModel",
    "ServiceModel",
    "Shape",
    "compiled_pattern",
    "require_botocore",
    "service_model",
]

# What a message may hold, at any depth. The shapes say what it is; the type checker cannot.
JsonValue = Any


class Shape(Protocol):
    """What is used of ``botocore.model.Shape``; each kind of shape has only some of it."""

    type_name: str
    metadata: Mapping[str, Any]
    serialization: Mapping[str, str]
    members: Mapping[str, "Shape"]
    required_members: Sequence[str]
    member: "Shape"
    key: "Shape"
    value: "Shape"
    enum: Sequence[str]


class OperationModel(Protocol):
    """What is used of ``botocore.model.OperationModel``."""

    name: str
    input_shape: Shape | None
    output_shape: Shape | None


class ServiceModel(Protocol):
    """What is used of ``botocore.model.ServiceModel``."""

    metadata: Mapping[str, Any]
    signing_name: str
    operation_names: Sequence[str]
    shape_names: Sequence[str]

    def operation_model(self, operation_name: str) -> OperationModel:
        """Return an operation's model."""

    def shape_for(self, shape_name: str) -> Shape:
        """Return a shape."""


# Java's classes and surrogates, as Python spells them. What has no spelling here is not checked.
_SPELLINGS: Final = (
    (r"\uD800\uDC00-\uDBFF\uDFFF", "\U00010000-\U0010ffff"),
    (r"\p{Print}", r"[ -~]"),
    (r"\p{Alnum}", r"a-zA-Z0-9"),
    (r"[\p{L}\p{Z}\p{N}", r"[\w\s"),
    (r"[\p{L}\p{M}\p{Z}\p{N}\p{P}]", r"[\S ]"),
    (r"[\p{L}\p{M}\p{Z}\p{S}\p{N}\p{P}]", r"[\S ]"),
    (r"[\p{L}\p{M}\p{S}\p{N}\p{P}]", r"\S"),
)


def require_botocore() -> None:
    """
    Return if botocore is there.

    Raises:
        ConfigurationError: If it is not installed; the hint says how it is.
    """
    if importlib.util.find_spec("botocore") is None:
        raise ConfigurationError(
            "the AWS protocols need botocore, which is not installed where `tonnage up` runs",
            hint="pip install 'tonnage[aws]'",
        )


@functools.cache
def service_model(name: str) -> ServiceModel:
    """
    Return ``botocore.model.ServiceModel`` of a service.

    Raises:
        ConfigurationError: If botocore is not installed.
    """
    require_botocore()
    from botocore.loaders import Loader
    from botocore.model import ServiceModel as BotocoreModel

    model: ServiceModel = BotocoreModel(Loader().load_service_model(name, "service-2"), name)
    return model


@functools.cache
def compiled_pattern(pattern: str) -> re.Pattern[str] | None:
    """Return a model's pattern in Python's words, None where it has none."""
    for java, python in _SPELLINGS:
        pattern = pattern.replace(java, python)
    try:
        return re.compile(pattern)
    except re.error:
        return None
