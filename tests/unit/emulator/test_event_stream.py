"""
A response stream's frames, read by botocore's own parser.
"""

from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from tonnage.emulator._event_stream import event, stream_headers


def parsed(stream: bytes) -> list[tuple[dict[str, object], bytes]]:
    buffer = EventStreamBuffer()
    buffer.add_data(stream)
    return [(message.headers, message.payload) for message in buffer]


@given(st.binary(min_size=1, max_size=2000))
def test_botocore_reads_what_was_written(body: bytes):
    ((headers, payload),) = parsed(event(body))
    assert payload == body
    assert headers == {
        ":message-type": "event",
        ":event-type": "PayloadPart",
        ":content-type": "application/octet-stream",
    }


def test_a_large_body_comes_in_parts():
    body = bytes(range(256)) * 4096 * 2 + b"end"
    parts = parsed(event(body))
    assert len(parts) == 3
    assert b"".join(payload for _, payload in parts) == body


def test_an_empty_body_is_no_event():
    assert event(b"") == b""


def test_the_type_of_the_payload_travels_in_a_header_of_its_own():
    assert stream_headers("text/csv") == (("X-Amzn-SageMaker-Content-Type", "text/csv"),)
    assert stream_headers(None) == ()
