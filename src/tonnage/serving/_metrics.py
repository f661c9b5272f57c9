"""
Counters in memory that all workers share, and ``GET /metrics`` that sums them.

The table is made before the fork and each worker writes only its own row, so that counting is an
addition without a lock and any worker can answer for all. A worker that takes a dead one's place
goes on with its row: counters never fall.
"""

import mmap
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tonnage.http import Places

__all__ = ["CONTENT_TYPE", "STATUSES", "Scoreboard", "Tally"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_ROUTES: Final = ("/invocations", "/ping", "/metrics", "other")
STATUSES: Final = (200, 400, 404, 405, 406, 408, 411, 413, 415, 431, 500, 503)
_OTHER: Final = len(STATUSES)
_SECONDS: Final = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0),
)
_ROWS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)

# One worker's row: whole 64-bit numbers, at these places.
_READY: Final = 0
_QUEUE: Final = 1
_ROWS_SUM: Final = 2
_IN_THREAD: Final = 3
_LATENCY_NS: Final = 4
_PREDICT_NS: Final = 5
_BEATS: Final = 6
_REQUESTS: Final = 7
_LATENCY: Final = _REQUESTS + len(_ROUTES) * (_OTHER + 1)
_PREDICT: Final = _LATENCY + len(_SECONDS) + 1
_BATCH: Final = _PREDICT + len(_SECONDS) + 1
_WORDS: Final = _BATCH + len(_ROWS) + 1

_PLACES: Final = {status: place for place, status in enumerate(STATUSES)}
_FIRST: Final = {route: _REQUESTS + i * (_OTHER + 1) for i, route in enumerate(_ROUTES)}
_INVOCATIONS: Final = _FIRST["/invocations"]


class Tally:
    """
    One worker's row of the table.

    Args:
        words: Its numbers.
    """

    __slots__ = ("_words",)

    def __init__(self, words: memoryview) -> None:
        self._words = words

    def set_ready(self, *, is_ready: bool) -> None:
        """Say whether the worker serves; at its start, nothing waits."""
        self._words[_READY] = int(is_ready)
        self._words[_QUEUE] = 0

    @property
    def is_ready(self) -> bool:
        """Whether the worker serves."""
        return bool(self._words[_READY])

    def beat(self) -> None:
        """Show that the worker's loop turns."""
        self._words[_BEATS] += 1

    @property
    def beats(self) -> int:
        """How often it did."""
        return self._words[_BEATS]

    def invocation(self, status: int, seconds: float) -> None:
        """Count an answered invocation and how long it took."""
        words = self._words
        words[_INVOCATIONS + _PLACES.get(status, _OTHER)] += 1
        words[_LATENCY + bisect_left(_SECONDS, seconds)] += 1
        words[_LATENCY_NS] += int(seconds * 1e9)

    def invocations(
        self, statuses: Sequence[int], arrived_seconds: Sequence[float], now_seconds: float
    ) -> None:
        """
        Count a batch of invocations that were answered just now.

        Args:
            statuses: What each was answered.
            arrived_seconds: When each came, the oldest first.
            now_seconds: When they were answered, on the same clock.
        """
        words, count = self._words, len(statuses)
        if statuses.count(200) == count:
            words[_INVOCATIONS] += count  # 200 comes first
        else:
            for status in statuses:
                words[_INVOCATIONS + _PLACES.get(status, _OTHER)] += 1
        words[_LATENCY_NS] += int((count * now_seconds - sum(arrived_seconds)) * 1e9)
        # A batch spans few buckets, and who came later waited less: each is a piece of the list.
        oldest = bisect_left(_SECONDS, now_seconds - arrived_seconds[0])
        newest = bisect_left(_SECONDS, now_seconds - arrived_seconds[-1])
        end = count
        for bucket in range(newest, oldest):
            start = bisect_left(arrived_seconds, now_seconds - _SECONDS[bucket], 0, end)
            words[_LATENCY + bucket] += end - start
            end = start
        words[_LATENCY + oldest] += end

    def request(self, route: str, status: int) -> None:
        """Count any other answer."""
        self._words[_FIRST.get(route, _FIRST["other"]) + _PLACES.get(status, _OTHER)] += 1

    def batch(self, rows: int, seconds: float, left_rows: int, *, is_in_thread: bool) -> None:
        """Count a call of the model, and see how many rows it left waiting."""
        words = self._words
        words[_ROWS_SUM] += rows
        words[_IN_THREAD] += is_in_thread
        words[_PREDICT_NS] += int(seconds * 1e9)
        words[_PREDICT + bisect_left(_SECONDS, seconds)] += 1
        words[_BATCH + bisect_left(_ROWS, rows)] += 1
        words[_QUEUE] = left_rows


