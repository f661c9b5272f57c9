"""
The quick start, from a model to a plan and a report, with nothing but what is installed.

It runs by itself (``python -I quick_start.py``) in an empty directory, outside any source tree,
and prints one JSON object a step: its command, what that printed, and how long it took. Standard
library only, beside scikit-learn, with which the model is fitted.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TONNAGE = Path(sys.executable).with_name("tonnage")
with socket.create_server(("127.0.0.1", 0)) as _listener:
    PORT = _listener.getsockname()[1]
URL = f"http://127.0.0.1:{PORT}"
READY_SECONDS = 60.0
MEASURED = {0, 3, 4}
"""A load test's exit codes that are the machine's business: done, objective missed, in doubt."""

FIT = """
import joblib
import numpy as np
from sklearn.linear_model import LinearRegression

distances = np.array([[25.0], [150.0], [500.0], [1200.0], [4000.0]])
joblib.dump(LinearRegression().fit(distances, [56.0, 50.3, 42.0, 32.0, 18.0]), "model.joblib")
"""
ROWS = "distance\n25.0\n150.5\n500.0\n1200.0\n4000.0\n"


def main() -> None:
    tell("fit a model", [sys.executable, "-I", "-c", FIT])
    Path("sample.csv").write_text(ROWS)
    tell("tonnage init", [TONNAGE, "init", "--model", "model.joblib", "--data", "sample.csv"])
    service = re.search(r"^class (\w+)\(Service", Path("service.py").read_text(), re.MULTILINE)
    assert service is not None
    of = ("--service", f"service:{service[1]}", "--data", "sample.csv")
    tell("tonnage pack", [TONNAGE, "pack", "model.joblib", *of, "-o", "artefact"])
    began = time.monotonic()
    serve = [TONNAGE, "serve", "artefact", "--host", "127.0.0.1", "--port", str(PORT)]
    instance = subprocess.Popen(serve, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until_ready(instance)
        told("tonnage serve artefact", "GET /ping is answered with 200", began)
        began = time.monotonic()
        answer = post({"distance": 150.5})
        assert 40 < answer["prediction"] < 60, answer
        told("POST /invocations", json.dumps(answer), began)
        load_test()
    finally:
        instance.terminate()
        assert instance.wait(READY_SECONDS) == 0
    capacity()


def load_test() -> None:
    load = [TONNAGE, "load", f"{URL}/invocations", "--body", '{"distance": 150.5}']
    users = [*load, "--users", "20", "--spawn-rate", "20/s", "--duration", "3s"]
    told_of_users = tell("tonnage load --users", users, codes=MEASURED)
    # Users wait for answers, so how many requests they send is the machine's business, too.
    assert re.search(r"^(5\d|60) requests in .* 0 failed", told_of_users, re.MULTILINE)
    arrivals = [*load, "--rate", "50/s", "--duration", "3s", "-o", "runs/arrivals"]
    assert "150 requests in" in tell("tonnage load --rate", arrivals, codes=MEASURED)
    for record in ("runs/load", "runs/arrivals"):
        assert list(Path(record).iterdir()), f"{record} is empty"


def capacity() -> None:
    head = f"{TONNAGE} up --port {{port}} --set local.instance_rate=100/s"
    line = [TONNAGE, "line", "http://127.0.0.1:{port}/evaluate", "--head", head, "--budget", "20s"]
    tell("tonnage line", line, codes=MEASURED)
    traffic = ("--line", "100/s", "--profile", "ramp(0/s, 150/s, 1000s)")
    assert "Why" in tell("tonnage plan", [TONNAGE, "plan", *traffic, "-o", "plan.toml"])
    tell("tonnage report", [TONNAGE, "report", "runs/load", "-o", "report"])
    assert Path("report/report.html").stat().st_size > 100_000


def tell(what: str, command: Sequence[str | Path], *, codes: set[int] | None = None) -> str:
    """Run a command, print the step, and return what the command printed."""
    began = time.monotonic()
    printed = output_of(command, codes=codes)
    told(what, printed, began)
    return printed


def told(what: str, printed: str, began: float) -> None:
    seconds = round(time.monotonic() - began, 2)
    step = {"step": what, "seconds": seconds, "printed": printed.strip()}
    print(json.dumps(step, ensure_ascii=False), flush=True)  # noqa: T201 (what it is for)


def output_of(command: Sequence[str | Path], *, codes: set[int] | None = None) -> str:
    finished = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if finished.returncode not in (codes or {0}):
        sys.exit(f"{command} ended with {finished.returncode}\n{finished.stdout}{finished.stderr}")
    return finished.stdout


def until_ready(instance: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        assert instance.poll() is None, "the instance has ended"
        assert time.monotonic() < deadline, "the instance does not become ready"
        try:
            with urllib.request.urlopen(f"{URL}/ping", timeout=2) as response:
                if response.status == 200:
                    return
        except OSError:
            time.sleep(0.02)  # a script of its own: it has nothing to wait on but the port


def post(row: dict[str, float]) -> Any:  # noqa: ANN401 (whatever the server says)
    request = urllib.request.Request(
        f"{URL}/invocations",
        data=json.dumps(row).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


if __name__ == "__main__":
    main()
