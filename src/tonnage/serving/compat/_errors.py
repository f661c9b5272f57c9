"""
How a handler says which status its caller gets.

The class names and arguments are those of sagemaker-inference-toolkit, because handlers in use
raise them; the stand-in for that package hands out these very classes.
"""

from http import HTTPStatus
from typing import Final

from tonnage.domain import InvalidPayloadError, error_body
from tonnage.http import Response

__all__ = [
    "BaseInferenceToolkitError",
    "GenericInferenceToolkitError",
    "InvocationError",
    "UnsupportedFormatError",
    "is_unsupported_format",
    "refusal",
    "unsupported",
]

_STATUSES: Final = range(400, 600)
_HOMES: Final = ("sagemaker_inference", "tonnage.serving.compat")
_CODES: Final = {
    HTTPStatus.BAD_REQUEST: "invalid_payload",
    HTTPStatus.NOT_ACCEPTABLE: "not_acceptable",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "unsupported_media_type",
    HTTPStatus.INTERNAL_SERVER_ERROR: "model_error",
}


class InvocationError(Exception):
    """
    Raised by a handler: answer this request with this status.

    Args:
        status: 400 to 599.
        message: What the caller is told.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class UnsupportedFormatError(Exception):
    """A handler does not read, or does not write, this content type."""

    def __init__(self, content_type: str) -> None:
        super().__init__(f"content type {content_type} is not supported")
        self.content_type = content_type


class BaseInferenceToolkitError(Exception):
    """
    The toolkit's error with a status.

    Args:
        status_code: The HTTP status.
        message: What the caller is told.
        phrase: The status line's reason, which is not sent here.
    """

    def __init__(self, status_code: int, message: str, phrase: str) -> None:
        super().__init__(status_code, message, phrase)
        self.status_code = status_code
        self.message = message
        self.phrase = phrase


class GenericInferenceToolkitError(BaseInferenceToolkitError):
    """The one that handlers raise; message and phrase may be left out."""

    def __init__(
        self, status_code: int, message: str | None = None, phrase: str | None = None
    ) -> None:
        message = message or "Invalid Request"
        super().__init__(status_code, message, phrase or message)


def is_unsupported_format(error: BaseException) -> bool:
    """Say whether an error is the toolkit's, or the stand-in's, ``UnsupportedFormatError``."""
    return _descends_from(error, "UnsupportedFormatError")


def unsupported(
    error: BaseException, content_type: str | None, accept: str, status: HTTPStatus | None = None
) -> InvocationError:
    """
    Return the answer to an ``UnsupportedFormatError``.

    Args:
        error: The error, which names a type.
        content_type: What the caller sent.
        accept: What the caller wants.
        status: 415 or 406; None goes by which of the two types the error names.
    """
    if status is None:
        names_accept = accept in str(error) and (content_type or "") not in str(error)
        status = HTTPStatus.NOT_ACCEPTABLE if names_accept else HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    is_accept = status is HTTPStatus.NOT_ACCEPTABLE
    header, value = ("accept", accept) if is_accept else ("content-type", content_type)
    return InvocationError(status, f"{header} {value!r} is not supported by this model's handler")


def refusal(error: BaseException) -> Response | None:
    """
    Return the answer that a handler's error asks for; None when it asks for none.

    An error outside 400 to 599 asks for none: success is returned, not raised.
    """
    if isinstance(error, InvocationError):
        return _response(error.status, error.message)
    if isinstance(error, InvalidPayloadError):
        body = error_body("invalid_payload", error.message, error.faults)
        return Response(status=HTTPStatus.BAD_REQUEST, body=body)
    if _descends_from(error, "BaseInferenceToolkitError"):
        return _response(getattr(error, "status_code", None), getattr(error, "message", error))
    return None


def _response(status: object, message: object) -> Response | None:
    try:
        code = int(status)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        return None
    if code not in _STATUSES:
        return None
    return Response(status=code, body=error_body(_code(code), str(message)))


def _code(status: int) -> str:
    try:
        known = HTTPStatus(status)
    except ValueError:
        return "handler_error"
    return _CODES.get(known, known.phrase.lower().replace(" ", "_").replace("-", "_"))


def _descends_from(error: BaseException, name: str) -> bool:
    # By name, because the real package may be installed, and importing it only to ask would
    # import its environment with it.
    return any(
        kind.__name__ == name and kind.__module__.startswith(_HOMES) for kind in type(error).__mro__
    )
