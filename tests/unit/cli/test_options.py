"""
Flags, settings and what is printed.
"""

import json
import math
from pathlib import Path

import click
import pytest

from tonnage.cli._options import DURATION, RATE, SIZE, emit_json, with_settings
from tonnage.domain import ConfigurationError


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (DURATION, "90s", 90.0),
        (DURATION, "70ms", 0.07),
        (DURATION, "5m", 300.0),
        (RATE, "600/s", 600.0),
        (RATE, "60/min", 1.0),
        (SIZE, "6MiB", 6 * 1024 * 1024),
    ],
)
def test_a_flag_with_a_unit_is_read(kind: click.ParamType[float], text: str, value: float):
    assert kind.convert(text, None, None) == value


@pytest.mark.parametrize(
    ("kind", "text"), [(DURATION, "soon"), (RATE, "fast"), (SIZE, "big"), (DURATION, "-1s")]
)
def test_what_is_no_quantity_is_misuse(kind: click.ParamType[float], text: str):
    with pytest.raises(click.BadParameter, match="is not a"):
        kind.convert(text, None, None)


def test_a_number_that_is_none_becomes_null(capsys: pytest.CaptureFixture[str]):
    """JSON has no NaN, and readers stumble over it."""
    emit_json({"latency": {"p50": math.nan, "p99": 0.1}, "path": Path("a"), "list": [math.nan]})
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert json.loads(printed) == {
        "latency": {"p50": None, "p99": 0.1},
        "path": "a",
        "list": [None],
    }


def test_a_flag_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "tonnage.toml"
    file.write_text(
        "[local]\ntime_scale = 20\nprovisioning_delay = '5m'\ninstance_rate = '600/s'\n"
    )
    monkeypatch.setenv("TONNAGE_LOCAL_TIME_SCALE", "30")
    monkeypatch.setenv("TONNAGE_LOCAL_PROVISIONING_DELAY", "4m")
    local = with_settings(file, ("local.time_scale=40",)).local
    assert local.time_scale == 40
    assert local.provisioning_delay_seconds == 240
    assert local.instance_rate_per_second == 600
    assert local.metric_delay_seconds == 0


@pytest.mark.parametrize(
    "override", ["local.timescale=20", "local.time_scal=20", "place.time_scale=20", "time_scale=20"]
)
def test_a_setting_that_does_not_exist_is_refused(override: str, tmp_path: Path):
    file = tmp_path / "tonnage.toml"
    file.write_text("")
    with pytest.raises(ConfigurationError):
        with_settings(file, (override,))
