"""
The ``context`` that a handler may ask for: one request's headers, and what to answer with.

Names and arguments are those of Multi Model Server's context, for one request a call.
"""

import sys
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Final

__all__ = ["Context"]


class _Headers(dict[str, str]):
    """Headers by name in any case; the keys are in lower case."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name.lower() if isinstance(name, str) else name)

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        return super().get(name.lower(), default)


class _RequestProcessor:
    """One request's headers, as older handlers ask for them."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = _Headers(headers)

    def get_request_properties(self) -> dict[str, str]:
        """Return all headers."""
        return self._headers

    def get_request_property(self, key: str) -> str | None:
        """Return one header."""
        return self._headers.get(key)


class Context:
    """
    What a handler knows of its worker and its request.

    Args:
        model_dir: Where the model's files are.
        headers: The request's headers; none while the model is loaded.

    Attributes:
        model_name: Always ``model``: an instance has one.
        manifest: Empty; it is a model archive's on Multi Model Server.
        system_properties: ``model_dir`` and what goes with it.
        request_processor: The request's headers, as a list of one.
        status: What the handler set to answer with; None if it did not.
        handled: The exception that was being handled when a status of 400 or more was set.
        response_headers: What the handler set, by lower-case name.
    """

    def __init__(self, model_dir: Path, headers: Mapping[str, str] | None = None) -> None:
        self.model_name: Final = "model"
        self.manifest: Final[dict[str, object]] = {}
        self.system_properties: Final[dict[str, object]] = {
            "model_dir": str(model_dir),
            "gpu_id": None,
            "batch_size": 1,
            "server_name": "tonnage",
        }
        self.request_processor: Final = [_RequestProcessor(headers or {})]
        self.status: int | None = None
        self.handled: BaseException | None = None
        self.response_headers: Final[dict[str, str]] = {}

    def get_all_request_header(self, idx: int = 0) -> dict[str, str]:
        """Return the request's headers."""
        return self.request_processor[idx].get_request_properties()

    def get_request_header(self, idx: int, key: str) -> str | None:
        """Return one header of the request."""
        return self.request_processor[idx].get_request_property(key)

    def set_response_status(self, code: int = 200, phrase: str = "", idx: int = 0) -> None:  # noqa: ARG002 (handlers name them)
        """Set the status to answer with; its phrase is not sent."""
        self.status = int(code)
        # The toolkit's own transformer tells all but a few exceptions as 500: this keeps which.
        self.handled = sys.exc_info()[1] if self.status >= HTTPStatus.BAD_REQUEST else None

    def set_all_response_status(self, code: int = 200, phrase: str = "") -> None:
        """Set the status to answer with."""
        self.set_response_status(code, phrase)

    def set_response_content_type(self, idx: int, value: str) -> None:
        """Set the answer's content type."""
        self.set_response_header(idx, "Content-Type", value)

    def get_response_content_type(self, idx: int = 0) -> str | None:
        """Return the answer's content type, None if it was not set."""
        return self.get_response_headers(idx).get("content-type")

    def set_response_header(self, idx: int, key: str, value: str) -> None:  # noqa: ARG002 (handlers name it)
        """Set a header of the answer, such as ``X-Amzn-SageMaker-Custom-Attributes``."""
        self.response_headers[key.lower()] = str(value)

    def get_response_headers(self, idx: int = 0) -> dict[str, str]:  # noqa: ARG002 (handlers name it)
        """Return what was set."""
        return self.response_headers
