"""The scaling law of capped instances behind the emulator: they wait, so two cores are enough."""

import json
import shlex
from pathlib import Path

from support import TONNAGE, tonnage

CAP = 100
HEAD = (
    f"{shlex.quote(str(TONNAGE))} up --port {{port}} --set local.instance_rate={CAP}/s"
    " --set local.instance_queue=400ms --set scaling.enabled=false"
    " --set endpoint.initial_instance_count={n}"
)


def test_the_line_of_one_and_of_three_instances_makes_a_law(
    example_project: Path, packed_artefact: Path, tmp_path: Path
):
    """What the numbers are on a quiet machine is the benchmark's to say: line_scaling.py."""
    command = tonnage(
        *("line", "http://127.0.0.1:{port}/evaluate", "--head", HEAD, "--body", '{"distance": 1}'),
        *("--objective", "p99 < 2s", "--objective", "errors < 1%", "--workers-scaling", "1,3"),
        *("--budget", "20s", "--json", "-o", tmp_path / "runs", "--picture", tmp_path / "law.png"),
        cwd=example_project,
    )
    with command:
        assert command.exit_code(120) in {0, 4}, command.stderr
    found = json.loads(command.stdout)
    one, three = found["lines"]
    assert (one["workers"], three["workers"]) == (1, 3)
    assert json.loads((tmp_path / "runs" / "scaling.json").read_text()) == found
    if found["law"] is not None:  # on a machine that others fill, a count may be without a line
        assert one["line"] < 1.5 * CAP
        assert one["line"] < three["line"] < 4 * CAP
        assert 0.5 * CAP < found["law"]["one_per_second"] < 1.5 * CAP
        assert found["law"]["contention"] >= 0
        assert (tmp_path / "law.png").read_bytes().startswith(b"\x89PNG")
