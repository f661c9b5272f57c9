"""
How a setting's text becomes a number: the field types of the settings' dataclasses.
"""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from tonnage.domain import (
    ConfigurationError,
    ErrorObjective,
    LatencyObjective,
    parse_duration,
    parse_fraction,
    parse_rate,
    parse_size,
)

__all__ = ["Bytes", "Errors", "Fraction", "Latency", "Name", "PerSecond", "Positive", "Seconds"]


def _from_text(parse: Callable[[str], Any]) -> BeforeValidator:
    def validate(value: object) -> object:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} has no unit: write it as text, in quotes")  # noqa: TRY004 (what pydantic catches)
        try:
            return parse(value)
        except ConfigurationError as error:
            raise ValueError("; ".join(filter(None, [error.message, error.hint]))) from error

    return BeforeValidator(validate)


Seconds = Annotated[float, _from_text(parse_duration)]
PerSecond = Annotated[float, _from_text(parse_rate), Field(gt=0)]
Bytes = Annotated[int, _from_text(parse_size), Field(gt=0)]
Fraction = Annotated[float, _from_text(parse_fraction)]
Latency = Annotated[LatencyObjective, _from_text(LatencyObjective.parse)]
Errors = Annotated[ErrorObjective, _from_text(ErrorObjective.parse)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Name = Annotated[str, Field(max_length=63, pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$")]
"""What SageMaker accepts as a name of an endpoint or variant (botocore's service model)."""
