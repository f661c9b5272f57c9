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


JUMP = "constant(100/s, 30m) then constant(2500/s, 30m)"
HIGH_RESOLUTION = 'metric = "SageMakerVariantConcurrentRequestsPerModelHighResolution"\n'
STEPS = """
[[scaling.step]]
policy_name = "out-at-once"
threshold = 20000
step_adjustments = [{ metric_interval_lower_bound = 0, scaling_adjustment = 4 }]
"""
SCHEDULE = """
[[scaling.scheduled]]
name = "morning"
schedule = "cron(20 0 * * ? *)"
min_capacity = 5
"""


def first_rise(made: dict[str, Any]) -> float:
    at: float = made["activities"][0]["at_seconds"]
    return at


@pytest.mark.parametrize(
    ("more", "at_seconds"),
    [
        # Three datapoints above the target, one above the threshold, three of 10 s, a clock.
        ("", 33 * 60),
        (STEPS, 31 * 60),
        (f"{HIGH_RESOLUTION}target_value = 2.5\n", 30 * 60 + 30),
        (SCHEDULE, 20 * 60),
    ],
)
def test_steps_schedules_and_metrics_of_the_settings_are_followed(
    tmp_path: Path, more: str, at_seconds: float
):
    target = "" if "target_value" in more else "target_value = 18_000\n"
    (tmp_path / "tonnage.toml").write_text(f"[scaling]\n{target}{more}")
    made = simulated("--line", "600/s", "--profile", JUMP)
    assert first_rise(made) == at_seconds


def test_a_schedule_goes_by_the_calendar_that_is_given(tmp_path: Path):
    (tmp_path / "tonnage.toml").write_text(f"[scaling]\ntarget_value = 18_000\n{SCHEDULE}")
    made = simulated("--line", "600/s", "--profile", JUMP, "--starts-at", "2026-11-02T00:10")
    assert first_rise(made) == 10 * 60
    assert "nobody has said" in ran("--line", "600/s", "--profile", JUMP).stderr


def test_a_trace_in_seconds_since_1970_knows_its_calendar(tmp_path: Path):
    (tmp_path / "tonnage.toml").write_text(f"[scaling]\ntarget_value = 18_000\n{SCHEDULE}")
    begins = 1_793_578_200  # 2026-11-02 00:10 UTC
    (tmp_path / "trace.csv").write_text(
        f"time_seconds,rate_per_second\n{begins},100\n{begins + 3600},\n"
    )
    assert first_rise(simulated("--line", "600/s", "--trace", "trace.csv")) == 10 * 60


def test_latency_is_read_off_a_measured_curve(tmp_path: Path):
    (tmp_path / "line").mkdir()
    points = [
        {"rate_per_second": rate, "p99_seconds": p99} for rate, p99 in ((100, 0.01), (600, 0.2))
    ]
    (tmp_path / "line" / "line.json").write_text(json.dumps({"curve": points}))
    flat = ("--line", "600/s", "--profile", "constant(600/s, 60s)")
    assert simulated(*flat, "--curve", "line")["latency_p99_max_seconds"] == pytest.approx(0.2)
    assert simulated(*flat)["latency_p99_max_seconds"] < 0.1


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2m", 120, 120),
        ("uniform(1m, 2m)", 60, 120),
        ("lognormal(2m, 1.0)", 120, 120),
        ("delays.txt", 90, 91),
    ],
)
def test_what_a_new_instance_takes_may_be_a_distribution(
    tmp_path: Path, text: str, low: float, high: float
):
    (tmp_path / "delays.txt").write_text("90\n\n91\n")
    made = simulated("--line", "600/s", "--profile", RAMP, "--provisioning", text, *ORIGINAL)
    arrived = [at - 180 for at, _ in made["instances"][1:]]
    assert arrived[0] >= low - 1e-6
    assert arrived[-1] <= high + 1e-6


def test_senders_that_try_again_add_to_the_load():
    """A minute at 1,000 where 600 are carried: what was refused is offered once more."""
    over = (
        "--line",
        "600/s",
        "--profile",
        "constant(1000/s, 60s)",
        "--set",
        "scaling.max_capacity=1",
    )
    once = simulated(*over)
    again = simulated(*over, "--retries", "1", "--retry-delay", "5s")
    assert again["offered"] == pytest.approx(once["offered"])
    assert again["attempts"] > 1.4 * again["offered"]
    assert again["failed"] < once["failed"]


def test_capacity_that_is_short_and_launches_that_fail_are_flags():
    short = simulated("--line", "600/s", "--profile", RAMP, "--available", "3", *ORIGINAL)
    assert max(count for _, count in short["instances"]) == 3
    flaky = simulated("--line", "600/s", "--profile", RAMP, "--launch-failures", "0.5", *ORIGINAL)
    whole = simulated("--line", "600/s", "--profile", RAMP, *ORIGINAL)
    assert flaky["instances"][-1][0] > whole["instances"][-1][0]


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
        (("--line", "600/s", "--profile", RAMP, "--provisioning", "soon"), "uniform(3m, 8m)"),
        (
            ("--line", "600/s", "--profile", RAMP, "--provisioning", "lognormal(5m, x)"),
            "'x' is not",
        ),
        (("--line", "600/s", "--profile", RAMP, "--curve", "none"), "no record of a load line"),
        (("--line", "600/s", "--profile", RAMP, "--starts-at", "noon"), "'noon' is not a date"),
        (
            (
                *("--line", "600/s", "--profile", RAMP),
                *("--provisioning", "5m", "--provisioning-spread", "1m"),
            ),
            "say the same twice",
        ),
    ],
)
def test_bad_input_is_named(arguments: tuple[str, ...], part: str):
    assert part in fault_of(*arguments)
