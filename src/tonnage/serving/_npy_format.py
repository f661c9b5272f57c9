"""
Rows and results as NumPy's own file format; nothing in it is ever unpickled.
"""

import io
import json
import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from tonnage.artefact import LoadedModel
from tonnage.domain import InvalidPayloadError

from ._csv_format import invalid_row, validated
from ._formats import Rows, Shape, UnwritableError, at_row, columns_of

__all__ = ["NpyFormat"]

_HEADER_READERS: Final = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_MAX_HEADER_BYTES: Final = 1024
_KINDS: Final = "biufU"
"""Booleans, whole numbers, floating-point numbers, text."""
_DIMENSIONS: Final = 2


class NpyFormat:
    """A 2-D array, one row a row, columns in the order of the row model's fields."""

    def __init__(self, model: LoadedModel) -> None:
        self._row = model.service.row
        self._columns = columns_of(self._row)

    def decode(self, body: bytes, _charset: str) -> Rows:
        """Return the rows; the first bad one is named."""
        array = _read(body)
        if array.ndim != _DIMENSIONS or array.shape[1] != len(self._columns):
            raise InvalidPayloadError(
                f"the array's shape is {array.shape}; it must be (rows, {len(self._columns)}),"
                f" its columns {', '.join(self._columns[:20])}"
            )
        return [self._parse(values, row) for row, values in enumerate(array.tolist())], Shape.MANY

    def _parse(self, values: Sequence[Any], row: int) -> BaseModel:
        named = dict(zip(self._columns, values, strict=True))
        try:
            if values and isinstance(values[0], str):
                return validated(self._row, named)
            # Not strict: an array has one type, so whole numbers may come as 3.0.
            return self._row.model_validate(named, strict=False)
        except ValidationError as error:
            raise at_row(invalid_row(error), row, f"row {row}") from None
        except InvalidPayloadError as error:
            raise at_row(error, row, f"row {row}") from None

    def encode(self, results: Sequence[bytes], _shape: Shape) -> bytes:
        """Return a row a result, its fields in their order, all numbers or all texts."""
        rows = [list(_fields(json.loads(result)).values()) for result in results]
        kinds = {type(value) for values in rows for value in values}
        if not (kinds <= {bool, int, float} or kinds == {str}) or len({*map(len, rows)}) != 1:
            raise UnwritableError(
                "an array holds numbers or texts, and these results hold something else;"
                " ask for application/json"
            )
        file = io.BytesIO()
        np.lib.format.write_array(file, _array(rows), allow_pickle=False)
        return file.getvalue()


def _array(rows: list[list[Any]]) -> NDArray[Any]:
    array = np.array(rows)
    # Whole numbers beyond 64 bits would make an array of objects.
    return array.astype(np.float64) if array.dtype.hasobject else array


def _fields(result: object) -> dict[str, object]:
    return result if isinstance(result, dict) else {"result": result}


def _read(body: bytes) -> NDArray[Any]:
    """
    Return the array that a body holds, without a copy.

    NumPy's own reader makes room for what the header claims before it looks for it; here the claim
    is held against the body first.
    """
    file = io.BytesIO(body)
    try:
        version = np.lib.format.read_magic(file)
        read_header = _HEADER_READERS[version]
        shape, is_fortran, dtype = read_header(file, max_header_size=_MAX_HEADER_BYTES)
    except Exception as error:  # noqa: BLE001 (its parser lets out whatever a bad header provokes)
        raise InvalidPayloadError(f"the body is no NPY file of version 1 or 2: {error}") from None
    if dtype.hasobject or dtype.kind not in _KINDS or dtype.itemsize == 0:
        raise InvalidPayloadError(
            f"an array of {dtype} is not accepted: numbers and texts are, objects never"
        )
    size, held = math.prod(shape) * dtype.itemsize, len(body) - file.tell()
    if min(shape, default=0) < 0 or size != held:
        raise InvalidPayloadError(f"the header promises {size} bytes and {held} follow")
    if size == 0:
        raise InvalidPayloadError(f"the array's shape is {shape}: it holds no row")
    flat = np.frombuffer(body, dtype=dtype, offset=file.tell())
    array = flat.reshape(shape, order="F" if is_fortran else "C")
    return array.astype(np.float64) if dtype.kind == "f" else array
