"""
What a fitted model remembers of its columns: which of them it knows as text or as categories.

An encoder keeps the categories that it was fitted on. Asked about a number it compares numbers, and
about text it compares text: a postcode that a CSV reader took for a whole number, or a single row
whose text is missing, must reach it as it was then. Read from what is stored, without running any
of the model's code and without importing its library.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["begins_with_text", "is_vectorizer", "known_categories", "object_columns"]

_INNER: Final = ("best_estimator_", "regressor_", "estimator_", "estimator", "_preprocessor")
"""Where an estimator around another one keeps it."""
_SEVERAL: Final = ("estimators_", "calibrated_classifiers_", "transformer_list")
"""Where an estimator around several others keeps them."""

Categories = NDArray[Any]


def known_categories(model: object, names: Sequence[str]) -> dict[str, Sequence[Any]]:
    """
    Return the columns that a model was fitted on as text.

    Args:
        model: A fitted estimator.
        names: Its columns, in its order.

    Returns:
        By column the categories that the model knows; none where it takes any text.
    """
    return {
        name: () if known is None else known.tolist()
        for name, known in _encoded(model, tuple(names))
        if known is None or any(isinstance(one, str) for one in known.tolist())
    }


def object_columns(model: object, names: Sequence[str]) -> dict[str, float | None]:
    """
    Return the columns that a model compares as objects, and what it has there for a missing value.

    That is None where the model was fitted on rows with None, and else NaN, as pandas has it.
    """
    return {
        name: None if known is not None and None in known.tolist() else np.nan
        for name, known in _encoded(model, tuple(names))
        if known is None or known.dtype.kind in "OUT"
    }


def begins_with_text(model: object) -> bool:
    """Say whether a model takes a list of texts, as a vectorizer does, and not a table."""
    stored = _stored(model)
    first = next(_listed(stored, "steps"), next(_parts_of(stored), None))
    return is_vectorizer(model) if first is None else begins_with_text(first)


def _encoded(part: object, names: tuple[str, ...]) -> Iterator[tuple[str, Categories | None]]:
    """Yield the columns that reach an encoder as they came, and the categories it knows."""
    stored = _stored(part)
    if stored.get("n_features_in_", len(names)) != len(names):
        return  # what reaches it are no longer these columns
    if isinstance(stored.get("transformers_"), list):
        for _, inner, columns in stored["transformers_"]:
            if not isinstance(inner, str):
                yield from _encoded(inner, _chosen(columns, names))
    elif isinstance(stored.get("steps"), list):
        yield from _in_steps(stored, names)
    elif isinstance(stored.get("categories_"), list):
        known = zip(names, stored["categories_"], strict=False)
        yield from ((name, one) for name, one in known if isinstance(one, np.ndarray))
    elif is_vectorizer(part):
        yield from ((name, None) for name in names)
    else:
        for inner in _parts_of(stored):
            yield from _encoded(inner, names)


def _in_steps(
    stored: Mapping[str, Any], names: tuple[str, ...]
) -> Iterator[tuple[str, Categories | None]]:
    for step in _listed(stored, "steps"):
        if step is None or isinstance(step, str):
            continue
        yield from _encoded(step, names)
        if "statistics_" not in _stored(step):  # an imputer leaves the columns what they are
            return


def _parts_of(stored: Mapping[str, Any]) -> Iterator[object]:
    yield from (stored[key] for key in _INNER if stored.get(key) is not None)
    if "estimators_features_" not in stored:  # each would have columns of its own
        for key in _SEVERAL:
            yield from _listed(stored, key)


def _listed(stored: Mapping[str, Any], key: str) -> Iterator[object]:
    """Yield the estimators of a list, which may have their names before them."""
    kept = stored.get(key)
    for one in kept if isinstance(kept, list | tuple | np.ndarray) else ():
        yield one[1] if isinstance(one, tuple) and len(one) > 1 else one


def _chosen(columns: Any, names: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ANN401 (any selection)
    """Return the names of the columns that a column transformer gives to one of its parts."""
    if isinstance(columns, str):
        return (columns,)
    if isinstance(columns, slice):
        if isinstance(columns.start, str) or isinstance(columns.stop, str):
            first = 0 if columns.start is None else names.index(columns.start)
            # A slice of labels holds its end.
            last = len(names) if columns.stop is None else names.index(columns.stop) + 1
            return names[first : last : columns.step]
        return names[columns]
    places = np.atleast_1d(np.asarray(columns))
    if places.dtype.kind in "OUT":
        return tuple(map(str, places))
    return tuple(np.asarray(names, dtype=object)[places]) if places.size else ()


def is_vectorizer(part: object) -> bool:
    """Say whether it takes texts apart, as scikit-learn's vectorizers do."""
    return hasattr(type(part), "build_analyzer")


def _stored(part: object) -> Mapping[str, Any]:
    return getattr(part, "__dict__", {})
