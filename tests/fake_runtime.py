"""
SageMaker's runtime as it fails: a server on loopback that answers with the error it was told.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class FailingRuntime:
    """
    What it answers with, and what it was asked.

    Attributes:
        shape: The error's name.
        status: Its status.
        members: Its members.
        asked: The path and the body of each request.
    """

    url: str = ""
    shape: str = "InternalFailure"
    status: int = 500
    members: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, bytes]] = field(default_factory=list)

    def fail(self, shape: str, status: int, **members: object) -> None:
        self.shape, self.status, self.members = shape, status, {"Message": "m", **members}
        self.asked.clear()


@contextmanager
def failing_runtime() -> Iterator[FailingRuntime]:
    runtime = FailingRuntime()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            runtime.asked.append((self.path, body))
            answer = json.dumps(runtime.members).encode()
            self.send_response(runtime.status)
            self.send_header("x-amzn-errortype", runtime.shape)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    runtime.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield runtime
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
