"""
A file of faults: what is read, and what is refused, naming the entry.
"""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.domain import ConfigurationError
from tonnage.emulator import Fault, FaultAction, read_faults

WHOLE = """
[[fault]]
at = "5m"
action = "freeze"
endpoint = "prices"
variant = "linear-model"
instance = "all"
for = "2m"

[[fault]]
at = "30s"
action = "slow"
instance = 2
for = "1m"
factor = 3
delay = "200ms"

[[fault]]
action = "fail_launch"
count = 4

[[fault]]
at = "10s"
action = "kill"

[[fault]]
at = "20s"
action = "fail"
for = "5s"
"""
FAULTS = (
    Fault(action=FaultAction.FAIL_LAUNCH, count=4),
    Fault(action=FaultAction.KILL, at_seconds=10.0),
    Fault(action=FaultAction.FAIL, at_seconds=20.0, for_seconds=5.0),
    Fault(
        action=FaultAction.SLOW,
        at_seconds=30.0,
        instance=2,
        for_seconds=60.0,
        factor=3.0,
        delay_seconds=0.2,
    ),
    Fault(
        action=FaultAction.FREEZE,
        at_seconds=300.0,
        endpoint="prices",
        variant="linear-model",
        instance="all",
        for_seconds=120.0,
    ),
)


def written(directory: Path, text: str, name: str = "faults.toml") -> Path:
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_toml_file_is_read_in_the_order_of_time(tmp_path: Path):
    assert read_faults(written(tmp_path, WHOLE)) == FAULTS


def test_a_json_file_says_the_same(tmp_path: Path):
    text = json.dumps({"fault": [{"at": "10s", "action": "kill"}]})
    assert read_faults(written(tmp_path, text, "faults.json")) == (FAULTS[1],)


BAD = {
    "no toml": ("[[fault", "is no TOML"),
    "no list": ("at = 1", "holds no list of faults"),
    "one table": ('[fault]\naction = "kill"', "`fault` is no list"),
    "no table": ("fault = [1]", "fault 1 is no table"),
    "unknown key": ('[[fault]]\naction = "kill"\ninstanse = 1', "unknown key, instanse"),
    "unknown action": ('[[fault]]\naction = "explode"', "has the action 'explode'"),
    "no action": ('[[fault]]\nat = "1s"', "has the action None"),
    "no duration": ('[[fault]]\naction = "freeze"', "freeze needs `for`"),
    "bad duration": ('[[fault]]\naction = "kill"\nat = "soon"', "fault 1: at"),
    "bare number": ('[[fault]]\naction = "kill"\nat = 5', "5 is no duration"),
    "slow how": ('[[fault]]\naction = "slow"\nfor = "1s"', "needs `factor`, `delay` or both"),
    "misplaced": ('[[fault]]\naction = "kill"\nfor = "1s"', "kill takes no for"),
    "instance": ('[[fault]]\naction = "kill"\ninstance = -1', "instance is -1"),
    "instance word": ('[[fault]]\naction = "kill"\ninstance = "any"', "instance is 'any'"),
    "instance true": ('[[fault]]\naction = "kill"\ninstance = true', "instance is True"),
    "count": ('[[fault]]\naction = "fail_launch"\ncount = 0', "must be at least 1"),
    "factor": (
        '[[fault]]\naction = "slow"\nfor = "1s"\nfactor = nan',
        "factor is nan; it must be at least 1",
    ),
    "second": ('[[fault]]\naction = "kill"\n[[fault]]\naction = 3', "fault 2 has the action 3"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=list(BAD))
def test_what_is_no_fault_is_refused_and_named(tmp_path: Path, text: str, message: str):
    with pytest.raises(ConfigurationError) as caught:
        read_faults(written(tmp_path, text))
    assert message in caught.value.message
    assert "faults.toml" in caught.value.message


def test_a_typing_error_is_told_the_right_key(tmp_path: Path):
    with pytest.raises(ConfigurationError) as caught:
        read_faults(written(tmp_path, '[[fault]]\naction = "kill"\ninstanse = 1'))
    assert caught.value.hint == "did you mean instance?"


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"nothing\.toml cannot be read"):
        read_faults(tmp_path / "nothing.toml")


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
entries = st.dictionaries(
    st.sampled_from(["at", "action", "for", "instance", "factor", "count", "endpoint", "x"]),
    scalars | st.sampled_from([*FaultAction, "1s", "all"]),
    max_size=5,
)


@given(st.lists(entries, max_size=3))
def test_whatever_a_file_holds_only_the_documented_error_comes_out(
    tmp_path_factory: pytest.TempPathFactory, given_entries: list[dict[str, object]]
):
    text = json.dumps({"fault": given_entries})
    path = written(tmp_path_factory.getbasetemp(), text, "any.json")
    try:
        faults = read_faults(path)
    except ConfigurationError:
        return
    assert len(faults) == len(given_entries)
