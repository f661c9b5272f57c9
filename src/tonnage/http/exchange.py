"""
One request and the duty to answer it once.
"""

from collections.abc import Callable
from typing import Protocol

from ._encoding import EncodedResponse, encode_ok, encode_response
from .messages import Request, Response

__all__ = ["Exchange", "Handler"]


class _Client(Protocol):
    @property
    def has_left(self) -> bool: ...

    def send_answers(self) -> None: ...


class Exchange:
    """
    One request and the duty to answer it once, at once or later, from the loop's thread.

    Attributes:
        request: What was asked.
        answer: What will be written, None until it is answered; the server's own.
    """

    __slots__ = ("_client", "answer", "request")

    def __init__(self, request: Request, client: _Client) -> None:
        self.request = request
        self.answer: EncodedResponse | None = None
        self._client = client

    @property
    def is_closed(self) -> bool:
        """
        Whether the client has gone, or at least will send no more.

        The two look alike from here, so the duty to answer stays: a client that closed its sending
        side only still reads its answers.
        """
        return self._client.has_left

    def respond(self, response: Response) -> None:
        """
        Answer the request; answers leave in the order of the requests.

        A vanished client is ignored.

        Raises:
            RuntimeError: If it was answered before.
            ValueError: If the response cannot be written as HTTP; it is not answered then.
        """
        if self.answer is not None:
            raise RuntimeError(f"{self.request.method} {self.request.target} was answered before")
        self.answer = encode_response(response, is_head=self.request.method == "HEAD")
        self._client.send_answers()

    def respond_ok(self, body: bytes, content_type: str) -> None:
        """
        Answer a request that is no HEAD with a 200, a body and nothing else.

        It is ``respond`` for half the price, for those who answer by the ten thousand.

        Raises:
            RuntimeError: If it was answered before.
        """
        if self.answer is not None:
            raise RuntimeError(f"{self.request.method} {self.request.target} was answered before")
        self.answer = encode_ok(body, content_type)
        self._client.send_answers()


Handler = Callable[[Exchange], None]
"""Takes each request as it arrives; it may answer now, or keep the exchange and answer later."""
