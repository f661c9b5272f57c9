"""
What the user writes: two pydantic models and two functions between them and the model.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar, get_args, get_origin

from numpy.typing import NDArray
from pydantic import BaseModel

from tonnage.domain import ConfigurationError

__all__ = ["TYPICAL_RANGE", "Service"]

TYPICAL_RANGE = "x-typical-range"
"""The JSON schema key of a number's usual range, ``[low, high]``: what load tests draw from."""

RowT = TypeVar("RowT", bound=BaseModel)
ResultT = TypeVar("ResultT", bound=BaseModel)


class Service(Generic[RowT, ResultT]):
    """
    A model's service: one row in, one result out, predicted in batches.

    Subclass it with the two pydantic models, and write the two functions::

        class RealEstate(Service[House, Price]):
            \"\"\"Price of a house from its distance to the nearest MRT station.\"\"\"

            def features(self, rows):
                return np.log([[row.distance] for row in rows])

            def results(self, predictions):
                return [Price(cost=round(float(cost), 2)) for cost in predictions]

    Validation, the OpenAPI document, load-test payloads and micro-batches are derived from it. The
    class is made once per process, without arguments; it keeps no state between calls.

    Attributes:
        row: The pydantic model of one request, taken from the class's first parameter.
        result: The pydantic model of one answer, taken from its second.
    """

    row: ClassVar[type[BaseModel]]
    result: ClassVar[type[BaseModel]]

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        for base in getattr(cls, "__orig_bases__", ()):
            if get_origin(base) is Service:
                cls.row, cls.result = _models(cls, get_args(base))

    def features(self, rows: Sequence[RowT]) -> NDArray[Any]:
        """
        Return the model's input for ``rows``.

        Args:
            rows: ``n >= 1`` valid rows.

        Returns:
            ``(n, n_features)``, in the order of ``rows``.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define features(rows)")

    def results(self, predictions: NDArray[Any]) -> Sequence[ResultT]:
        """
        Return the answers for what the model predicted.

        Args:
            predictions: ``(n,)`` or ``(n, n_outputs)``, as ``predict`` returns them.

        Returns:
            ``n`` results, in the same order.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define results(predictions)")


def _models(cls: type, parameters: tuple[Any, ...]) -> tuple[type[BaseModel], type[BaseModel]]:
    for parameter in parameters:
        if not (isinstance(parameter, type) and issubclass(parameter, BaseModel)):
            raise ConfigurationError(
                f"{cls.__name__} is made of {parameter!r}, which is no pydantic model",
                hint="write class MyService(Service[Row, Result]) with two pydantic models",
            )
    row, result = parameters
    return row, result
