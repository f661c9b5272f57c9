"""
Which option is the answer, and which search is of interest where none is.
"""

from collections.abc import Iterable, Sequence

from .lines import LoadLine
from .options import Option
from .searched import Searched

__all__ = ["best_of", "of_interest", "ordered"]


def of_interest(
    searches: Sequence[tuple[LoadLine, Searched]],
) -> tuple[LoadLine, Searched]:
    """Return the search on a measured line whose choice is cheapest, or else fails least."""

    def rank(search: tuple[LoadLine, Searched]) -> tuple[bool, float]:
        line, searched = search
        rows = [each.row for each in searched.alternatives if not each.assumed]
        if searched.chosen is not None:
            rows.append(searched.chosen)
        if not rows:
            return True, float(searched.outcomes.failed_fraction[searched.nearest])
        seconds = float(searched.outcomes.instance_seconds[rows].min())
        return False, seconds * float(line.kind.price.usd)

    return min((search for search in searches if not search[0].is_assumed), key=rank)


def best_of(options: Sequence[Option]) -> Option | None:
    """Return the first of all that meets the objective on a measured line."""
    first = ordered(options)[:1]
    return first[0] if first and first[0].meets and not first[0].is_assumed else None


def ordered(options: Iterable[Option]) -> list[Option]:
    """Return options with the answer first; of two that set the same, the first named."""
    different: dict[object, Option] = {}
    for option in options:
        shape = (option.line.kind.name, option.policy, option.serverless, option.front)
        if shape not in different or option.what == "as it is set":
            different[shape] = option
    return sorted(
        different.values(),
        key=lambda option: (
            not option.meets,
            option.is_assumed if option.meets else False,
            not option.keeps_margin if option.meets else False,
            option.cost.total if option.meets else option.failed_fraction,
        ),
    )
