"""The load generator's connection: each request ends once, and its end is told."""

from typing import Any

import pytest

from tonnage.http import CallbackConnection

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Transport:
    """Keeps what is written; closing tells the protocol at once."""

    def __init__(self, protocol: CallbackConnection) -> None:
        self.written: list[bytes] = []
        self.protocol = protocol
        self.is_open = True

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def is_closing(self) -> bool:
        return not self.is_open

    def abort(self) -> None:
        if self.is_open:
            self.is_open = False
            self.protocol.connection_lost(None)

    close = abort


class Ends:
    """What the connection told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.connection = CallbackConnection(
            lambda _c, token, status: self.told.append((token, status)),
            lambda _c, token, how: self.told.append((token, how)),
            lambda _c: self.told.append(("lost",)),
        )
        self.transport = Transport(self.connection)
        self.connection.connection_made(self.transport)  # type: ignore[arg-type]

    def after(self, *pieces: bytes, token: int = 7) -> list[tuple[Any, ...]]:
        self.connection.send(b"GET / HTTP/1.1\r\n\r\n", token)
        for piece in pieces:
            self.connection.data_received(piece)
        return self.told


def test_an_answer_is_told_with_its_last_byte_and_the_connection_serves_again():
    ends = Ends()
    assert ends.after(ANSWER[:-1]) == []
    ends.connection.data_received(ANSWER[-1:])
    assert ends.told == [(7, 200)]
    assert ends.after(ANSWER, token=8) == [(7, 200), (8, 200)]
    assert ends.connection.is_reusable


@pytest.mark.parametrize("status", [b"302 Found", b"503 Service Unavailable", b"424 F"])
def test_any_final_status_is_an_answer(status: bytes):
    answer = b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n"
    assert Ends().after(answer) == [(7, int(status[:3]))]


def test_interim_answers_are_skipped():
    assert Ends().after(b"HTTP/1.1 100 Continue\r\n\r\n", ANSWER) == [(7, 200)]


def test_a_chunked_answer_ends_with_its_last_chunk():
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert Ends().after(head, b"2\r\n{}\r\n", b"0\r\n\r\n") == [(7, 200)]


def test_204_has_no_body():
    ends = Ends()
    assert ends.after(b"HTTP/1.1 204 No Content\r\n\r\n") == [(7, 204)]
    assert ends.connection.is_reusable


def test_an_answer_may_end_with_the_connection():
    ends = Ends()
    assert ends.after(b"HTTP/1.1 200 OK\r\n\r\n", b"{}") == []
    ends.transport.abort()
    assert ends.told[0] == (7, 200)
    assert not ends.connection.is_reusable


@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"])
def test_a_connection_that_ends_before_its_answer_does_is_a_reset(before: bytes):
    ends = Ends()
    ends.after(before)
    ends.transport.abort()
    assert ends.told == [(7, "reset")]


def test_what_is_no_http_is_garbage():
    ends = Ends()
    assert ends.after(b"220 smtp.example.com ESMTP\r\n")[0] == (7, "garbage")
    assert not ends.transport.is_open


def test_a_request_on_a_closed_connection_is_a_reset_and_is_not_sent_again():
    ends = Ends()
    ends.transport.abort()
    assert ends.after(token=3) == [("lost",), (3, "reset")]
    assert ends.transport.written == []


def test_connection_close_is_heeded():
    ends = Ends()
    ends.after(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")
    assert ends.told[0] == (7, 200)
    assert not ends.connection.is_reusable
    assert not ends.transport.is_open


@pytest.mark.parametrize("extra", [ANSWER, b"rubbish"])
def test_an_answer_that_nobody_asked_for_ends_the_connection(extra: bytes):
    ends = Ends()
    ends.after(ANSWER)
    ends.connection.data_received(extra)
    assert not ends.transport.is_open
    assert ends.told == [(7, 200), ("lost",)]


def test_two_answers_to_one_request_end_the_connection():
    ends = Ends()
    assert ends.after(ANSWER + ANSWER)[0] == (7, 200)
    assert not ends.connection.is_reusable


def test_an_abandoned_request_is_told_to_nobody():
    ends = Ends()
    ends.after()
    ends.connection.abandon()
    assert ends.told == [("lost",)]
