"""A small real HTTP server that keeps what it was sent."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Listener:
    """What the server was sent, and how it answers."""

    url: str = ""
    requests: list[tuple[str, str | None, object]] = field(default_factory=list)
    fails_every: int = 0
    hangs: threading.Event | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def status_of(self, path: str, content_type: str | None, body: object) -> int:
        with self.lock:
            self.requests.append((path, content_type, body))
            turn = len(self.requests)
        return 503 if self.fails_every and turn % self.fails_every == 0 else 200


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512
    listener: Listener

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients break off at the end of a test; that is no news."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(body)

    def do_GET(self) -> None:
        self._answer(None)

    def _answer(self, body: object) -> None:
        listener = self.server.listener
        status = listener.status_of(self.path, self.headers["Content-Type"], body)
        if listener.hangs is not None:
            listener.hangs.wait(30)
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Say nothing."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    server = Server(("127.0.0.1", 0), Handler)
    server.listener = Listener(url=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.listener
    finally:
        if server.listener.hangs is not None:
            server.listener.hangs.set()
        server.shutdown()
        thread.join()
        server.server_close()
