"""
What was planned, and each thing that is held against it.
"""

from dataclasses import dataclass
from typing import Any

from tonnage.domain import Objective

from .settings import InstanceVariant, ServerlessVariant

__all__ = ["Expected", "Finding", "equal"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Expected:
    """
    What was planned.

    Attributes:
        endpoint_name: The endpoint.
        variant: Its variant, sizes and scaling.
        objective: What it must meet.
        line_per_second: What one instance carries; None if that is not known.
        instances_usd_month: What its instances were to cost; None if that is not known.
        tolerance: By which fraction cost and line may be off.
    """

    endpoint_name: str
    variant: InstanceVariant | ServerlessVariant
    objective: Objective
    line_per_second: float | None = None
    instances_usd_month: float | None = None
    tolerance: float = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """
    One thing that was compared.

    Attributes:
        what: Its name, as AWS spells it where AWS has one.
        planned: What was planned.
        actual: What is.
        is_drift: Whether they differ; False for what is only told.
    """

    what: str
    planned: Any
    actual: Any
    is_drift: bool

    def __str__(self) -> str:
        mark = "drift" if self.is_drift else "ok"
        return f"{mark:5}  {self.what}: {self.actual} (planned: {self.planned})"


def equal(what: str, planned: object, actual: object) -> Finding:
    """Return a finding of what is to be just as planned."""
    return Finding(what=what, planned=planned, actual=actual, is_drift=planned != actual)
