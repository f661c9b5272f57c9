"""
What the model answers: to a row that was entered, and along the curve of its one number.
"""

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tonnage.api import ApiResponse, Front, Invocation, InvocationResult
from tonnage.emulator._endpoint import Endpoint
from tonnage.emulator._refusals import InvocationRefused

from .fields import Field

__all__ = ["Answer", "Curve", "CurveMaker", "ask", "curve_grid"]

JSON_HEADERS: Final = {"content-type": "application/json"}
_POINTS_EACH_WAY: Final = 31
_WIDE: Final = 20.0
"""A range whose ends are so many times apart is worth a look by its logarithm, too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """
    What a client of the REST API is told.

    Attributes:
        row: What was sent.
        status: The HTTP status.
        value: The body.
    """

    row: Any
    status: int
    value: Any

    @property
    def is_prediction(self) -> bool:
        """Whether it is one, and no refusal."""
        return self.status == 200  # noqa: PLR2004 (HTTP)


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """
    A prediction over the one number that it depends on.

    Attributes:
        field: The number.
        result: The result's name.
        points: Number and prediction, ascending.
    """

    field: Field
    result: str
    points: Sequence[tuple[float, float]]


async def ask(
    front: Front, row: object, invoke: Callable[[Invocation], Awaitable[InvocationResult]]
) -> Answer:
    """Put a row to the REST API, as a client does."""
    body = json.dumps(row).encode()
    answer = front.accept("POST", _route(front), JSON_HEADERS, body)
    if isinstance(answer, Invocation):
        answer = front.conclude(await invoke(answer))
    return Answer(row=row, status=answer.status, value=_value(answer))


def curve_grid(field: Field) -> list[float]:
    """
    Return where to ask for a curve: at most 62 numbers over the field's usual range.

    They are spread evenly, and over a wide range evenly by their logarithm, too: a curve may bend
    at its low end.
    """
    if field.typical_range is None:
        return []
    low, high = field.typical_range
    numbers = np.linspace(low, high, _POINTS_EACH_WAY)
    if low > 0 and high / low >= _WIDE:
        numbers = np.concatenate([numbers, np.geomspace(low, high, _POINTS_EACH_WAY)])
    if field.kind == "integer":
        numbers = np.round(numbers)
        numbers = numbers[(numbers >= low) & (numbers <= high)]
    return [float(number) for number in np.unique(np.clip(numbers, low, high))]


class CurveMaker:
    """
    Draws the curve once for each config that its endpoint is made from.

    An instance is asked directly, and one row at a time: what nobody asked for must neither be
    counted, and so scale the fleet, nor get in the way of a load.

    Args:
        front: Checks rows and words answers.
        fields: What the service takes.
        endpoint: Returns the endpoint that is asked, None while there is none.
    """

    def __init__(
        self, front: Front, fields: Sequence[Field], endpoint: Callable[[], Endpoint | None]
    ) -> None:
        self._front = front
        self._field = fields[0] if len(fields) == 1 and fields[0].is_numeric else None
        self._grid = curve_grid(self._field) if self._field else []
        self._endpoint = endpoint
        self._made: tuple[object, Curve] | None = None
        self._under_way: asyncio.Task[Curve | None] | None = None

    async def curve(self, *, patience_seconds: float) -> Curve | None:
        """Return the curve, None if there is none or it is not there in time."""
        endpoint = self._endpoint()
        if endpoint is None or not self._grid:
            return None
        if self._made is not None and self._made[0] is endpoint.config:
            return self._made[1]
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(self._make(endpoint))
        done, _ = await asyncio.wait([self._under_way], timeout=patience_seconds)
        return self._under_way.result() if done else None

    async def peek(self, row: object) -> Answer:
        """Put a row to an instance without its being counted."""
        endpoint = self._endpoint()

        async def invoke(invocation: Invocation) -> InvocationResult:
            return await _uncounted(endpoint, invocation)

        return await ask(self._front, row, invoke)

    async def _make(self, endpoint: Endpoint) -> Curve | None:
        field, config = self._field, endpoint.config
        assert field is not None
        result, points = "", []
        for number in self._grid:
            row = {field.name: int(number) if field.kind == "integer" else number}
            answer = await self.peek(row)
            numbers = _numbers(answer.value) if answer.is_prediction else {}
            if not numbers:
                if answer.is_prediction or answer.status < 500:  # noqa: PLR2004 (HTTP)
                    continue
                return None  # no instance has room: another time
            result = result or next(iter(numbers))
            if result in numbers:
                points.append((number, numbers[result]))
        curve = Curve(field=field, result=result, points=points)
        self._made = config, curve
        return curve


async def _uncounted(endpoint: Endpoint | None, invocation: Invocation) -> InvocationResult:
    for variant in tuple(endpoint.variants.values()) if endpoint else ():
        if variant.in_service_instance_count:
            try:
                answer = await variant.hosted.route(invocation.body, JSON_HEADERS)
            except InvocationRefused:
                continue
            if answer is not None:
                return InvocationResult(status=answer.status or 504, body=answer.body)
    return InvocationResult(status=503, body=b"")


def _route(front: Front) -> str:
    return next(path for path, method in front.routes.items() if method == "POST")


def _value(answer: ApiResponse) -> Any:  # noqa: ANN401 (any JSON)
    try:
        return json.loads(answer.body)
    except ValueError:
        return None


def _numbers(value: object) -> dict[str, float]:
    """Return the numbers of a result, by name."""
    if not isinstance(value, dict):
        return {}
    return {
        name: float(one)
        for name, one in value.items()
        if isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one)
    }
