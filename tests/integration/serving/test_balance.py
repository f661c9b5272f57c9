"""
Two workers have about as many connections each, however these came to be.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families

from support import ask, children_of, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from support import Serve

COUNT = 64
JSON = {"Content-Type": "application/json"}


def connections_of(url: str) -> list[float]:
    """Return how many connections each worker has; one of them is for this question."""
    text = ask(f"{url}/metrics").body.decode()
    return [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "tonnage_connections"
    ]


def are_even(url: str, count: int, within: int = 5) -> bool:
    counts = connections_of(url)
    return sum(counts) == count + 1 and max(counts) - min(counts) <= within


def asked(clients: Sequence[HTTPConnection]) -> int:
    """Ask once on each connection, opened again where it was closed; return how many failed."""
    failed = 0
    for client in clients:
        try:
            client.request("POST", "/invocations", b'{"distance": 150}', JSON)
            response = client.getresponse()
            assert (response.status, response.read()) == (200, b'{"cost":50.3}')
        except (ConnectionError, HTTPException):
            client.close()
            failed += 1
    return failed


@contextlib.contextmanager
def regulars(url: str, count: int = COUNT) -> Iterator[list[HTTPConnection]]:
    clients = [HTTPConnection(urlsplit(url).netloc, timeout=20) for _ in range(count)]
    try:
        yield clients
    finally:
        for client in clients:
            client.close()


def test_connections_that_are_opened_at_once_are_shared_out(serve: Serve):
    with serve(workers=2) as (_, url), contextlib.ExitStack() as stack:
        address = urlsplit(url)
        for _ in range(COUNT):
            opening = stack.enter_context(socket.socket())
            opening.setblocking(False)
            opening.connect_ex((address.hostname, address.port))
        until(lambda: are_even(url, COUNT), "both workers to have half of them")


def test_connections_that_are_opened_one_by_one_are_shared_out(serve: Serve):
    with serve(workers=2) as (_, url), regulars(url, 10) as clients:
        for number, client in enumerate(clients, 1):
            assert asked([client]) == 0
            until(lambda: are_even(url, number, within=2), "each to have half of them")  # noqa: B023


def test_a_replaced_worker_gets_its_share_of_those_who_stay(serve: Serve):
    """kill -9 costs the connections it had, and nobody else an answer, then or later."""
    with serve(workers=2) as (command, url), regulars(url) as clients:
        assert asked(clients) == 0
        until(lambda: are_even(url, COUNT), "both workers to have half of them")
        first, _ = children_of(command.pid)
        os.kill(first, signal.SIGKILL)
        failed = asked(clients)
        assert 1 <= failed <= COUNT // 2 + 5
        failed_later: list[int] = []

        def all_are_well() -> bool:
            failed_later.append(asked(clients))
            return len(children_of(command.pid)) == 2 and are_even(url, COUNT)

        until(all_are_well, "the new worker to have half of them")
        assert sum(failed_later) == 0


def test_a_worker_that_stands_still_keeps_no_new_client_waiting(serve: Serve):
    with serve(workers=2) as (command, url):
        stopped, _ = children_of(command.pid)
        os.kill(stopped, signal.SIGSTOP)
        try:
            with regulars(url) as clients:
                assert asked(clients) == 0
        finally:
            os.kill(stopped, signal.SIGCONT)
