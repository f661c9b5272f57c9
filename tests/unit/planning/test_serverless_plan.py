"""
A serverless endpoint is chosen where the user vouches for its times, and its settings deploy.
"""

import tomllib
from datetime import date
from pathlib import Path

import pytest

from tonnage.cli._convert_deployment import expected_of
from tonnage.config import read_settings
from tonnage.deployment import InstanceVariant, ServerlessVariant
from tonnage.domain import ErrorObjective, LatencyObjective, Objective, PiecewiseRate
from tonnage.planning import Front, Option, Plan, SearchSpace, plan, planned_settings

OBJECTIVE = Objective(
    latency=LatencyObjective(percentile=0.99, threshold_seconds=0.25),
    errors=ErrorObjective(max_fraction=0.001),
)
OWN = """
[deployment]
kind = "{kind}"
memory_size_mb = 6144
max_concurrency = 7
provisioned_concurrency = 3
log_retention_days = 90
[scaling]
min_capacity = 2
"""


def planned(*, allowed: bool) -> Plan:
    """One request a second for an hour: next to nothing for an instance."""
    return plan(
        PiecewiseRate.constant(1.0, 3600.0),
        {"ml.c5.large": 600.0},
        objective=OBJECTIVE,
        fronts=[Front.REST, Front.HTTP],
        types=(),
        space=SearchSpace(alternatives=(), allow_serverless=allowed),
        today=date(2026, 11, 22),
    )


@pytest.fixture(scope="module")
def allowed() -> Plan:
    return planned(allowed=True)


def best_of(made: Plan) -> Option:
    assert made.best is not None
    return made.best


def variant_of(text: str, file: Path) -> InstanceVariant | ServerlessVariant:
    file.write_text(text)
    expected = expected_of(
        read_settings(file),
        endpoint_name=None,
        line_per_second=None,
        instances_usd_month=None,
        tolerance=0.1,
    )
    return expected.variant


def test_serverless_is_shown_and_not_chosen_unless_it_is_allowed(allowed: Plan):
    shown = planned(allowed=False)
    assert best_of(shown).serverless is None
    least = min(
        (option for option in shown.candidates if option.serverless),
        key=lambda option: option.cost.total,
    )
    assert least.meets
    assert least.is_assumed
    assert least.cost.total < best_of(shown).cost.total
    best = best_of(allowed)
    assert best.serverless == least.serverless
    assert best.cost.total == least.cost.total
    assert not best.is_assumed


def test_one_that_is_chosen_holds_the_margin_and_says_what_it_rests_on(allowed: Plan):
    best = best_of(allowed)
    assert best.keeps_margin
    assert best.failed_fraction_with_margin is not None
    assert best.failed_fraction_with_margin >= best.failed_fraction
    assert any("measure it with `tonnage load`" in warning for warning in allowed.warnings)
    assert "x ml.c5.large would cost $78.38 a month instead of $4.24." in " ".join(allowed.why)
    fronts = [option for option in allowed.candidates if option.what.startswith("front ")]
    assert fronts, "the other front is priced, too"
    for option in fronts:
        assert option.serverless == best.serverless
        assert option.cost.serverless == best.cost.serverless > 0
        assert option.cost.instances == 0


def test_its_settings_deploy_it_to_the_digit(allowed: Plan, tmp_path: Path):
    """The file's own sizes, and capacity that is kept warm, are not what was planned."""
    best = best_of(allowed)
    assert best.serverless is not None
    own = tomllib.loads(OWN.format(kind="instances"))
    text = planned_settings(best, own)
    assert variant_of(text, tmp_path / "tonnage.toml") == ServerlessVariant(
        variant_name="AllTraffic",
        memory_size_mb=best.serverless.memory_mb,
        max_concurrency=best.serverless.max_concurrency,
    )
    written = tomllib.loads(text)
    assert written["deployment"]["log_retention_days"] == 90
    assert written["api"]["front"] == str(best.front)


def test_a_plan_on_instances_replaces_a_serverless_endpoint(tmp_path: Path):
    best = best_of(planned(allowed=False))
    own = tomllib.loads(OWN.format(kind="serverless"))
    variant = variant_of(planned_settings(best, own), tmp_path / "tonnage.toml")
    assert isinstance(variant, InstanceVariant)
    assert best.policy is not None
    assert variant.initial_instance_count == best.policy.min_capacity == 1
