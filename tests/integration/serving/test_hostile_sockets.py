"""
A thousand sockets that dribble, and a few honest clients among them.
"""

import contextlib
import os
import resource
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from support import Clients, Serve, ask, children_of, until

ROW = {"distance": 150}
DRIBBLERS = 1000
ROUNDS = 5
SLOW_HEAD = b"POST /invocations HTTP/1.1\r\nHost: a\r\nX-Slow: " + b"x" * 100
SLOW_BODY = (
    b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    b"Content-Length: 1000\r\n\r\n"
)
UNREAD = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 32
"""More than 150 kB of answers, which its client leaves where they are."""


@pytest.fixture(autouse=True)
def many_files() -> Iterator[None]:
    """Let this process, and the servers it starts, have a socket for each."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * DRIBBLERS
    if soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            pytest.skip(f"this shell allows {hard} open files, and {wanted} are needed")
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Dribbler:
    """A client of one of three bad kinds."""

    def __init__(self, address: tuple[str, int], number: int) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(20)
        self.socket.connect(address)
        self.socket.setblocking(False)
        self._kind = number % 3
        self._sent = 0

    def dribble(self) -> None:
        """Send a byte more of a head or a body, or a pipeline more of requests."""
        message = (SLOW_HEAD, SLOW_BODY, UNREAD)[self._kind]
        with contextlib.suppress(BlockingIOError, ConnectionError):
            if self._kind == 2 or (self._kind == 1 and self._sent == 0):
                self.socket.send(message)
            elif self._kind == 1:
                self.socket.send(b"{")
            else:
                self.socket.send(message[self._sent : self._sent + 1])
        self._sent += 1


def resident_bytes(process_id: int) -> int:
    pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_a_thousand_dribbling_sockets_leave_good_clients_undisturbed(serve: Serve):
    with serve() as (command, url), contextlib.ExitStack() as sockets:
        (worker,) = children_of(command.pid)
        clients = Clients(f"{url}/invocations", ROW, count=4)
        address = (str(urlsplit(url).hostname), int(urlsplit(url).port or 0))
        with clients.running():
            clients.until_answered(50)
            before = resident_bytes(worker)
            dribblers = [Dribbler(address, number) for number in range(DRIBBLERS)]
            for dribbler in dribblers:
                sockets.callback(dribbler.socket.close)
            for _ in range(ROUNDS):
                for dribbler in dribblers:
                    dribbler.dribble()
                clients.until_answered(50)
                assert ask(f"{url}/ping").status == 200
            grown = resident_bytes(worker) - before
        assert set(clients.statuses) == {200}
        assert all(answer == {"cost": 50.3} for _, answer in clients.answers)
        assert (clients.lost, clients.turned_away) == ([], [])
        # What each leaves behind is what it sent and a few unread answers: 8 kB when it was seen.
        assert grown < DRIBBLERS * 50_000
    assert command.exit_code() == 0


def test_clients_that_leave_at_every_moment_of_a_request_do_no_harm(serve: Serve):
    """One closes, the next resets, at each byte of a request and behind it."""
    request = SLOW_BODY.replace(b"1000", b"17") + b'{"distance": 150}'
    with serve() as (command, url):
        address = (str(urlsplit(url).hostname), int(urlsplit(url).port or 0))
        clients = Clients(f"{url}/invocations", ROW, count=2)
        with clients.running():
            for cut in range(len(request) + 1):
                with socket.create_connection(address, 20) as stream:
                    if cut % 2:
                        linger = struct.pack("ii", 1, 0)
                        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    stream.sendall(request[:cut])
            clients.until_answered(50)
        assert set(clients.statuses) == {200}
        assert (clients.lost, clients.turned_away) == ([], [])
        (worker,) = children_of(command.pid)
        until(lambda: open_sockets(worker) <= 2, "the sockets of those who left to be closed")


def open_sockets(process_id: int) -> int:
    """Count a process's TCP connections: its descriptors that the kernel lists as connected."""
    inodes = set()
    for descriptor in Path(f"/proc/{process_id}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            inodes.add(str(descriptor.readlink()))
    table = Path(f"/proc/{process_id}/net/tcp").read_text().splitlines()[1:]
    listening = "0A"
    return sum(
        f"socket:[{fields[9]}]" in inodes and fields[3] != listening
        for fields in map(str.split, table)
    )
