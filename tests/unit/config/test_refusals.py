"""
Unknown keys and ill-typed values stop at start, by name.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.config import Settings, keys, read_settings
from tonnage.domain import ConfigurationError

Write = Callable[[str], Path]

ALL_KEYS = [(section, key) for section, names in keys().items() for key in names]


def misspelt(word: str) -> str:
    middle = len(word) // 2
    return word[:middle] + word[middle + 1 :] + "x"


@pytest.mark.parametrize(("section", "key"), ALL_KEYS)
def test_an_unknown_key_suggests_the_nearest(write: Write, section: str, key: str):
    file = write(f"[{section}]\n{misspelt(key)} = 1")
    with pytest.raises(ConfigurationError) as refusal:
        read_settings(file)
    assert f"unknown key {misspelt(key)!r} in [{section}]" in refusal.value.message
    assert str(file) in refusal.value.message
    assert refusal.value.hint == f"did you mean {key}?"


@pytest.mark.parametrize("section", keys())
def test_an_unknown_section_suggests_the_nearest(write: Write, section: str):
    with pytest.raises(ConfigurationError) as refusal:
        read_settings(write(f"[{misspelt(section)}]"))
    assert f"unknown section [{misspelt(section)}]" in refusal.value.message
    assert refusal.value.hint == f"did you mean {section}?"


def test_a_key_of_another_section_says_which(write: Write):
    with pytest.raises(ConfigurationError) as refusal:
        read_settings(write("[scaling]\ntime_scale = 20"))
    assert refusal.value.hint == "did you mean time_scale in [local]?"


def test_what_resembles_nothing_gets_no_suggestion(write: Write):
    with pytest.raises(ConfigurationError) as refusal:
        read_settings(write("[load]\nzyzzyva = 1"))
    assert refusal.value.hint is None


@pytest.mark.parametrize(
    ("sources", "named"),
    [
        ({"environment": {"TONNAGE_LOAD_USERZ": "5"}}, "TONNAGE_LOAD_USERZ"),
        ({"overrides": ["load.userz=5"]}, "--set load.userz=5"),
    ],
)
def test_an_unknown_key_outside_the_file_names_its_source(
    write: Write, sources: dict[str, dict[str, str]], named: str
):
    with pytest.raises(ConfigurationError) as refusal:
        read_settings(write(""), **sources)
    assert named in refusal.value.message
    assert refusal.value.hint == "did you mean users?"


@pytest.mark.parametrize("override", ["users=5", "load.users", "load", "", "=5"])
def test_a_flag_that_names_no_key_is_refused(write: Write, override: str):
    with pytest.raises(ConfigurationError):
        read_settings(write(""), overrides=[override])


ILL_TYPED = [
    ("service", "name", '"real estate"'),
    ("service", "name", '"-x"'),
    ("service", "name", "2020-01-01"),
    ("service", "handler", '"service"'),
    ("service", "handler", '"../x:Y"'),
    ("service", "route", '"evaluate"'),
    ("service", "route", '"/"'),
    ("service", "model", "5"),
    ("objective", "latency", '"p99"'),
    ("objective", "latency", "0.25"),
    ("objective", "errors", '"0.1%"'),
    ("serving", "workers", "0"),
    ("serving", "workers", '"all"'),
    ("serving", "max_body", "6"),
    ("serving", "max_body", '"0B"'),
    ("endpoint", "instance_type", '"c5.large"'),
    ("endpoint", "initial_instance_count", "0"),
    ("endpoint", "initial_variant_weight", "0"),
    ("scaling", "enabled", '"yes"'),
    ("scaling", "enabled", "1"),
    ("scaling", "min_capacity", "0"),
    ("scaling", "max_capacity", "1.5"),
    ("scaling", "metric", '"CPUUtilization"'),
    ("scaling", "target_value", '"60"'),
    ("scaling", "target_value", "inf"),
    ("scaling", "target_value", "nan"),
    ("scaling", "target_value", "-1"),
    ("scaling", "scale_in_cooldown", "60"),
    ("scaling", "scale_in_cooldown", '"60"'),
    ("load", "users", "1.0"),
    ("load", "users", "true"),
    ("load", "spawn_rate", '"0/s"'),
    ("load", "pacing", '"0s"'),
    ("load", "arrivals", '"random"'),
    ("local", "instance_rate", '"600"'),
    ("local", "instance_queue", '"-1ms"'),
    ("local", "time_scale", "0"),
    ("api", "front", '"soap"'),
    ("api", "cors_origins", '"*"'),
    ("aws", "tags", "[1]"),
]


@pytest.mark.parametrize(("section", "key", "value"), ILL_TYPED)
def test_an_ill_typed_value_names_key_value_and_file(
    write: Write, section: str, key: str, value: str
):
    file = write(f"[{section}]\n{key} = {value}")
    with pytest.raises(ConfigurationError) as refusal:
        read_settings(file)
    message = refusal.value.message
    assert message.startswith(f"{file}: [{section}] {key} = ")
    shown = {"true": "True", "inf": "inf"}.get(value, value.strip('"'))
    assert shown in message


@pytest.mark.parametrize(
    ("sources", "named"),
    [
        ({"environment": {"TONNAGE_LOAD_USERS": "many"}}, "TONNAGE_LOAD_USERS"),
        ({"overrides": ["load.users=many"]}, "--set load.users=many"),
    ],
)
def test_an_ill_typed_value_outside_the_file_names_its_source(
    write: Write, sources: dict[str, dict[str, str]], named: str
):
    with pytest.raises(ConfigurationError) as refusal:
        read_settings(write("[load]\nusers = 5"), **sources)
    assert refusal.value.message.startswith(f"{named}: [load] users = 'many'")


def test_every_fault_is_told_at_once(write: Write):
    with pytest.raises(ConfigurationError) as refusal:
        read_settings(write("[load]\nusers = 0\n[local]\ntime_scale = 0"))
    assert "[load] users = 0" in refusal.value.message
    assert "[local] time_scale = 0" in refusal.value.message


def test_min_capacity_must_not_exceed_max_capacity(write: Write):
    with pytest.raises(ConfigurationError, match="min_capacity 5 is above max_capacity 4"):
        read_settings(write("[scaling]\nmin_capacity = 5\nmax_capacity = 4"))


@pytest.mark.parametrize(
    "text",
    [
        "load = 5",
        "[[load]]",
        "directory = '/'",
        "[load",
        "users = 5",
        "[load]\nusers = 1\nusers = 2",
        "[load.users]\nx = 1",
        "a = " + "[" * 20_000,
        "[load]\nusers = " + "9" * 5000,
        "[load]\nusers = 0x" + "f" * 9000,
        "[scaling]\ntarget_value = " + "9" * 400,
        "[service]\nname = 12:30:00",
        "[service]\nname = 2020-01-01T00:00:00Z",
    ],
)
def test_a_file_that_is_no_settings_is_refused(write: Write, text: str):
    with pytest.raises(ConfigurationError):
        read_settings(write(text))


def test_bytes_that_are_no_text_are_refused(tmp_path: Path):
    (tmp_path / "tonnage.toml").write_bytes(b"[load]\n# \xff")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_settings(tmp_path / "tonnage.toml")


def test_a_directory_is_no_settings_file(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_settings(tmp_path)


def test_an_environment_of_other_bytes_names_the_variable(write: Write):
    with pytest.raises(ConfigurationError, match="TONNAGE_SERVICE_NAME"):
        read_settings(write(""), environment={"TONNAGE_SERVICE_NAME": "x\udce9"})


def test_a_flag_cannot_smuggle_in_a_second_key(write: Write):
    with pytest.raises(ConfigurationError):
        read_settings(write(""), overrides=["load.users=5\nother = 1"])


WORDS = st.text(st.characters(codec="utf-8"), max_size=12)
SCALARS = st.one_of(
    st.integers().map(str),
    st.floats().map(repr),
    st.sampled_from(["true", "false", "[]", "{}", "2020-01-01", "12:00:00", "'90s'", "'5/s'"]),
    WORDS.map(lambda word: "'" + word.replace("'", "") + "'"),
    WORDS,
)
LINES = st.one_of(
    st.sampled_from(sorted(keys())).map("[{}]".format),
    st.tuples(st.sampled_from(sorted({key for _, key in ALL_KEYS})), SCALARS).map(" = ".join),
    st.tuples(WORDS, SCALARS).map(" = ".join),
    WORDS,
)


def only_settings_or_refusal(file: Path, **sources: object) -> None:
    try:
        settings = read_settings(file, **sources)  # type: ignore[arg-type]
    except ConfigurationError:
        return
    assert isinstance(settings, Settings)


@given(lines=st.lists(LINES, max_size=8))
def test_only_configuration_error_comes_out_of_any_file(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
):
    file = tmp_path_factory.getbasetemp() / "fuzzed.toml"
    file.write_text("\n".join(lines), encoding="utf-8", newline="")
    only_settings_or_refusal(file)


@given(content=st.binary(max_size=80))
def test_only_configuration_error_comes_out_of_any_bytes(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
):
    file = tmp_path_factory.getbasetemp() / "fuzzed.toml"
    file.write_bytes(content)
    only_settings_or_refusal(file)


@given(place=st.sampled_from(ALL_KEYS), value=SCALARS | st.text(max_size=12))
def test_only_configuration_error_comes_out_of_any_value(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[str, str], value: str
):
    file = tmp_path_factory.getbasetemp() / "empty.toml"
    file.touch()
    section, key = place
    only_settings_or_refusal(file, overrides=[f"{section}.{key}={value}"])
    variable = f"TONNAGE_{section}_{key}".upper()
    only_settings_or_refusal(file, environment={variable: value})
