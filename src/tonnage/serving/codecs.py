"""
Bodies in four formats: which one a request is written in, and which one its answer is to have.

::

    application/json         one object → one object; an array of objects → an array
    application/jsonlines    one object a line (also application/x-ndjson, application/jsonl)
    text/csv                 one row a line, columns in the order of the row model's fields
    application/x-npy        a 2-D array, columns in the same order; never unpickled

A request says its format with Content-Type, JSON without one, and the format of its answer with
Accept; without one, or where Accept leaves the choice, the answer has the request's format.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tonnage.artefact import LoadedModel
from tonnage.domain import InvalidPayloadError

from ._csv_format import CsvFormat
from ._formats import Format, JsonFormat, JsonLinesFormat
from ._npy_format import NpyFormat

__all__ = ["MEDIA_TYPES", "Codecs", "Conversion", "MediaTypeError"]

_JSON: Final = "application/json"
_FORMATS: Final[Mapping[str, Callable[[LoadedModel], Format]]] = {
    _JSON: JsonFormat,
    "application/jsonlines": JsonLinesFormat,
    "application/x-ndjson": JsonLinesFormat,
    "application/jsonl": JsonLinesFormat,
    "text/csv": CsvFormat,
    "application/x-npy": NpyFormat,
}
MEDIA_TYPES: Final = tuple(_FORMATS)
"""What requests and answers may be written in."""

_MAX_REMEMBERED: Final = 256
_MAX_SHOWN: Final = 100


class MediaTypeError(InvalidPayloadError):
    """
    A header asks for a format that there is not.

    Args:
        header: ``content-type`` or ``accept``.
        value: What it said.
    """

    def __init__(self, header: str, value: str) -> None:
        shown = value if len(value) <= _MAX_SHOWN else f"{value[:_MAX_SHOWN]}…"
        super().__init__(
            f"{header} {shown!r} is not supported; {', '.join(MEDIA_TYPES[:-1])}"
            f" and {MEDIA_TYPES[-1]} are"
        )
        self.header = header


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversion:
    """
    From a request's body to rows, and from results to the body of its answer.

    Attributes:
        source: The request's format.
        charset: What Content-Type says about its text, in lower case; empty for nothing.
        target: The answer's format.
        content_type: What the answer's Content-Type is.
        is_json: Whether the answer is plain JSON, so that one result is its own body.
    """

    source: Format
    charset: str
    target: Format
    content_type: str
    is_json: bool


class Codecs:
    """
    The formats of one model.

    Args:
        model: Whose rows and results are read and written.
        default_accept: What goes for an Accept that says nothing, or ``*/*``; empty for the
            request's own format, else one of ``MEDIA_TYPES``.

    Attributes:
        usual: JSON to JSON, what goes for a request that says nothing.
    """

    def __init__(self, model: LoadedModel, default_accept: str = "") -> None:
        self._model = model
        self._formats: dict[str, Format] = {}
        self._default_accept = default_accept
        # Clients say the same few things with every request; what is hard to read is read once.
        self._known: dict[tuple[str, str], Conversion] = {}
        self.usual = self.choose("", "")

    def choose(self, content_type: str, accept: str) -> Conversion:
        """
        Return how to read a request and write its answer.

        Args:
            content_type: The header's value; empty counts as JSON.
            accept: The header's value; empty counts as ``*/*``.

        Raises:
            MediaTypeError: If either asks for what there is not.
        """
        known = self._known.get((content_type, accept))
        if known is not None:
            return known
        source, parameters = _media_type(content_type)
        source = source or _JSON
        if source not in _FORMATS:
            raise MediaTypeError("content-type", content_type)
        if self._default_accept and accept.strip() in {"", "*/*"}:
            accept = self._default_accept
        target = _negotiated(accept, source)
        conversion = Conversion(
            source=self._format(source),
            charset=parameters.get("charset", ""),
            target=self._format(target),
            content_type=target,
            is_json=target == _JSON,
        )
        if len(self._known) < _MAX_REMEMBERED:
            self._known[content_type, accept] = conversion
        return conversion

    def _format(self, name: str) -> Format:
        """Return a format, made when it is first asked for: a start waits for none but JSON."""
        if name not in self._formats:
            self._formats[name] = _FORMATS[name](self._model)
        return self._formats[name]


def _media_type(value: str) -> tuple[str, dict[str, str]]:
    name, *parameters = value.split(";")
    pairs = (parameter.partition("=") for parameter in parameters)
    return name.strip().lower(), {
        key.strip().lower(): text.strip().strip('"').lower() for key, _, text in pairs
    }


def _negotiated(accept: str, source: str) -> str:
    """Return the media type that an Accept header prefers; a draw goes to the request's own."""
    best, best_quality = "", 0.0
    for part in accept.split(","):
        wanted, parameters = _media_type(part)
        offered = _offered(wanted or "*/*", source)
        quality = _quality(parameters.get("q", "1"))
        if offered and (quality > best_quality or (quality == best_quality and offered == source)):
            best, best_quality = offered, quality
    if not best or best_quality == 0.0:
        raise MediaTypeError("accept", accept)
    return best


def _offered(wanted: str, source: str) -> str:
    kind, _, subtype = wanted.partition("/")
    if wanted == "*/*" or (subtype == "*" and source.startswith(f"{kind}/")):
        return source
    if subtype == "*":
        return next((name for name in MEDIA_TYPES if name.startswith(f"{kind}/")), "")
    return wanted if wanted in _FORMATS else ""


def _quality(text: str) -> float:
    try:
        quality = float(text)
    except ValueError:
        return 1.0
    return quality if 0.0 <= quality <= 1.0 else 1.0
