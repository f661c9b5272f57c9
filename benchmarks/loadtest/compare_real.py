"""
A version compared with itself, for real: two instances of one artefact, asked in turn.

Usage, beside a model that `tonnage pack` packed: python compare_real.py [--runs 30] [--seconds 60]

Each run starts `tonnage load --against` anew, as a user would; then as many with two targets of
known latency, the head's a tenth longer.
"""

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from described import machine, write

EXAMPLE = Path(__file__).parents[2] / "examples" / "real_estate"
TONNAGE = Path(sys.executable).with_name("tonnage")
SERVE = f"'{TONNAGE}' serve artefact --host 127.0.0.1 --port {{port}} --workers 1"
TIMED = (
    f"'{sys.executable}' '{Path(__file__).with_name('timed_target.py')}' {{port}} {{milliseconds}}"
)
BASE_MILLISECONDS = 2.0
PAIRS = {
    "the same artefact": (SERVE, SERVE),
    "the same, 10 % slower": (
        TIMED.replace("{milliseconds}", f"{BASE_MILLISECONDS}"),
        TIMED.replace("{milliseconds}", f"{1.1 * BASE_MILLISECONDS:.2f}"),
    ),
}


def compared(base: str, head: str, seconds: float, seed: int, directory: Path) -> dict:
    finished = subprocess.run(
        [
            TONNAGE,
            *("load", "http://127.0.0.1:{port}/invocations", "--head", head, "--against", base),
            *("--body", '{"distance": 150}', "--rate", "200/s", "--duration", f"{seconds:g}s"),
            *("--seed", str(seed), "--objective", "p99 < 60s", "--json", "-o", directory),
        ],
        cwd=EXAMPLE,
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(finished.stdout)
    return {
        "seed": seed,
        "answer": found["answer"],
        "exit_code": finished.returncode,
        "is_believed": found["is_believed"],
        "load_average": os.getloadavg()[0],
        "differences": found["differences"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=50.0)
    parser.add_argument("--records", type=Path, default=Path("runs/compare-real"))
    arguments = parser.parse_args()
    at, rows, summary = machine(), [], []
    for name, (base, head) in PAIRS.items():
        runs = []
        for seed in range(arguments.runs):
            runs.append(compared(base, head, arguments.seconds, seed, arguments.records))
            print(name, runs[-1]["answer"], flush=True)
        answers = Counter(run["answer"] for run in runs)
        summary.append({"pair": name, "runs": len(runs), "answers": dict(answers)})
        rows += [{"pair": name, **run} for run in runs]
    write(
        "compare_real",
        command="python benchmarks/loadtest/compare_real.py",
        at=at,
        rows=rows,
        seconds=arguments.seconds,
        summary=summary,
    )


if __name__ == "__main__":
    main()
