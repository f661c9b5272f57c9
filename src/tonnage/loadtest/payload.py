"""
What each request of an open loop carries.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tonnage.domain import ConfigurationError

__all__ = ["Payload"]

_FUNCTION: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Payload:
    """
    What each request carries: a fixed body, drawn numbers, rows, or what a function returns.

    Bodies that differ are made before the load begins, ``DISTINCT`` of them at most, and sent in
    turn: so a slow function or a large body costs the generator nothing while it has to be
    punctual. A target that caches by the body sees each of them again after that many requests.

    Attributes:
        body: The JSON value that every request carries; None sends no body, unless ``ranges``,
            ``bodies`` or ``function`` say more.
        ranges: Field → (low, high): numbers drawn uniformly for each request. With a body, which
            must be an object then, they are put into it.
        bodies: JSON values that are sent in turn.
        function: ``module:function``, called as ``function(random)`` with a
            ``numpy.random.Generator``; it returns a JSON value, or bytes to send as they are.
        directory: Where the module is looked for first.
        method: The HTTP method.
        content_type: The ``Content-Type`` of a body.
    """

    body: Any = None
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    bodies: Sequence[Any] = ()
    function: str | None = None
    directory: Path = Path()
    method: str = "POST"
    content_type: str = "application/json"

    def __post_init__(self) -> None:
        is_drawn = self.body is not None or bool(self.ranges)
        if (self.function is not None) + bool(self.bodies) + is_drawn > 1:
            raise ConfigurationError(
                "a payload is a body, or drawn from ranges, or rows, or made by a function",
                hint="give one of them",
            )
        if self.function is not None and not _FUNCTION.fullmatch(self.function):
            raise ConfigurationError(
                f"{self.function!r} names no function", hint="write module:function"
            )
        if self.ranges and not isinstance(self.body, dict | None):
            raise ConfigurationError("numbers can be drawn only into a body that is a JSON object")
        _check_ranges(self.ranges)
        try:
            json.dumps([self.body, *self.bodies], allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ConfigurationError(f"the body is not a JSON value: {error}") from error

    @property
    def is_constant(self) -> bool:
        """Whether every request carries the same."""
        return self.function is None and not self.ranges and not self.bodies

    def shown(self) -> dict[str, Any]:
        """Return it as plain JSON values, for a record."""
        return {
            "body": self.body,
            "ranges": dict(self.ranges),
            "bodies": list(self.bodies),
            "function": self.function,
            "method": self.method,
            "content_type": self.content_type,
        }


def _check_ranges(ranges: Mapping[str, tuple[float, float]]) -> None:
    for name, (low, high) in ranges.items():
        if not (math.isfinite(low) and math.isfinite(high) and low <= high):
            raise ConfigurationError(
                f"the range of {name} is {(low, high)!r}; it must be two numbers, the lower first"
            )
