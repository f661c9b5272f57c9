"""
What is understood of a model's rows: their columns, from a sample or from the model alone.
"""

import random
from dataclasses import dataclass, replace
from typing import Any, Final

from tonnage.artefact import begins_with_text, known_categories
from tonnage.domain import ConfigurationError

from ._choosing import chosen_names
from ._columns import Column, column_of, placeholder
from ._sample import Sample
from ._trying import Tried, names_of, try_model

__all__ = ["TRIED_ROWS", "Understood", "understand"]

TRIED_ROWS: Final = 64
"""So many of the sample's rows are predicted, evenly spaced through it."""
_DRAWN_ROWS: Final = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Understood:
    """What is known of a model's rows."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def understand(
    model: Any,  # noqa: ANN401 (any estimator)
    sample: Sample | None,
    target: str | None,
) -> tuple[Understood, Tried]:
    """
    Return a model's columns, and how it takes them.

    Args:
        model: A fitted estimator.
        sample: Rows as it was fitted on; None to take its own word for the columns.
        target: The column of the sample that is predicted.

    Raises:
        ConfigurationError: If sample and model do not fit, or the model predicts neither.
    """
    return _tried(
        model, _without_data(model) if sample is None else _with_data(model, sample, target)
    )


def _with_data(model: object, sample: Sample, target: str | None) -> Understood:
    wanted = 1 if begins_with_text(model) else names_of(model)
    names, notes = chosen_names(sample, wanted, target)
    known = known_categories(model, names)
    columns: list[Column] = []
    for name in names:
        taken = [one.field for one in columns]
        columns.append(column_of(name, sample.cells(name), taken, known.get(name)))
    cells = [sample.cells(name) for name in names]
    return Understood(
        columns=tuple(columns), rows=tuple(zip(*cells, strict=True)), notes=tuple(notes)
    )


def _without_data(model: object) -> Understood:
    wanted = names_of(model)
    if wanted is None:
        raise ConfigurationError(
            f"{type(model).__name__} does not say which columns it was fitted on",
            hint="give a sample of its rows with --data ROWS.csv; is it fitted?",
        )
    names = wanted if isinstance(wanted, tuple) else [f"x{place}" for place in range(wanted)]
    known = known_categories(model, names)
    columns: list[Column] = []
    for name in names:
        taken = [one.field for one in columns]
        columns.append(placeholder(name, taken, known.get(name, ())))
    chance = random.Random(0)  # noqa: S311 (reproducible rows, no secret)
    rows = tuple(tuple(_drawn(column, chance) for column in columns) for _ in range(_DRAWN_ROWS))
    note = "without --data every number is one from 0 to 1: write in service.py what is usual"
    return Understood(columns=tuple(columns), rows=rows, notes=(note,))


def _drawn(column: Column, chance: random.Random) -> str:
    return repr(chance.random()) if column.is_placeholder else str(chance.choice(column.examples))


def _tried(model: Any, understood: Understood) -> tuple[Understood, Tried]:  # noqa: ANN401 (any estimator)
    """Try the rows as they are, and if the model takes no missing value, those that are whole."""
    try:
        return understood, try_model(model, understood.columns, _values(understood))
    except ConfigurationError:
        whole = _whole(understood)
        if whole is None:
            raise
        return whole, try_model(model, whole.columns, _values(whole))


def _whole(understood: Understood) -> Understood | None:
    lacking = [column for column in understood.columns if column.is_optional]
    rows = tuple(
        row
        for row in understood.rows
        if all(
            column.value_of(cell) is not None
            for column, cell in zip(understood.columns, row, strict=True)
        )
    )
    if not lacking or not rows:
        return None
    columns = tuple(replace(column, is_optional=False) for column in understood.columns)
    names = ", ".join(column.name for column in lacking)
    note = f"values are missing in {names}; the model takes none that is, so the service refuses it"
    return Understood(columns=columns, rows=rows, notes=(*understood.notes, note))


def _values(understood: Understood) -> list[tuple[Any, ...]]:
    count = len(understood.rows)
    kept = min(TRIED_ROWS, count)
    return [
        tuple(
            column.value_of(cell)
            for column, cell in zip(
                understood.columns, understood.rows[place * count // kept], strict=True
            )
        )
        for place in range(kept)
    ]
