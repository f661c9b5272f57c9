"""
What a service's ``features`` returned: a matrix, or a table as a column of values for each name.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Column", "as_columns", "as_model_input", "is_table", "row_count"]

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


def as_model_input(features: Any, model: object) -> Any:  # noqa: ANN401 (what scikit-learn takes)
    """
    Return features as the fitted model takes them.

    A matrix is taken as it is. A table becomes a data frame for a model that was fitted on one, and
    else a matrix of its columns in their order.
    """
    if not isinstance(features, Mapping):
        return features
    columns = as_columns(features, list(features))
    if getattr(model, "feature_names_in_", None) is not None:
        import pandas as pd

        return pd.DataFrame(dict(zip(features, columns, strict=True)))
    if all(column.dtype.kind == "f" for column in columns):
        return np.column_stack(columns)
    mixed = np.empty((row_count(features), len(columns)), dtype=object)
    for place, column in enumerate(columns):
        mixed[:, place] = column
    return mixed


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
