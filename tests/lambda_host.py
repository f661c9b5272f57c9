"""
A stand-in for API Gateway and Lambda's runtime: HTTP in, payload format 2.0 to the handler, back.

Run with the package's directory and what Lambda's Python brings as its only places to import from.
"""

import base64
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

package, given = sys.argv[1:]
sys.path[:0] = [package, given]

from tonnage_front.handler import handle  # type: ignore[import-not-found]  # noqa: E402


class Gateway(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        event: dict[str, Any] = {
            "version": "2.0",
            "rawPath": self.path.partition("?")[0],
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "requestContext": {"http": {"method": self.command}},
            "isBase64Encoded": True,
            "body": base64.b64encode(body).decode(),
        }
        given = handle(event, None)
        sent = given["body"].encode()
        self.send_response(given["statusCode"])
        for name, value in given["headers"].items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else sent)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
numpy = "numpy" if "numpy.linalg" in sys.modules else "numpy is a stand-in"
sys.stderr.write(f"{numpy}\non http://127.0.0.1:{server.server_port}\n")
sys.stderr.flush()
server.serve_forever()
