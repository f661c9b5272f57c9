"""
One JSON line a request.
"""

import asyncio
import json
import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from tonnage.http import Request

__all__ = ["RequestLog", "write_to_stdout"]

logger = logging.getLogger(__name__)

_ATOMIC_BYTES: Final = 4096
"""Linux's PIPE_BUF: a write of no more does not mix with those of other workers."""
_MAX_PATH: Final = 200


class RequestLog:
    """
    Notes requests and writes their lines at the end of the loop's turn.

    Bodies and custom attributes are not noted: they are the callers' own.

    Args:
        write: Takes whole lines; standard output by default.
    """

    def __init__(self, write: Callable[[bytes], None] | None = None) -> None:
        self._write = write or write_to_stdout
        self._lines: list[bytes] = []

    def note(
        self, request: Request, request_id: str, status: int, *, rows: int, seconds: float
    ) -> None:
        """
        Note one answered request.

        Args:
            request: What was asked.
            request_id: Whose line it is.
            status: What it was answered.
            rows: How many rows it brought, 0 if they were not read.
            seconds: From its last byte read to its answer.
        """
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "event": "request",
            "request_id": request_id,
            "method": request.method,
            "path": request.path[:_MAX_PATH],
            "status": status,
            "rows": rows,
            "body_bytes": len(request.body),
            "milliseconds": round(seconds * 1e3, 3),
            "process_id": os.getpid(),
        }
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._flush)
        self._lines.append(json.dumps(line, separators=(",", ":")).encode() + b"\n")

    def _flush(self) -> None:
        lines, self._lines = self._lines, []
        try:
            chunk = b""
            for line in lines:
                if len(chunk) + len(line) > _ATOMIC_BYTES:
                    self._write(chunk)
                    chunk = b""
                chunk += line
            self._write(chunk)
        except OSError:
            logger.warning("%d lines of the request log could not be written", len(lines))


def write_to_stdout(lines: bytes) -> None:
    """Write lines to the process's standard output, past Python's own buffer."""
    os.write(1, lines)
