"""
A service that answers each request after so many milliseconds: timed_target.py PORT MILLISECONDS
"""

import asyncio
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Timed(asyncio.Protocol):
    """Counts requests by their method, which no body of the benchmark holds."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to answer."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request in its time."""
        answers = ANSWER * data.count(b"POST ")
        later = float(sys.argv[2]) / 1000
        asyncio.get_running_loop().call_later(later, self.transport.write, answers)


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Timed, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
