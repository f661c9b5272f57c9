"""
As much CBOR (RFC 8949) as smithy's rpc-v2-cbor protocol speaks.

Timestamps are tag 1; lengths may be indefinite on the way in and are definite on the way out.
"""

import struct
from typing import Final

from ._models import JsonValue
from .operations import AwsError

__all__ = ["Timestamp", "cbor_of", "value_of_cbor"]

_MAX_DEPTH: Final = 64
_INDEFINITE: Final = 31
_BREAK: Final = object()
_FLOATS: Final = {25: ">e", 26: ">f", 27: ">d"}
_SIMPLE: Final = {20: False, 21: True, 22: None, 23: None}
_ARGUMENT_BYTES: Final = {24: 1, 25: 2, 26: 4, 27: 8}


class Timestamp(float):
    """Seconds since the epoch that are written as a timestamp."""

    __slots__ = ()


def cbor_of(value: object) -> bytes:  # noqa: PLR0911 (one return a kind of value)
    """Return a value as CBOR."""
    match value:
        case None:
            return b"\xf6"
        case bool():
            return b"\xf5" if value else b"\xf4"
        case Timestamp():
            return b"\xc1\xfb" + struct.pack(">d", value)
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case float():
            return b"\xfb" + struct.pack(">d", value)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            encoded = value.encode()
            return _head(3, len(encoded)) + encoded
        case list():
            return _head(4, len(value)) + b"".join(map(cbor_of, value))
        case dict():
            pairs = (cbor_of(key) + cbor_of(item) for key, item in value.items())
            return _head(5, len(value)) + b"".join(pairs)
        case _:
            raise TypeError(f"{type(value).__name__} has no form in CBOR")


def _head(major: int, argument: int) -> bytes:
    if argument < 24:  # noqa: PLR2004 (RFC 8949, 3: below it the argument is in the first byte)
        return bytes([major << 5 | argument])
    for information, size in _ARGUMENT_BYTES.items():
        if argument < 1 << 8 * size:
            return bytes([major << 5 | information]) + argument.to_bytes(size)
    raise OverflowError(f"{argument} does not fit into 64 bits")


def value_of_cbor(data: bytes) -> JsonValue:
    """
    Return the one value that the data holds.

    Raises:
        AwsError: If it is not CBOR, or more than one value.
    """
    reader = _Reader(data)
    try:
        value = reader.item(0)
    except (IndexError, ValueError, struct.error, TypeError) as error:
        raise AwsError("SerializationException", f"the body is not CBOR: {error}") from error
    if value is _BREAK or reader.position != len(data):
        raise AwsError("SerializationException", "the body is not one CBOR value")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def item(self, depth: int) -> JsonValue:  # noqa: PLR0911 (one return a major type)
        if depth > _MAX_DEPTH:
            raise ValueError(f"nested deeper than {_MAX_DEPTH}")
        first = self._take(1)[0]
        major, information = first >> 5, first & 31
        if major == 7:  # noqa: PLR2004 (RFC 8949, 3.1: floats and simple values)
            return self._simple(information)
        if information == _INDEFINITE:
            return self._indefinite(major, depth)
        argument = self._argument(information)
        match major:
            case 0:
                return argument
            case 1:
                return -1 - argument
            case 2:
                return self._take(argument)
            case 3:
                return self._take(argument).decode()
            case 4:
                return [self._element(depth) for _ in range(argument)]
            case 5:
                return dict(self._pair(depth) for _ in range(argument))
            case _:
                return self._element(depth)  # a tag: only timestamps have one here

    def _argument(self, information: int) -> int:
        if information < 24:  # noqa: PLR2004 (RFC 8949, 3)
            return information
        if information not in _ARGUMENT_BYTES:
            raise ValueError(f"{information} is no additional information")
        return int.from_bytes(self._take(_ARGUMENT_BYTES[information]))

    def _element(self, depth: int) -> JsonValue:
        value = self.item(depth + 1)
        if value is _BREAK:
            raise ValueError("a break where a value was due")
        return value

    def _pair(self, depth: int) -> tuple[str, JsonValue]:
        key = self._element(depth)
        if not isinstance(key, str):
            raise TypeError("a key that is no text")
        return key, self._element(depth)

    def _indefinite(self, major: int, depth: int) -> JsonValue:
        items: list[JsonValue] = []
        while (value := self.item(depth + 1)) is not _BREAK:
            items.append(value)
        if major == 2:  # noqa: PLR2004 (RFC 8949, 3.1)
            return b"".join(items)
        if major == 3:  # noqa: PLR2004 (likewise)
            return "".join(items)
        if major == 4:  # noqa: PLR2004 (likewise)
            return items
        if major != 5 or len(items) % 2:  # noqa: PLR2004 (likewise)
            raise ValueError("an indefinite length where there is none")
        return dict(zip(items[::2], items[1::2], strict=True))

    def _simple(self, information: int) -> JsonValue:
        if information == _INDEFINITE:
            return _BREAK
        if information in _FLOATS:
            form = _FLOATS[information]
            return struct.unpack(form, self._take(struct.calcsize(form)))[0]
        if information not in _SIMPLE:
            raise ValueError(f"{information} is no simple value here")
        return _SIMPLE[information]

    def _take(self, count: int) -> bytes:
        taken = self._data[self.position : self.position + count]
        if len(taken) < count:
            raise IndexError("it ends too soon")
        self.position += count
        return taken
