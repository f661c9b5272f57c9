"""
What the user writes: two pydantic models and two functions between them and the model.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, Literal, TypeVar, get_args, get_origin

from numpy.typing import NDArray
from pydantic import BaseModel

from tonnage.domain import ConfigurationError

__all__ = ["TYPICAL_RANGE", "Features", "Outputs", "Service"]

TYPICAL_RANGE = "x-typical-range"
"""The JSON schema key of a number's usual range, ``[low, high]``: what load tests draw from."""

Features = NDArray[Any] | Mapping[str, Sequence[Any]]
"""The model's input: a matrix, or a table as a column of ``n`` values for each name."""

Outputs = Literal["predictions", "probabilities"]
"""What a service asks its model for."""

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

    A classifier's service that also wants to know how sure the model is says so, and gets
    a :class:`~tonnage.artefact.Classified` instead of an array::

        class Churn(Service[Customer, Risk]):
            outputs = "probabilities"

            def features(self, rows):
                return {"plan": [row.plan for row in rows], "age": [row.age for row in rows]}

            def results(self, predictions):
                pairs = zip(predictions.labels, predictions.by_class())
                return [Risk(label=label, probabilities=each) for label, each in pairs]

    Attributes:
        row: The pydantic model of one request, taken from the class's first parameter.
        result: The pydantic model of one answer, taken from its second.
        outputs: ``"predictions"``, what ``predict`` returns; or ``"probabilities"``, labels and
            what ``predict_proba`` returns.
    """

    row: ClassVar[type[BaseModel]]
    result: ClassVar[type[BaseModel]]
    outputs: ClassVar[Outputs] = "predictions"

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        for base in getattr(cls, "__orig_bases__", ()):
            if get_origin(base) is Service:
                cls.row, cls.result = _models(cls, get_args(base))
        if cls.outputs not in get_args(Outputs):
            raise ConfigurationError(
                f"{cls.__name__} asks its model for {cls.outputs!r}",
                hint=f"outputs is one of {', '.join(map(repr, get_args(Outputs)))}",
            )

    def features(self, rows: Sequence[RowT]) -> Features:
        """
        Return the model's input for ``rows``.

        Args:
            rows: ``n >= 1`` valid rows.

        Returns:
            ``(n, n_features)``, in the order of ``rows``; or, for a model that was fitted on a
            table with columns of numbers and of text, a dictionary of its columns.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define features(rows)")

    # ``Any``, so that a service may narrow it to the one that it asked for.
    def results(self, predictions: Any) -> Sequence[ResultT]:  # noqa: ANN401
        """
        Return the answers for what the model predicted.

        Args:
            predictions: ``(n,)`` or ``(n, n_outputs)``, as ``predict`` returns them; with
                ``outputs = "probabilities"`` a :class:`~tonnage.artefact.Classified`.

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
