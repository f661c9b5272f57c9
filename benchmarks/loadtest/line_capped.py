"""
The load line of an instance capped at 600/s, found for real, again and again.

Usage, beside a model that `python examples/real_estate/train.py` fitted:
python line_capped.py [--repeats 10] [--budget 60] [-o line_capped.json]

It starts `tonnage up` with the cap and without scaling, runs `tonnage line` against it on loopback,
and keeps each answer. The wall clock of the whole command counts against the budget.
"""

import argparse
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np

EXAMPLE = Path(__file__).parents[2] / "examples" / "real_estate"
TONNAGE = Path(sys.executable).with_name("tonnage")
CAP = 600
RESULTS = Path(__file__).with_name("results")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_until_it_answers(url: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{url}/openapi.json", timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{url} did not come up")


def ask(url: str, budget: float, seed: int, directory: Path) -> dict:
    began = time.monotonic()
    finished = subprocess.run(
        [
            TONNAGE,
            *("line", f"{url}/evaluate", "--body", '{"distance": 150}'),
            *("--objective", "p99 < 250ms", "--objective", "errors < 0.1%"),
            *("--budget", f"{budget:g}s", "--seed", str(seed), "--json", "-o", directory),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    wall = time.monotonic() - began
    found = json.loads(finished.stdout)
    kept = ("verdict", "line", "interval", "reason", "gave_way_first", "elapsed_seconds", "notes")
    return {
        "seed": seed,
        "wall_seconds": wall,
        "exit_code": finished.returncode,
        "load_average": os.getloadavg()[0],
        "trials": len(found["trials"]),
        **{name: found[name] for name in kept},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--budget", type=float, default=60.0)
    parser.add_argument("--runs", type=Path, default=Path("runs/line-capped"))
    parser.add_argument(
        "-o", "--output", type=Path, default=RESULTS / Path(__file__).with_suffix(".json").name
    )
    arguments = parser.parse_args()
    port = free_port()
    up = subprocess.Popen(
        [
            TONNAGE,
            *("up", "--port", str(port), "--set", f"local.instance_rate={CAP}/s"),
            *("--set", "scaling.enabled=false"),
        ],
        cwd=EXAMPLE,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    answers = []
    try:
        wait_until_it_answers(url)
        for seed in range(arguments.repeats):
            answers.append(ask(url, arguments.budget, seed, arguments.runs))
            print(json.dumps(answers[-1]), flush=True)
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait()
    lines = np.array([each["line"] for each in answers if each["line"]])
    summary = {
        "repeats": len(answers),
        "found": sum(each["verdict"] == "FOUND" for each in answers),
        "largest_error": float(np.abs(lines / CAP - 1).max()),
        "spread": float((lines.max() - lines.min()) / np.median(lines)),
        "median_line": float(np.median(lines)),
        "longest_wall_seconds": max(each["wall_seconds"] for each in answers),
    }
    print(json.dumps(summary, indent=1))
    arguments.output.write_text(
        json.dumps(
            {
                "what": __doc__.strip().splitlines()[0],
                "machine": {
                    "cores": os.cpu_count(),
                    "python": platform.python_version(),
                    "platform": platform.platform(),
                },
                "summary": summary,
                "answers": answers,
            },
            indent=1,
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
