"""
One invocation on its way through an instance, and the names requests go by.
"""

import os
import re
from collections.abc import Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Final

from tonnage.domain import FieldFault, error_body
from tonnage.http import Exchange, Response

from ._formats import Shape
from .codecs import Conversion

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = [
    "CUSTOM_ATTRIBUTES",
    "REQUEST_ID",
    "RETRY",
    "Call",
    "RequestIds",
    "refusal",
]

CUSTOM_ATTRIBUTES: Final = "X-Amzn-SageMaker-Custom-Attributes"
REQUEST_ID: Final = "X-Request-Id"
RETRY: Final = (("Retry-After", "1"),)

_VISIBLE: Final = re.compile(r"[\x21-\x7e]{1,128}")


class RequestIds:
    """
    The id of each request: its client's own, or one that no other request of this worker has.

    A client sends its own as ``X-Amzn-SageMaker-Inference-Id``, as ``InvokeEndpoint`` does, or as
    ``X-Request-Id``; what could not be a header or a word in a log is not taken.
    """

    def __init__(self) -> None:
        self._prefix = os.urandom(6).hex()
        self._numbers = count(1)

    @staticmethod
    def sent(headers: Mapping[str, str]) -> str | None:
        """Return the client's own id, None without one."""
        sent = headers.get("x-amzn-sagemaker-inference-id") or headers.get("x-request-id")
        return sent if sent is not None and _VISIBLE.fullmatch(sent) else None

    def new(self) -> str:
        """Return an id of this worker's."""
        return f"{self._prefix}-{next(self._numbers):x}"

    def of(self, call: "Call") -> str:
        """Return an invocation's id, which it gets now if it has none."""
        if call.request_id is None:
            call.request_id = self.new()
        return call.request_id


class Call:
    """
    One invocation: what is known of it so far.

    Attributes:
        exchange: Where it is answered.
        request_id: Its id, None until somebody needs one.
        arrived_seconds: When its last byte was read, on ``time.perf_counter``.
        conversion: How its body is read and its answer written.
        rows: Its valid rows.
        count: How many those are.
        shape: How they were laid out.
        is_plain: Whether its answer is one result as JSON and nothing else: most are.
        finish_seconds: The virtual finish under a cap, on the loop's clock.
        is_answered: Whether it was.
    """

    __slots__ = (
        "arrived_seconds",
        "conversion",
        "count",
        "exchange",
        "finish_seconds",
        "is_answered",
        "is_plain",
        "request_id",
        "rows",
        "shape",
    )

    # Set when they are known: a request is refused more cheaply than it is read.
    finish_seconds: float
    is_plain: bool
    rows: Sequence["BaseModel"]
    shape: Shape

    def __init__(
        self,
        exchange: Exchange,
        request_id: str | None,
        arrived_seconds: float,
        conversion: Conversion,
    ) -> None:
        self.exchange = exchange
        self.request_id = request_id
        self.arrived_seconds = arrived_seconds
        self.conversion = conversion
        self.count = 0
        self.is_answered = False


def refusal(
    request_id: str,
    status: int,
    code: str,
    message: str,
    *,
    faults: Sequence[FieldFault] = (),
    headers: tuple[tuple[str, str], ...] = (),
) -> Response:
    """Return an answer that names the fault and the request, so that its log line can be found."""
    return Response(
        status=status,
        body=error_body(code, f"{message} (request {request_id})", faults),
        headers=((REQUEST_ID, request_id), *headers),
    )
