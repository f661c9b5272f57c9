"""
Which columns of a sample are the model's, and in which order.
"""

import re
from typing import Final

from tonnage.domain import ConfigurationError

from ._sample import Sample

__all__ = ["chosen_names"]

_SHOWN: Final = 200


def chosen_names(
    sample: Sample, wanted: tuple[str, ...] | int | None, target: str | None
) -> tuple[list[str], list[str]]:
    """
    Return the names of the row's columns, and what was assumed.

    Args:
        sample: The rows.
        wanted: What the model was fitted on: names, their number, or nothing known.
        target: The column that is predicted.

    Raises:
        ConfigurationError: If a column is missing, or one too many.
    """
    if target is not None and target not in sample.header:
        raise ConfigurationError(
            f"{sample.file} has no column {target!r}; it has {_listed(sample.header)}",
            hint="name the column that is predicted with --target, or leave --target out",
        )
    if isinstance(wanted, tuple):
        return _by_name(sample, wanted, target)
    names = [name for name in sample.header if name != target]
    if wanted is not None and len(names) != wanted:
        raise _miscounted(sample, names, wanted, target)
    return names, [f"the model knows no names: its columns are {_listed(names)}, in this order"]


def _by_name(
    sample: Sample, wanted: tuple[str, ...], target: str | None
) -> tuple[list[str], list[str]]:
    if target in wanted:
        raise ConfigurationError(
            f"the model was fitted on {target!r}: it cannot be the target",
            hint="name the column that is predicted, or leave --target out",
        )
    missing = [name for name in wanted if name not in sample.header]
    spaced = {re.sub(r"\s", "_", name): name for name in sample.header}
    if missing and all(name in spaced for name in wanted):
        wanted = tuple(spaced[name] for name in wanted)  # LightGBM's names have no spaces
    elif missing:
        raise ConfigurationError(
            f"{sample.file} lacks what the model was fitted on: {_listed(missing)};"
            f" it has {_listed(sample.header)}",
            hint="give a sample with all of the model's columns, named as they were then",
        )
    left = [name for name in sample.header if name not in wanted and name != target]
    note = f"no column of the model, left out: {_listed(left)}"
    return list(wanted), [note] if left else []


def _miscounted(
    sample: Sample, names: list[str], wanted: int, target: str | None
) -> ConfigurationError:
    told = (
        f"the model was fitted on {wanted} column{'' if wanted == 1 else 's'},"
        f" and {sample.file} has {len(names)}"
        f"{' beside the target' if target else ''}: {_listed(names)}"
    )
    if len(names) == wanted + 1 and target is None:
        return ConfigurationError(
            told, hint=f"is the target among them? name it: --target {names[-1]!r}"
        )
    return ConfigurationError(
        told, hint="give a sample of the columns that it was fitted on, in their order"
    )


def _listed(names: list[str] | tuple[str, ...]) -> str:
    text = ", ".join(names)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
