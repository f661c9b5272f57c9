"""
JSON, CSV and NPY as the toolkit's default functions read and write them, minus what hurts.

A one-row CSV is one row of a table and not a vector, and an NPY body is never unpickled.
"""

import csv
import io
import json
import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import InvalidPayloadError

from ._errors import UnsupportedFormatError

__all__ = ["ANY", "CSV", "JSON", "NPY", "OCTET_STREAM", "UTF8_TYPES", "decode", "encode", "to_json"]

JSON: Final = "application/json"
CSV: Final = "text/csv"
NPY: Final = "application/x-npy"
OCTET_STREAM: Final = "application/octet-stream"
ANY: Final = "*/*"
UTF8_TYPES: Final = (JSON, CSV)

Body = str | bytes | bytearray


def decode(body: Body, content_type: str | None) -> NDArray[Any]:
    """
    Return the array that a request's body holds.

    Args:
        body: Text may come decoded or as UTF-8.
        content_type: JSON, CSV or NPY.

    Returns:
        A CSV gives ``(n_rows, n_columns)``, float64, or objects when a column holds text; JSON and
        NPY give what they say.

    Raises:
        InvalidPayloadError: If it holds none.
        UnsupportedFormatError: If the content type is another.
    """
    reader = _READERS.get(content_type or "")
    if reader is None:
        raise UnsupportedFormatError(str(content_type))
    return reader(body)


def encode(prediction: object, content_type: str | None) -> str | bytes:
    """
    Return a prediction as JSON, CSV or NPY.

    Raises:
        UnsupportedFormatError: If the content type is another.
    """
    writer = _WRITERS.get(content_type or "")
    if writer is None:
        raise UnsupportedFormatError(str(content_type))
    return writer(prediction)


def to_json(value: object) -> str:
    """Return JSON; what has ``tolist``, arrays and numbers of numpy, is written as a list."""
    return json.dumps(value, default=_as_list)


def _as_list(value: object) -> object:
    to_list = getattr(value, "tolist", None)
    if to_list is None:
        raise TypeError(f"{type(value).__name__} cannot be written as JSON")
    return to_list()


def _text(body: Body) -> str:
    try:
        return body if isinstance(body, str) else body.decode()
    except UnicodeDecodeError as error:
        raise InvalidPayloadError(f"the body is no UTF-8: {error}") from error


def _from_json(body: Body) -> NDArray[Any]:
    try:
        return np.array(json.loads(_text(body)))
    except (ValueError, RecursionError) as error:
        raise InvalidPayloadError(f"the body is no JSON array: {error}") from error


def _from_csv(body: Body) -> NDArray[Any]:
    try:
        rows = [row for row in csv.reader(io.StringIO(_text(body), newline="")) if row]
    except csv.Error as error:
        raise InvalidPayloadError(f"the body is no CSV: {error}") from error
    if not rows:
        raise InvalidPayloadError("the body holds no row")
    width = len(rows[0])
    for number, row in enumerate(rows, start=1):
        if len(row) != width:
            raise InvalidPayloadError(f"row {number} has {len(row)} cells, row 1 has {width}")
    try:
        return np.array(rows).astype(np.float64)
    except ValueError:
        return _columns([_column(column) for column in zip(*rows, strict=True)])


def _column(cells: Sequence[str]) -> list[float] | list[str]:
    """Return a column's numbers, a blank cell as NaN; its texts when one is no number."""
    try:
        return [float(cell) if cell.strip() else math.nan for cell in cells]
    except ValueError:
        return list(cells)


def _columns(columns: Sequence[list[float] | list[str]]) -> NDArray[Any]:
    is_numeric = all(isinstance(column[0], float) for column in columns)
    table = np.empty((len(columns[0]), len(columns)), dtype=np.float64 if is_numeric else object)
    for index, column in enumerate(columns):
        table[:, index] = column
    return table


def _from_npy(body: Body) -> NDArray[Any]:
    content = body.encode("latin-1") if isinstance(body, str) else bytes(body)
    stream = io.BytesIO(content)
    try:
        shape, is_fortran, dtype = _npy_header(stream)
    except (ValueError, SyntaxError, TypeError, OverflowError, RecursionError) as error:
        raise InvalidPayloadError(f"the body is no NPY: {error}") from error
    if dtype.hasobject:
        raise InvalidPayloadError("the NPY holds Python objects; those are pickles, never opened")
    # Read against the length that is there: what a header promises could be all of memory.
    rest = len(content) - stream.tell()
    if rest != math.prod(shape) * dtype.itemsize or min(shape, default=0) < 0:
        raise InvalidPayloadError(f"the NPY promises {dtype} {shape}, but holds {rest} bytes")
    flat = np.frombuffer(content, dtype=dtype, offset=stream.tell()) if rest else np.empty(0, dtype)
    return flat.reshape(shape, order="F" if is_fortran else "C").copy()


def _npy_header(stream: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(stream)
    raise ValueError(f"version {version} is not supported; 1.0 and 2.0 are")


def _to_csv(prediction: object) -> str:
    stream = io.StringIO()
    np.savetxt(stream, np.atleast_1d(np.asarray(prediction)), delimiter=",", fmt="%s")
    return stream.getvalue()


def _to_npy(prediction: object) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.asarray(prediction), allow_pickle=False)
    return stream.getvalue()


_READERS: Final[dict[str, Callable[[Body], NDArray[Any]]]] = {
    JSON: _from_json,
    CSV: _from_csv,
    NPY: _from_npy,
}
_WRITERS: Final[dict[str, Callable[[object], str | bytes]]] = {
    JSON: to_json,
    CSV: _to_csv,
    NPY: _to_npy,
}
