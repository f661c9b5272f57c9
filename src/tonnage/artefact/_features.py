"""
What a service's ``features`` returned: a matrix, or a table as a column of values for each name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from ._fitted_columns import begins_with_text, object_columns

__all__ = ["Column", "InputForm", "as_columns", "as_model_input", "is_table", "row_count"]

Column = NDArray[Any]
"""``(n,)``: numbers as float64 with NaN for what is missing, or text as objects with None."""

_MATRIX: Final = 2


def is_table(features: object) -> bool:
    """Say whether it has named columns: a dictionary of them, or a data frame."""
    return isinstance(features, Mapping) or hasattr(features, "columns")


def row_count(features: Any) -> int:  # noqa: ANN401 (a matrix or a table of any make)
    """
    Return how many rows they are for.

    Raises:
        ValueError: If they are neither a matrix nor a table, or columns differ in length.
    """
    if is_table(features):
        lengths = {name: len(features[name]) for name in features}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"its columns have these lengths: {lengths}")
        return next(iter(lengths.values()))
    if np.ndim(features) != _MATRIX:
        raise ValueError(f"its shape is {np.shape(features)}")
    return len(features)


def as_columns(features: Any, names: Sequence[str]) -> list[Column]:  # noqa: ANN401 (see above)
    """Return the columns of a table by name, or those of a matrix by position."""
    if is_table(features):
        return [_column(features[name]) for name in names]
    return [_column(column) for column in np.asarray(features).T]


@dataclass(frozen=True, kw_only=True, slots=True)
class InputForm:
    """
    How a fitted model takes its rows.

    Attributes:
        is_frame: It was fitted on a data frame.
        takes_texts: It begins with a vectorizer, and takes a list of texts.
        objects: Of a data frame the columns that are compared as objects, and what is there for a
            missing value.
    """

    is_frame: bool
    takes_texts: bool
    objects: Mapping[str, float | None]

    @classmethod
    def of(cls, model: object) -> Self:
        """Return that of a fitted model."""
        names = getattr(model, "feature_names_in_", None)
        return cls(
            is_frame=names is not None,
            takes_texts=begins_with_text(model),
            objects={} if names is None else object_columns(model, [str(name) for name in names]),
        )


def as_model_input(features: Any, form: InputForm) -> Any:  # noqa: ANN401 (what scikit-learn takes)
    """
    Return features as the fitted model takes them.

    A matrix is taken as it is. A table becomes a data frame for a model that was fitted on one, a
    list of texts for one that begins with a vectorizer, and else a matrix of its columns in their
    order.
    """
    if not isinstance(features, Mapping):
        return features
    columns = as_columns(features, list(features))
    if form.is_frame:
        return _as_frame(dict(zip(features, columns, strict=True)), form.objects)
    if form.takes_texts and len(columns) == 1:
        return columns[0]
    if all(column.dtype.kind == "f" for column in columns):
        return np.column_stack(columns)
    mixed = np.empty((row_count(features), len(columns)), dtype=object)
    for place, column in enumerate(columns):
        mixed[:, place] = column
    return mixed


def _as_frame(columns: Mapping[str, Column], objects: Mapping[str, float | None]) -> Any:  # noqa: ANN401 (a data frame)
    import pandas as pd

    return pd.DataFrame(
        {
            name: pd.Series(_as_objects(column, objects[name]), dtype=object)
            if name in objects
            else column
            for name, column in columns.items()
        }
    )


def _as_objects(column: Column, missing: float | None) -> Column:
    """Return a column for an encoder that compares objects, also one that is empty throughout."""
    compared = column.astype(object)
    # Only NaN differs from itself.
    compared[[value is None or value != value for value in compared]] = missing  # noqa: PLR0124
    return compared


def _column(values: Any) -> Column:  # noqa: ANN401 (a list, an array, a series)
    column = np.asarray(values)
    if column.dtype.kind in "biuf":
        return column.astype(np.float64)
    if column.dtype.kind in "OUT":
        listed = column.tolist()
        if not any(isinstance(value, str) for value in listed):
            return np.array(listed, dtype=np.float64)  # None becomes NaN
        column = column.astype(object)
        column[[value is None or value != value for value in listed]] = None  # noqa: PLR0124 (NaN)
        return column
    raise TypeError(f"a column of {column.dtype} holds neither numbers nor text")
