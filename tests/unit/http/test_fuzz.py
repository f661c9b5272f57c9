"""
The reader against h11, and the server against bytes that are almost HTTP.
"""

import asyncio
from collections.abc import Iterator

import h11
import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tonnage.http import Exchange, Limits, Request, Response, Server
from tonnage.http._reader import RequestReader

LIMITS = Limits(max_body_bytes=4096, max_header_bytes=4096, header_timeout_seconds=0.2)
GOOD = b"GET /good HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
TOKEN = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

methods = st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
targets = st.text("abcXYZ019%/?=&._~-:@!$'()*+,;", max_size=40).map("/".__add__)
names = st.text(TOKEN, min_size=1, max_size=12).map("X-".__add__)
values = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=30
).filter(lambda value: all(not 0x7F <= ord(character) < 0xA0 for character in value))
fields = st.tuples(names, st.sampled_from([": ", ":", ": \t"]), values, st.sampled_from(["", " "]))
bodies = st.binary(max_size=200)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """A well-formed request, its body framed one way or the other."""
    head = f"{draw(methods)} {draw(targets)} HTTP/1.1\r\nHost: a\r\n"
    head += "".join("".join(field) + "\r\n" for field in draw(st.lists(fields, max_size=5)))
    body = draw(bodies)
    framing = draw(st.sampled_from(["length", "chunked", "none"]))
    if framing == "length":
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode("latin-1") + body
    if framing == "none":
        return f"{head}\r\n".encode("latin-1")
    cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=3)))
    chunks = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    coded = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks if chunk)
    start = f"{head}Transfer-Encoding: chunked\r\n\r\n".encode("latin-1")
    return start + coded + b"0\r\n\r\n"


@st.composite
def pieces(draw: st.DrawFn) -> list[bytes]:
    """A few requests in a row, cut wherever the network liked."""
    stream = b"".join(draw(st.lists(requests(), min_size=1, max_size=3)))
    cuts = sorted(draw(st.sets(st.integers(1, len(stream) - 1), max_size=12)))
    return [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """A request with a few bytes changed, dropped or added."""
    data = bytearray(draw(requests()))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        with_what = draw(st.sampled_from([b"", b"\r\n", b"\x00", b":", b" ", b"\xff", b"0", b"\n"]))
        data[at : at + draw(st.integers(0, 3))] = with_what
    return bytes(data)


def read_with_h11(data: bytes) -> list[Request]:
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    found = []
    while isinstance(event := connection.next_event(), h11.Request):
        headers: dict[str, str] = {}
        for raw_name, raw_value in event.headers:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        body = b""
        while isinstance(part := connection.next_event(), h11.Data):
            body += bytes(part.data)
        assert isinstance(part, h11.EndOfMessage)
        found.append(
            Request(
                method=event.method.decode(),
                target=event.target.decode(),
                headers=headers,
                body=body,
            )
        )
        connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
        connection.send(h11.EndOfMessage())
        connection.start_next_cycle()
    return found


@settings(max_examples=300, deadline=None)
@given(pieces())
def test_what_h11_reads_is_read_alike_wherever_it_is_cut(stream: list[bytes]):
    reader = RequestReader(LIMITS)
    read = [request for piece in stream for request in reader.feed(piece)]
    assert reader.refusal is None
    assert read == read_with_h11(b"".join(stream))


@settings(max_examples=300, deadline=None)
@given(broken(), st.integers(1, 50))
def test_what_is_broken_is_read_alike_in_one_piece_or_many(data: bytes, size: int):
    """The verdict does not depend on how the network cut the bytes."""
    whole, cut = RequestReader(LIMITS), RequestReader(LIMITS)
    at_once = whole.feed(data)
    by_and_by = [
        request for at in range(0, len(data), size) for request in cut.feed(data[at : at + size])
    ]
    assert at_once == by_and_by
    assert whole.stage is cut.stage
    assert (whole.refusal is None) == (cut.refusal is None)
    assert whole.refusal is None or 400 <= whole.refusal.status < 500


class Fuzzed:
    """A live server on one loop, for many examples."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._run = runner.run
        self.server = runner.run(Server.start(self._answer, limits=LIMITS))
        self.faults: list[object] = []
        runner.get_loop().set_exception_handler(lambda _, fault: self.faults.append(fault))

    def _answer(self, exchange: Exchange) -> None:
        exchange.respond(Response(status=200, body=b"fine"))

    def send(self, data: bytes) -> bytes:
        return self._run(self._send(data))

    async def _send(self, data: bytes) -> bytes:
        async with asyncio.timeout(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
            writer.write(data)
            writer.write_eof()
            try:
                return await reader.read()
            finally:
                writer.close()

    def stop(self) -> None:
        self._run(self.server.drain(timeout_seconds=0))


@pytest.fixture(
    params=[asyncio.new_event_loop, uvloop.new_event_loop],
    ids=["asyncio", "uvloop"],
    scope="module",
)
def fuzzed(request: pytest.FixtureRequest) -> Iterator[Fuzzed]:
    with asyncio.Runner(loop_factory=request.param) as runner:
        fuzzed = Fuzzed(runner)
        yield fuzzed
        fuzzed.stop()


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.one_of(broken(), st.binary(max_size=100)))
def test_a_server_outlives_whatever_it_is_sent(fuzzed: Fuzzed, data: bytes):
    """It answers or closes, and a good request is answered right after."""
    answer = fuzzed.send(data)
    assert answer == b"" or answer.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 4", b"HTTP/1.1 100 "))
    assert fuzzed.send(GOOD).endswith(b"\r\n\r\nfine")
    assert fuzzed.faults == []
