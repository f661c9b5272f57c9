"""
The settings a plan writes are whole, and read by the very reader that ``tonnage up`` uses.
"""

import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.config import read_settings
from tonnage.domain import ErrorObjective, LatencyObjective, Objective, PiecewiseRate
from tonnage.planning import Front, Option, plan, planned_settings
from tonnage.planning.toml_text import toml_document, toml_value


@pytest.fixture(scope="module")
def best() -> Option:
    made = plan(
        PiecewiseRate.ramp(0, 1000, 1000),
        {"ml.c5.large": 600.0},
        objective=Objective(
            latency=LatencyObjective(percentile=0.99, threshold_seconds=0.25),
            errors=ErrorObjective(max_fraction=0.001),
        ),
        fronts=[Front.REST],
        types=(),
        today=date(2026, 11, 22),
    )
    assert made.best is not None
    return made.best


def test_the_users_settings_are_kept_and_the_plans_put_in(best: Option, tmp_path: Path):
    old = tmp_path / "tonnage.toml"
    old.write_text(
        '[service]\nname = "mine"\nmodel = "m.joblib"\n[scaling]\npolicy_name = "p"\n'
        "target_value = 60\nmin_capacity = 2\n[local]\ntime_scale = 20\n"
    )
    new = tmp_path / "tonnage.plan.toml"
    new.write_text(planned_settings(best, tomllib.loads(old.read_text()), comment="Why\nnot"))
    settings = read_settings(new)
    assert best.policy is not None
    assert settings.service.name == "mine"
    assert settings.scaling.policy_name == "p"
    assert settings.scaling.target_value == best.policy.target_value
    assert (settings.scaling.min_capacity, settings.scaling.max_capacity) == (1, 2)
    assert settings.scaling.scale_in_cooldown_seconds == best.policy.scale_in_cooldown_seconds
    assert settings.endpoint.instance_type == "ml.c5.large"
    assert settings.endpoint.initial_instance_count == 1
    assert settings.local.time_scale == 20
    assert settings.api.front == "rest"
    assert new.read_text().startswith("# Why\n# not\n")


def test_without_settings_only_what_is_planned_is_written(best: Option, tmp_path: Path):
    new = tmp_path / "tonnage.plan.toml"
    new.write_text(planned_settings(best, {}))
    assert read_settings(new).scaling.max_capacity == 2


def test_paths_are_rewritten_when_the_file_moves(best: Option, tmp_path: Path):
    sections = {"service": {"model": "m.joblib", "artefact": "/abs"}, "load": {}}
    text = planned_settings(best, sections, moved=(tmp_path, tmp_path / "out"))
    written = tomllib.loads(text)
    assert written["service"] == {"model": "../m.joblib", "artefact": "/abs"}


_values = st.recursive(
    st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab. ", max_size=3), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.text("abc-_. é", min_size=1, max_size=6), _values, max_size=4))
def test_values_written_as_toml_read_the_same(values: dict[str, object]):
    assert tomllib.loads(toml_document({"some section": values}))["some section"] == values


def test_what_toml_does_not_have_is_refused():
    with pytest.raises(TypeError, match="NoneType"):
        toml_value(None)