class Scoreboard:
    """
    The table of all workers; make it before they are forked.

    Args:
        workers: How many rows it has.

    Attributes:
        places: The workers' places behind their listener.
    """

    def __init__(self, workers: int = 1) -> None:
        self._words = memoryview(mmap.mmap(-1, 8 * _WORDS * workers)).cast("q")
        self.places = Places(workers)

    def tally(self, slot: int = 0) -> Tally:
        """Return one worker's row."""
        return Tally(self._words[slot * _WORDS : (slot + 1) * _WORDS])

    def render(self) -> bytes:
        """Return the sums over all workers as Prometheus text."""
        words = self._words.tolist()
        sums = [sum(words[place::_WORDS]) for place in range(_WORDS)]
        return "\n".join((*_lines(sums, self.places.connections()), "")).encode()


def _lines(sums: list[int], connections: Sequence[int]) -> Iterator[str]:
    yield from _gauge("tonnage_workers", "Worker processes there should be.", len(connections))
    yield from _gauge("tonnage_workers_ready", "Worker processes that serve.", sums[_READY])
    yield from _head("tonnage_connections", "gauge", "Connections of each worker.")
    for worker, count in enumerate(connections):
        yield f'tonnage_connections{{worker="{worker}"}} {count}'
    yield from _gauge("tonnage_queue_rows", "Rows waiting to be predicted.", sums[_QUEUE])
    yield from _head("tonnage_requests_total", "counter", "Requests answered.")
    for route, first in _FIRST.items():
        for place, status in enumerate((*STATUSES, "other")):
            if sums[first + place] or (route, status) == ("/invocations", 200):
                labels = f'route="{route}",status="{status}"'
                yield f"tonnage_requests_total{{{labels}}} {sums[first + place]}"
    yield from _counter("tonnage_rows_total", "Rows predicted.", sums[_ROWS_SUM])
    yield from _counter(
        "tonnage_batches_in_thread_total",
        "Calls of the model made in the thread and not on the loop.",
        sums[_IN_THREAD],
    )
    yield from _histogram(
        "tonnage_invocation_seconds",
        "From an invocation's last byte read to its answer.",
        zip((*_SECONDS, "+Inf"), sums[_LATENCY:], strict=False),
        sums[_LATENCY_NS] / 1e9,
    )
    yield from _histogram(
        "tonnage_predict_seconds",
        "One call of the model, features and results included.",
        zip((*_SECONDS, "+Inf"), sums[_PREDICT:], strict=False),
        sums[_PREDICT_NS] / 1e9,
    )
    yield from _histogram(
        "tonnage_batch_rows",
        "Rows of one call of the model.",
        zip((*_ROWS, "+Inf"), sums[_BATCH:], strict=False),
        sums[_ROWS_SUM],
    )


def _head(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"


def _gauge(name: str, text: str, value: int) -> Iterator[str]:
    yield from _head(name, "gauge", text)
    yield f"{name} {value}"


def _counter(name: str, text: str, value: int) -> Iterator[str]:
    yield from _head(name, "counter", text)
    yield f"{name} {value}"


def _histogram(
    name: str, text: str, buckets: Iterable[tuple[float | str, int]], total: float
) -> Iterator[str]:
    yield from _head(name, "histogram", text)
    count = 0
    for bound, inside in buckets:
        count += inside
        yield f'{name}_bucket{{le="{bound}"}} {count}'
    yield f"{name}_sum {total}"
    yield f"{name}_count {count}"
