"""
A service that computes for each request: ``computing_service.py PORT SECONDS PROCESSES``.

Each process takes one connection after another from the one listening socket, so that they work as
one queue with so many servers.
"""

import os
import socket
import sys
import time

ANSWER = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"


def answer(connection: socket.socket, seconds: float) -> None:
    connection.settimeout(0.05)  # a connection that was only opened must not hold a process
    if b"POST " in connection.recv(65536):
        until = time.process_time() + seconds
        while time.process_time() < until:
            pass
        connection.sendall(ANSWER)


def serve(listener: socket.socket, seconds: float) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            try:
                answer(connection, seconds)
            except OSError:
                continue


def main() -> None:
    port, seconds, processes = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    with socket.create_server(("127.0.0.1", port), backlog=1024) as listener:
        for _ in range(processes - 1):
            if os.fork() == 0:
                break
        serve(listener, seconds)


main()
