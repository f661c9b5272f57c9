import pytest

from tonnage.http import Request, Response
from tonnage.http._encoding import encode_request, encode_response


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/evaluate", "/evaluate", ""),
        ("/a%20b?x=1&y=?", "/a%20b", "x=1&y=?"),
        ("http://host:80/a/b?c", "/a/b", "c"),
        ("http://host", "/", ""),
        ("/a?u=http://b/c", "/a", "u=http://b/c"),
        ("*", "*", ""),
    ],
)
def test_a_target_splits_into_path_and_query(target: str, path: str, query: str):
    request = Request(method="GET", target=target, headers={}, body=b"")
    assert (request.path, request.query) == (path, query)


@pytest.mark.parametrize(
    "response",
    [
        Response(status=101),
        Response(status=1000),
        Response(status=200, content_type="text/plain\r\nX: 1"),
        Response(status=200, headers=(("X", "1\r\nY: 2"),)),
        Response(status=200, headers=(("X Y", "1"),)),
        Response(status=200, headers=(("X", "\u20ac"),)),
        Response(status=200, headers=(("content-length", "1"),)),
        Response(status=200, headers=(("Connection", "close"),)),
    ],
)
def test_a_response_that_would_break_its_frame_is_refused(response: Response):
    with pytest.raises(ValueError, match=r"is not an? |frames the message"):
        encode_response(response, is_head=False)


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_body_has_neither_body_nor_length(status: int):
    head, body = encode_response(Response(status=status, body=b"x"), is_head=False)
    assert (b"Content-Length" in head, body) == (False, b"")


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GE T", "/", {}),
        ("GET", "/a b", {}),
        ("GET", "/\r\nX: 1", {}),
        ("GET", "", {}),
        ("GET", "/\u00e4", {}),
        ("GET", "/", {"X": "1\n"}),
        ("GET", "/", {"Transfer-Encoding": "chunked"}),
        ("POST", "/", {"CONTENT-LENGTH": "3"}),
    ],
)
def test_a_request_that_would_break_its_frame_is_refused(
    method: str, target: str, headers: dict[str, str]
):
    with pytest.raises(ValueError, match=r"is not an? |frames the message"):
        encode_request(method, target, host="h", headers=headers, body=b"")


def test_a_host_of_the_callers_replaces_the_default():
    message = encode_request("GET", "/", host="a:1", headers={"HOST": "b"}, body=b"")
    assert message == b"GET / HTTP/1.1\r\nHOST: b\r\n\r\n"
