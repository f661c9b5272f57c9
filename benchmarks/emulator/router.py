"""
What the router carries on one core, and what it adds to a request.

    python benchmarks/emulator/router.py [--output FILE] [--repetitions 5]

Two figures, each over several repetitions:

- ``requests_per_second_and_core``: wrk, 32 keep-alive connections, 5 s; the router alone on one
  core, the instances and wrk on the other. Where the other core is the limit, the router's own
  processor time per request says what it would carry: ``requests_per_cpu_second``.
- ``added_seconds_p50``: the median latency at 1,000 requests per second, constant arrivals, through
  the router, less the median straight to an instance, by the same generator.

Caveats: on two cores wrk, instances and generator share one; nothing else may run meanwhile.
"""

import argparse
import json
import re
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import fixtures

from tonnage.domain import PiecewiseRate, percentile
from tonnage.emulator import BackgroundEndpoint, up_in_background
from tonnage.loadtest import OpenLoopSession, Payload

INSTANCES = 2
CONNECTIONS = 32
SECONDS = 5
RATE_PER_SECOND = 1000.0
ROUTES = {"rest": "/evaluate", "runtime": f"/endpoints/{fixtures.NAME}/invocations"}
SCRIPT = """
wrk.method = "POST"
wrk.body = '{"distance": 150}'
wrk.headers["Content-Type"] = "application/json"
"""


def carried(endpoint: BackgroundEndpoint, route: str, script: Path) -> dict[str, float]:
    """Let wrk ask as fast as it can and return what was answered."""
    before = fixtures.cpu_seconds(endpoint.process_id)
    said = subprocess.run(
        [
            *("taskset", "-c", "1", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s"),
            *("-s", str(script), endpoint.url + route),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    spent = fixtures.cpu_seconds(endpoint.process_id) - before
    count = int(re.search(r"(\d+) requests in", said)[1])  # type: ignore[index]
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return {
        "requests_per_second": float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]),  # type: ignore[index]
        "requests_per_cpu_second": count / spent,
        "router_busy": spent / SECONDS,
        "failed": float(refused[1]) if refused else 0.0,
    }


def median_latency(url: str) -> float:
    """Return the median latency at the measured rate."""
    with OpenLoopSession.start(url, Payload(body={"distance": 150})) as session:
        session.trial(PiecewiseRate.constant(RATE_PER_SECOND, 1.0), drain_seconds=1.0)
        trial = session.trial(PiecewiseRate.constant(RATE_PER_SECOND, 4.0), drain_seconds=1.0)
    assert not trial.samples.failed.any()
    return percentile(trial.samples.latency_seconds, 0.5)


def repetition(artefact: Path, script: Path) -> dict[str, Any]:
    """Run one emulator and return what was seen."""
    seen: dict[str, Any] = {}
    with up_in_background(fixtures.up_options(artefact, INSTANCES)) as endpoint:
        instance = endpoint.state()["instances"][0]["port"]
        direct = f"http://127.0.0.1:{instance}/invocations"
        for name, route in ROUTES.items():
            straight = median_latency(direct)
            routed = median_latency(endpoint.url + route)
            seen[name] = {"straight_p50_seconds": straight, "routed_p50_seconds": routed}
            seen[name]["added_p50_seconds"] = routed - straight
        fixtures.pin(endpoint.process_id, 0)
        for process_id in fixtures.descendants_of(endpoint.process_id):
            fixtures.pin(process_id, 1)
        for name, route in ROUTES.items():
            seen[name] |= carried(endpoint, route, script)
        urllib.request.urlopen(endpoint.url + "/metrics").read()  # it still answers
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".json"))
    parser.add_argument("--repetitions", type=int, default=5)
    arguments = parser.parse_args()
    at = {**fixtures.machine(), "wrk": fixtures.version_of("wrk")}
    with fixtures.packed_example() as artefact, tempfile.TemporaryDirectory() as directory:
        script = Path(directory) / "post.lua"
        script.write_text(SCRIPT)
        began = time.monotonic()
        rows = [repetition(artefact, script) for _ in range(arguments.repetitions)]
    summary = {
        route: {
            figure: fixtures.spread([row[route][figure] for row in rows])
            for figure in rows[0][route]
        }
        for route in ROUTES
    }
    record = {
        "what": "the emulator's router alone on one core, and the latency it adds at 1,000/s",
        "machine": at,
        "settings": {
            "instances": INSTANCES,
            "connections": CONNECTIONS,
            "seconds": SECONDS,
            "rate_per_second": RATE_PER_SECOND,
            "repetitions": arguments.repetitions,
        },
        "seconds": round(time.monotonic() - began, 1),
        "summary": summary,
        "rows": rows,
    }
    arguments.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    for route, figures in summary.items():
        for figure, values in figures.items():
            print(
                f"{route:8} {figure:24} median {values['median']:12.5g}"
                f"  ({values['min']:.5g} to {values['max']:.5g})"
            )


if __name__ == "__main__":
    main()
