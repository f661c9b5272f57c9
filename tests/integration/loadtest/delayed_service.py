"""A service that answers each request after a delay: ``delayed_service.py PORT DELAY``."""

import asyncio
import sys
from typing import cast

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Delayed(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        answers = ANSWER * data.count(b"POST ")
        asyncio.get_running_loop().call_later(float(sys.argv[2]), self.transport.write, answers)


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Delayed, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


asyncio.run(main())
