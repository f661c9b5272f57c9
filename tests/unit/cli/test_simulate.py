"""
``tonnage simulate`` as scripts call it.
"""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tonnage.cli import cli
from tonnage.cli._faults import exit_code

RAMP = "ramp(0/s, 1000/s, 1000s)"
ORIGINAL = ("--set", "scaling.scale_out_cooldown=60s", "--set", "api.front=none")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ran(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["simulate", *arguments], standalone_mode=False)


def simulated(*arguments: str) -> dict[str, Any]:
    result = ran("--json", *arguments)
    assert result.exception is None, result.exception
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def fault_of(*arguments: str) -> str:
    """Return a refusal's message and hint; it ends as misuse."""
    result = ran(*arguments)
    assert result.exception is not None, result.stdout
    assert exit_code(result.exception) == 2, result.exception
    return f"{result.exception}; {getattr(result.exception, 'hint', '')}"


def test_the_json_has_what_scripts_rely_on():
    made = simulated("--line", "600/s", "--profile", RAMP, *ORIGINAL)
    assert {"offered", "failed", "instance_hours", "cost_usd", "instances"} <= made.keys()
    assert made["offered"] == pytest.approx(500_000)
    assert made["failed"] == 0
    assert made["instances"] == [[0.0, 1], [480.0, 10]]
    assert made["instance_hours"] == pytest.approx((480 + 520 * 10) / 3600)
    assert made["cost_usd"] == pytest.approx(made["instance_hours"] * 0.102)


def test_a_month_is_the_trace_repeated():
    """730 hours, and the parts add up to the cent."""
    made = simulated("--line", "600/s", "--profile", RAMP, *ORIGINAL)
    split = made["cost_usd_month_split"]
    assert split["instances"] == pytest.approx(made["cost_usd"] * 730 * 3600 / 1000, abs=0.005)
    assert sum(split.values()) == pytest.approx(made["cost_usd_month"])


def test_the_line_may_name_its_type():
    made = simulated("--line", "ml.c5.xlarge=1200", "--profile", RAMP, *ORIGINAL)
    assert made["instance_type"] == "ml.c5.xlarge"
    assert made["cost_usd"] == pytest.approx(made["instance_hours"] * 0.204)


def test_a_policy_that_is_off_leaves_the_count_alone():
    made = simulated("--line", "600/s", "--profile", RAMP, "--set", "scaling.enabled=false")
    assert made["instances"] == [[0.0, 1]]
    assert made["failed_fraction"] == pytest.approx(0.16, abs=0.001)


def test_a_trace_gives_what_its_profile_gives(tmp_path: Path):
    rows = "\n".join(f"{second},{second + 0.5}" for second in range(1000))
    (tmp_path / "ramp.csv").write_text(f"time_seconds,rate_per_second\n{rows}\n")
    by_trace = simulated("--line", "600/s", "--trace", "ramp.csv", *ORIGINAL)
    assert by_trace["instances"] == [[0.0, 1], [480.0, 10]]


def test_the_output_has_every_tick_and_a_picture(tmp_path: Path):
    result = ran("--line", "600/s", "--profile", RAMP, "-o", "out", *ORIGINAL)
    assert result.exception is None, result.exception
    assert "1 → 10 instances" in result.stdout
    with (tmp_path / "out" / "timeline.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 1000
    assert [int(row["in_service"]) for row in rows[479:481]] == [1, 10]
    assert (tmp_path / "out" / "timeline.png").read_bytes().startswith(b"\x89PNG")


def test_drawn_delays_follow_the_seed():
    drawn = ("--line", "600/s", "--profile", RAMP, "--provisioning-spread", "60s", *ORIGINAL)
    first, again, other = (simulated(*drawn, "--seed", seed) for seed in ("1", "1", "2"))
    assert first["instances"] == again["instances"]
    assert first["instances"] != other["instances"]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--line", "0/s", "--profile", RAMP), "must be above 0/s"),
        (("--line", "fast", "--profile", RAMP), "'fast' is not a rate"),
        (("--line", "ml.x9.foo=3/s", "--profile", RAMP), "ml.x9.foo"),
        (("--line", "600/s"), "--trace FILE, --profile TEXT, --record RUN"),
        (("--line", "600/s", "--profile", RAMP, "--trace", "t.csv"), "one traffic"),
        (("--line", "600/s", "--profile", "ramp(0/s, 10s)"), "ramp takes 3"),
        (("--line", "600/s", "--trace", "none.csv"), "none.csv"),
    ],
)
def test_bad_input_is_named(arguments: tuple[str, ...], part: str):
    assert part in fault_of(*arguments)
