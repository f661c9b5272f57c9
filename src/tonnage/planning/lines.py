"""
What one instance of each type carries: measured where the user says so, assumed elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tonnage.domain import ConfigurationError, format_rate

from .limits import find_type
from .prices import InstanceType, PriceBook

__all__ = ["LoadLine", "load_lines"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadLine:
    """
    The load line of one instance type.

    Attributes:
        kind: The type.
        rate_per_second: The highest rate at which one instance meets its objective.
        scaled_from: The type whose measured line it was scaled from by vCPU; None where it was
            measured.
    """

    kind: InstanceType
    rate_per_second: float
    scaled_from: str | None = None

    @property
    def is_assumed(self) -> bool:
        """Whether nobody has measured it."""
        return self.scaled_from is not None


def load_lines(
    measured: Mapping[str, float], book: PriceBook, *, types: Sequence[str] | None = None
) -> list[LoadLine]:
    """
    Return the line of every type to consider, the measured ones first.

    A type without a line of its own carries as much per vCPU as the measured type of most like
    memory per vCPU. Burstable types get none: on CPU credits a line holds for a while only.

    Args:
        measured: Type → requests per second.
        book: What types there are.
        types: The types to consider beside the measured ones; all in the book when not given.

    Raises:
        ConfigurationError: If there is no line, one is not above 0, or a type is unknown.
    """
    if not measured:
        raise ConfigurationError("a plan needs a load line", hint="measure it with `tonnage line`")
    for name, rate in measured.items():
        if not 0 < rate < float("inf"):
            raise ConfigurationError(
                f"the load line of {name} must be above 0/s, not {format_rate(rate)}",
                hint="an instance that carries nothing needs no plan: measure with `tonnage line`",
            )
    known = [
        LoadLine(kind=find_type(name, book), rate_per_second=rate)
        for name, rate in measured.items()
    ]
    wanted = [find_type(name, book) for name in types] if types is not None else book.types.values()
    scaled = [
        _scaled(kind, known) for kind in wanted if kind.name not in measured and not kind.burstable
    ]
    return [*known, *scaled]


def _scaled(kind: InstanceType, known: Sequence[LoadLine]) -> LoadLine:
    def unlike(line: LoadLine) -> tuple[bool, float, float]:
        ratio = line.kind.memory_gib / line.kind.vcpu
        return (
            line.kind.architecture != kind.architecture,
            abs(ratio - kind.memory_gib / kind.vcpu),
            abs(line.kind.vcpu - kind.vcpu),
        )

    nearest = min(known, key=unlike)
    return LoadLine(
        kind=kind,
        rate_per_second=nearest.rate_per_second * kind.vcpu / nearest.kind.vcpu,
        scaled_from=nearest.kind.name,
    )
