"""
Flag before environment before file before default.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.config import read_settings
from tonnage.domain import ConfigurationError

Write = Callable[[str], Path]


def test_without_anything_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    settings = read_settings()
    assert settings.local.time_scale == 1
    assert settings.local.instance_rate_per_second is None
    assert settings.scaling.scale_out_cooldown_seconds == 300


@given(
    flag=st.none() | st.integers(1, 99),
    variable=st.none() | st.integers(100, 199),
    line=st.none() | st.integers(200, 299),
)
def test_the_nearer_source_wins(
    tmp_path_factory: pytest.TempPathFactory,
    flag: int | None,
    variable: int | None,
    line: int | None,
):
    file = tmp_path_factory.getbasetemp() / "precedence.toml"
    file.write_text("[load]\n" + (f"users = {line}" if line is not None else ""))
    settings = read_settings(
        file,
        environment={"TONNAGE_LOAD_USERS": str(variable)} if variable is not None else {},
        overrides=[f"load.users={flag}"] if flag is not None else [],
    )
    assert settings.load.users == next(n for n in (flag, variable, line, 100) if n is not None)


def test_a_nearer_source_leaves_the_other_keys_alone(write: Write):
    file = write('[local]\ntime_scale = 20\nmetric_delay = "60s"')
    settings = read_settings(file, overrides=["local.time_scale=5"])
    assert (settings.local.time_scale, settings.local.metric_delay_seconds) == (5, 60)


def test_the_last_of_two_flags_wins(write: Write):
    settings = read_settings(write(""), overrides=["load.users=1", "load.users=2"])
    assert settings.load.users == 2


def test_a_value_with_a_unit_needs_no_quotes_in_flag_or_environment(write: Write):
    settings = read_settings(
        write(""),
        environment={"TONNAGE_LOCAL_INSTANCE_RATE": "600/s", "TONNAGE_SERVING_MAX_BODY": "1MiB"},
        overrides=["objective.latency=p99 < 100ms", "local.provisioning_delay=5m"],
    )
    assert settings.local.instance_rate_per_second == 600
    assert settings.serving.max_body_bytes == 1_048_576
    assert settings.objective.latency.threshold_seconds == pytest.approx(0.1)
    assert settings.local.provisioning_delay_seconds == 300


def test_lists_and_tables_are_written_as_in_the_file(write: Write):
    settings = read_settings(
        write(""), overrides=['api.cors_origins=["https://a.test"]', "aws.tags={team = 'x'}"]
    )
    assert settings.api.cors_origins == ["https://a.test"]
    assert settings.aws.tags == {"team": "x"}


def test_other_variables_are_left_alone(write: Write):
    environment = {"HOME": "/root", "TONNAGE_DEBUG_X": "1", "LOCAL_TIME_SCALE": "9"}
    assert read_settings(write(""), environment=environment).local.time_scale == 1


def test_the_file_in_the_working_directory_is_read(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write("[load]\nusers = 7")
    monkeypatch.chdir(tmp_path)
    assert read_settings().load.users == 7


def test_a_named_file_must_be_there(tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"there is no settings file .*absent\.toml"):
        read_settings(tmp_path / "absent.toml")


def test_relative_paths_begin_at_the_files_directory(write: Write, monkeypatch: pytest.MonkeyPatch):
    file = write("")
    monkeypatch.chdir("/")
    settings = read_settings(file)
    assert settings.path("model.joblib") == file.parent / "model.joblib"
    assert settings.path("/srv/model.joblib") == Path("/srv/model.joblib")


def test_relative_paths_stay_relative(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write("")
    monkeypatch.chdir(tmp_path)
    assert read_settings(Path("tonnage.toml")).path("artefact") == Path("artefact")
