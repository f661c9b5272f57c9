"""
CloudWatch's statistics of the values in a period.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from tonnage.emulator._distribution import Distribution
from tonnage.emulator.aws import AwsError

__all__ = ["SIMPLE_STATISTICS", "statistic_of"]

SIMPLE_STATISTICS: Final[Mapping[str, Callable[[Distribution], float]]] = {
    "SampleCount": lambda values: values.count,
    "Average": lambda values: values.total / values.count,
    "Sum": lambda values: values.total,
    "Minimum": lambda values: values.smallest,
    "Maximum": lambda values: values.largest,
}

_PERCENTILE: Final = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")


def statistic_of(name: str) -> Callable[[Distribution], float | None]:
    """
    Return how to read a statistic, ``Sum`` or ``p99.9``, off the values of a period.

    Raises:
        AwsError: If it is none that CloudWatch has, or one that is not emulated.
    """
    if name in SIMPLE_STATISTICS:
        return SIMPLE_STATISTICS[name]
    match = _PERCENTILE.fullmatch(name)
    if match is None:
        raise AwsError(
            "InvalidParameterValueException",
            f"The value {name} for parameter Stat is not supported; "
            f"it is one of {', '.join(SIMPLE_STATISTICS)}, or a percentile such as p99.",
        )
    fraction = float(match[1]) / 100
    return lambda values: values.percentile(fraction)
