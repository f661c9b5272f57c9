"""
The scaling law of one to four capped instances behind the emulator's router, measured for real.

    python benchmarks/loadtest/line_scaling.py [--counts 1..4] [--budget 240]

An instance that is capped waits where a real one computes, so four of them and the generator fit on
two cores. What is measured is what shares the work out: the router draws an instance for each
request, so now and then one of them has a full queue while another has nothing to do. It needs a
model that `python examples/real_estate/train.py` fitted, and takes as long as its budget.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import described

EXAMPLE = Path(__file__).parents[2] / "examples" / "real_estate"
TONNAGE = Path(sys.executable).with_name("tonnage")
CAP = 200
QUEUE = "200ms"
HEAD = (
    f"up --port {{port}} --set local.instance_rate={CAP}/s --set local.instance_queue={QUEUE}"
    " --set scaling.enabled=false --set endpoint.initial_instance_count={n}"
)


def measured(counts: str, budget: float) -> dict[str, Any]:
    """Run the verb as a user would, and return what it printed."""
    with tempfile.TemporaryDirectory() as runs:
        finished = subprocess.run(
            [
                TONNAGE,
                *("line", "http://127.0.0.1:{port}/evaluate", "--workers-scaling", counts),
                *("--head", f"{shlex.quote(str(TONNAGE))} {HEAD}", "--body", '{"distance": 150}'),
                *("--objective", "p99 < 500ms", "--objective", "errors < 0.1%"),
                *("--budget", f"{budget:g}s", "--json", "-o", runs),
            ],
            cwd=EXAMPLE,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    return {"exit_code": finished.returncode, **json.loads(finished.stdout)}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--counts", default="1..4")
    parser.add_argument("--budget", type=float, default=240.0)
    arguments = parser.parse_args()
    at = described.machine()
    found = measured(arguments.counts, arguments.budget)
    for row in found["lines"]:
        print(json.dumps(row))
    print(json.dumps(found["law"], indent=1))
    if found["law"] is None:
        raise SystemExit("no law: fewer than two counts have a load line; nothing is kept")
    described.write(
        "line_scaling",
        command=f"python benchmarks/loadtest/line_scaling.py --counts {arguments.counts}"
        f" --budget {arguments.budget:g}",
        at=at,
        rows=found["lines"],
        cap_per_second=CAP,
        queue=QUEUE,
        load_average_at_end=os.getloadavg()[0],
        law={name: value for name, value in found["law"].items() if name != "points"},
    )


if __name__ == "__main__":
    main()
