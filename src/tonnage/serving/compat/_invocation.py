"""
One invocation: an HTTP request → the handler's arguments, its result → an HTTP response.
"""

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from tonnage.domain import InvalidPayloadError, error_body
from tonnage.http import Request, Response

from ._context import Context
from ._errors import is_unsupported_format, refusal, unsupported
from ._formats import ANY, CSV, JSON, NPY, UTF8_TYPES, to_json

__all__ = ["Invoke", "accept_of", "content_type_of", "respond", "text_if_text"]

logger = logging.getLogger(__name__)

Invoke = Callable[[bytes, str | None, str, Context], Any]
"""Body, content type, accept, context → the handler's result."""

_KNOWN: Final = (JSON, CSV, NPY)
_SERVERS_OWN: Final = frozenset(
    {"content-length", "transfer-encoding", "connection", "content-type", "x-request-id"}
)
_TRACE: Final = "Traceback (most recent call last)"
_FAILED: Final = Response(
    status=HTTPStatus.INTERNAL_SERVER_ERROR,
    body=error_body("model_error", "the model's handler failed; the log has the trace"),
)


def respond(
    invoke: Invoke,
    request: Request,
    *,
    model_dir: Path,
    default_accept: str = JSON,
    request_id: str = "",
) -> Response:
    """
    Answer one request through the user's functions, whatever they do.

    What they raise with a status of its own becomes that status; anything else is a 500 whose
    trace is in the log and not in the body.
    """
    headers, named = request.headers, {"request_id": request_id}
    accept = accept_of(headers.get("accept"), default_accept)
    context = Context(model_dir, headers)
    try:
        content_type = content_type_of(headers.get("content-type"))
        result = invoke(request.body, content_type, accept, context)
        if context.handled is not None and is_unsupported_format(context.handled):
            raise unsupported(context.handled, content_type, accept)  # noqa: TRY301 (answered below)
        return _response(result, accept, context)
    except Exception as error:
        refused = refusal(error)
        if refused is not None and refused.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            logger.info("refused with %d: %s", refused.status, error, extra=named)
        else:
            logger.exception("the handler failed", extra=named)
        return refused or _FAILED


def content_type_of(header: str | None) -> str | None:
    """
    Return the content type as handlers compare it: text types without ``; charset=utf-8``.

    None is taken for JSON.

    Raises:
        InvalidPayloadError: If it is text in another encoding.
    """
    if header is None or not header.strip():
        return JSON
    media_type, _, parameters = header.partition(";")
    media_type = media_type.strip().lower()
    if media_type not in UTF8_TYPES:
        return header
    name, _, charset = parameters.partition("=")
    if name.strip().lower() == "charset" and charset.strip(' "').lower() not in {"utf-8", "utf8"}:
        raise InvalidPayloadError(f"content-type {header!r}: text is read as UTF-8 only")
    return media_type


def accept_of(header: str | None, default: str) -> str:
    """
    Return the one type that the handler is to write.

    Of several, the caller's favourite among JSON, CSV and NPY; handlers compare for equality.
    """
    wanted = sorted(
        filter(None, map(_preference, (header or "").split(","))), key=lambda one: one[0]
    )
    types = [media_type for _, media_type in wanted]
    if not types:
        return default
    known = next((media_type for media_type in types if media_type in _KNOWN), None)
    if known is not None:
        return known
    return default if ANY in types else types[0]


def _preference(part: str) -> tuple[float, str] | None:
    """Return (-q, type) of one element of an Accept header; None if it is empty or refused."""
    media_type, *parameters = (piece.strip() for piece in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
    return (-quality, media_type.lower()) if media_type and quality > 0 else None


def text_if_text(body: bytes, content_type: str | None) -> str | bytes:
    """
    Return a text type's body as text, which is how the toolkit hands it over.

    Raises:
        InvalidPayloadError: If it is no UTF-8.
    """
    if content_type not in UTF8_TYPES:
        return body
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise InvalidPayloadError(f"the body is no UTF-8: {error}") from error


def _response(result: Any, accept: str, context: Context) -> Response:  # noqa: ANN401 (the user's)
    content_type = context.get_response_content_type() or accept
    status = HTTPStatus.OK.value
    if isinstance(result, tuple) and len(result) == 2:  # noqa: PLR2004 (body and its type)
        result, content_type = result
    elif callable(getattr(result, "get_data", None)):  # a response of Flask's, as some return
        status, content_type = result.status_code, result.content_type
        result = result.get_data()
    status = context.status or status
    if status >= HTTPStatus.BAD_REQUEST:
        return _set_by_handler(status, _bytes_of(result).decode(errors="replace"))
    return _checked(
        Response(
            status=status,
            body=_bytes_of(result),
            content_type=str(content_type or accept),
            headers=_own_headers(context.response_headers),
        )
    )


def _bytes_of(result: object) -> bytes:
    if isinstance(result, bytes):
        return result
    if isinstance(result, bytearray | memoryview):
        return bytes(result)
    return (result if isinstance(result, str) else to_json(result)).encode()


def _set_by_handler(status: int, said: str) -> Response:
    # The toolkit's own transformer puts its trace into the body; the log is the place for it.
    message, _, trace = said.partition(_TRACE)
    if trace:
        logger.error("the handler failed: %s%s%s", message, _TRACE, trace)
    message = message.strip()
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and trace:
        return _FAILED
    return Response(status=status, body=error_body("handler_error", message or "refused"))


def _own_headers(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in headers.items() if name not in _SERVERS_OWN)


def _checked(response: Response) -> Response:
    """Return the response if it can be written as HTTP: what cannot is the handler's fault."""
    text = "".join(
        [response.content_type or "", *(part for pair in response.headers for part in pair)]
    )
    if not text.isprintable() or not text.isascii():
        raise ValueError(f"content type or headers cannot be written as HTTP: {text!r}")
    if not HTTPStatus.OK <= response.status < HTTPStatus.BAD_REQUEST:
        raise ValueError(f"{response.status} is no final HTTP status")
    return response
