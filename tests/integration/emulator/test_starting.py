"""
What the port says before its endpoint is in service.
"""

from __future__ import annotations

import asyncio
import json

from tonnage.emulator._local import LocalSageMaker
from tonnage.emulator._port import Port
from tonnage.emulator.options import LocalOptions
from tonnage.http import Client, ClientResponse, Server


async def asked_of_a_port_without_a_front(path: str) -> ClientResponse:
    port = Port(LocalSageMaker(LocalOptions()))
    server = await Server.start(port.handle, host="127.0.0.1", port=0)
    client = Client("127.0.0.1", server.port)
    try:
        return await client.request("POST", path, body=b"{}", headers={}, timeout_seconds=10.0)
    finally:
        await client.close()
        await server.drain(timeout_seconds=1.0)


def test_a_route_that_is_still_to_come_is_not_called_missing():
    answer = asyncio.run(asked_of_a_port_without_a_front("/evaluate"))
    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"
    assert json.loads(answer.body)["error"]["code"] == "starting"


def test_an_endpoint_that_is_still_to_come_does_not_exist_yet():
    answer = asyncio.run(asked_of_a_port_without_a_front("/endpoints/real-estate/invocations"))
    assert answer.status == 400
    assert answer.headers["x-amzn-errortype"] == "ValidationError"
