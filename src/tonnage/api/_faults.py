"""
What SageMaker's runtime may raise, as the answers of the front: one table for all its adapters.

The emulator hands the front what the container said. On AWS the same comes wrapped in the runtime's
errors; a client must not be able to tell which of the two it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tonnage.domain import error_body

__all__ = ["FAULT_ANSWERS", "UNKNOWN_FAULT", "EndpointFault", "FaultAnswer", "is_envelope"]

RETRY_SECONDS: Final = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class EndpointFault:
    """
    An error of ``InvokeEndpoint``.

    Attributes:
        shape: Its name in SageMaker's service model, e.g. ``ModelError``.
        original_status: The container's own status, of a ``ModelError``.
        original_body: The container's own answer, of a ``ModelError``; it may be cut off.
    """

    shape: str
    original_status: int | None = None
    original_body: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultAnswer:
    """
    What a client is told.

    Attributes:
        status: The HTTP status.
        code: What kind of fault it is, for programs.
        message: The same for people.
        comes_back: Whether trying again in a moment may help: ``Retry-After`` says so.
        headers: What goes with it.
    """

    status: int
    code: str
    message: str
    comes_back: bool = False
    headers: tuple[tuple[str, str], ...] = field(init=False)

    def __post_init__(self) -> None:
        headers = (("Retry-After", str(RETRY_SECONDS)),) if self.comes_back else ()
        object.__setattr__(self, "headers", headers)

    @property
    def body(self) -> bytes:
        """The envelope."""
        return error_body(self.code, self.message)


_TRY_LATER: Final = FaultAnswer(
    status=429,
    code="try_later",
    message="the endpoint does not take this request now; try again later",
    comes_back=True,
)
FAULT_ANSWERS: Final[Mapping[str, FaultAnswer]] = {
    "ValidationError": FaultAnswer(
        status=400,
        code="invalid_invocation",
        message="the endpoint does not take this invocation: it may be missing, or the body too"
        " large",
    ),
    "ModelError": FaultAnswer(
        status=424, code="model_error", message="the model failed on this request"
    ),
    "ModelNotReadyException": _TRY_LATER,
    "ThrottlingException": _TRY_LATER,
    "InternalFailure": FaultAnswer(
        status=500, code="internal", message="the endpoint failed to answer this request"
    ),
    "ServiceUnavailable": FaultAnswer(
        status=503,
        code="over_capacity",
        message="no instance has room now; try again later",
        comes_back=True,
    ),
    "InternalDependencyException": FaultAnswer(
        status=530,
        code="dependency_failed",
        message="a service that the endpoint depends on failed; try again later",
        comes_back=True,
    ),
}
"""
SageMaker's error → the answer. A ``ModelError`` is ``over_capacity`` when its container said 503,
and the container's own refusal when that was a 4xx.
"""

UNKNOWN_FAULT: Final = FaultAnswer(
    status=502, code="endpoint_unreachable", message="the endpoint could not be asked"
)
"""Of everything else: no permission, no connection, an error that AWS has not documented."""


def is_envelope(body: bytes) -> bool:
    """Say whether a container's refusal is Tonnage's own and whole: then a client may see it."""
    return body.startswith(b'{"error":') and body.endswith(b"}}")
