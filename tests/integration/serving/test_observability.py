"""
What a running instance says of itself: metrics over all workers, one line a request.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from support import ask, children_of, post, until

if TYPE_CHECKING:
    from pathlib import Path

    from support import Serve


def samples(url: str) -> dict[tuple[str, ...], float]:
    text = ask(f"{url}/metrics").body.decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def ready_workers(url: str) -> float:
    try:
        return samples(url)["tonnage_workers_ready",]
    except OSError:  # the connection was the dead worker's
        return 0


def test_metrics_sum_over_the_workers_and_outlive_one(serve: Serve):
    with serve(workers=2) as (command, url):
        for _ in range(60):
            assert post(f"{url}/invocations", {"distance": 150}).status == 200
        seen = samples(url)
        assert seen["tonnage_requests_total", "/invocations", "200"] == 60
        assert seen["tonnage_rows_total",] == 60
        assert (seen["tonnage_workers",], seen["tonnage_workers_ready",]) == (2, 2)
        first, _ = children_of(command.pid)
        os.kill(first, signal.SIGKILL)
        until(lambda: first not in (now := children_of(command.pid)) and len(now) == 2, "another")
        until(lambda: ready_workers(url) == 2, "it to be ready")
        post(f"{url}/invocations", {"distance": 150})
        assert samples(url)["tonnage_requests_total", "/invocations", "200"] == 61


def test_with_an_access_log_each_request_is_a_line_of_json(serve: Serve):
    with serve("--access-log", workers=2) as (command, url):
        ids = [f"order-{number}" for number in range(20)]
        for name in ids:
            headers = {"X-Amzn-SageMaker-Inference-Id": name}
            answer = ask(f"{url}/invocations", "POST", body=b'{"distance":150}', headers=headers)
            assert answer.headers["x-request-id"] == name
    lines = [json.loads(line) for line in command.stdout.splitlines() if line.startswith("{")]
    noted = {line["request_id"] for line in lines if line["path"] == "/invocations"}
    assert noted == set(ids)


def test_a_ping_is_answered_while_the_model_is_at_work(serve: Serve, probe_artefact: Path):
    """After its first slow call, a model that takes 0.3 s a call works beside the loop."""
    with serve(artefact=probe_artefact) as (_, url):
        post(f"{url}/invocations", {"distance": 777})
        begun = threading.Event()

        def invoke() -> int:
            begun.set()
            return post(f"{url}/invocations", {"distance": 777}).status

        with ThreadPoolExecutor(1) as callers:
            invoked = callers.submit(invoke)
            begun.wait()
            while not invoked.done():
                assert ask(f"{url}/ping").status == 200
            assert invoked.result() == 200
        assert samples(url)["tonnage_batches_in_thread_total",] >= 1
