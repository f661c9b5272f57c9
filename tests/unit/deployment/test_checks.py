"""
What AWS would refuse is refused before synth, with the reason.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tonnage.deployment import (
    DeploymentOptions,
    Guardrails,
    InstanceVariant,
    ServerlessVariant,
    check_deployment,
    synthesise,
)
from tonnage.deployment.checks import check_image_size
from tonnage.domain import ConfigurationError, ScheduledAction, StepAdjustment, StepPolicy
from tonnage.planning import Limits, read_prices

BOOK = read_prices(None)


def refusal(options: DeploymentOptions, limits: Limits | None = None) -> str:
    with pytest.raises(ConfigurationError) as refused:
        check_deployment(options, BOOK, limits or Limits())
    return refused.value.message


def instances(options: DeploymentOptions) -> InstanceVariant:
    assert isinstance(options.variant, InstanceVariant)
    return options.variant


def scaled(options: DeploymentOptions, **changes: object) -> DeploymentOptions:
    scaling = instances(options).scaling
    assert scaling is not None
    return replace(options, variant=replace(instances(options), scaling=changed(scaling, changes)))


def changed(value: Any, changes: dict[str, Any]) -> Any:  # noqa: ANN401 (any dataclass)
    return replace(value, **changes)


def step(**changes: object) -> StepPolicy:
    plain = StepPolicy(
        policy_name="overload",
        metric="InvocationsPerInstance",
        statistic="Sum",
        comparison="GreaterThanThreshold",
        threshold=1.0,
        period_seconds=60.0,
        evaluation_periods=1,
        adjustment_type="ChangeInCapacity",
        min_adjustment_magnitude=None,
        cooldown_seconds=60.0,
        step_adjustments=(StepAdjustment(metric_interval_lower_bound=0.0, scaling_adjustment=1),),
    )
    stepped: StepPolicy = changed(plain, changes)
    return stepped


def test_every_form_that_is_deployed_passes(cases: dict[str, DeploymentOptions]):
    for form in cases.values():
        check_deployment(form, BOOK, Limits())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"stack": "real_estate"}, "no stack's name"),
        ({"stack": "9lives"}, "no stack's name"),
        ({"region": "frankfurt"}, "no region"),
        ({"endpoint_name": "real_estate"}, "no name that SageMaker takes"),
        ({"endpoint_name": "a" * 64}, "no name that SageMaker takes"),
        ({"endpoint_name": "a-"}, "no name that SageMaker takes"),
        ({"tags": {"aws:mine": "x"}}, "aws:"),
        ({"tags": {f"k{n}": "" for n in range(51)}}, "51 are more than 50"),
        ({"kms_key": "my key"}, "no key's ARN"),
    ],
)
def test_names_and_keys(changes: dict[str, Any], reason: str, options: DeploymentOptions):
    assert reason in refusal(replace(options, **changes))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"image_uri": "real-estate:1"}, "no image in Amazon ECR"),
        (
            {"image_uri": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/a:1"},
            "eu-west-1, the endpoint in us-east-1",
        ),
        ({"startup_timeout_seconds": 30.0}, "60 s to 3600 s, not 30 s"),
        ({"environment": {"A-B": "1"}}, "'A-B' is refused"),
        ({"environment": {"A": "x" * 1025}}, "1,024 bytes"),
    ],
)
def test_the_model(changes: dict[str, Any], reason: str, options: DeploymentOptions):
    assert reason in refusal(replace(options, model=replace(options.model, **changes)))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("ml.t2.medium", "does not auto-scale burstable types"),
        ("ml.t3.medium", "not a hosting type"),
        ("ml.c5.huge", "unknown instance type"),
    ],
)
def test_the_instance_type(kind: str, reason: str, options: DeploymentOptions):
    variant = replace(instances(options), instance_type=kind)
    assert reason in refusal(replace(options, variant=variant))


def test_a_burstable_type_with_a_fixed_count_is_allowed(options: DeploymentOptions):
    variant = replace(instances(options), instance_type="ml.t2.medium", scaling=None)
    check_deployment(replace(options, variant=variant), BOOK, Limits())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"min_capacity": 0}, "at least 1, not 0"),
        ({"min_capacity": 11}, "max_capacity 10 is below min_capacity 11"),
        ({"min_capacity": 2}, "initial_instance_count 1 is outside"),
        ({"policy_name": ""}, "no policy's name"),
        ({"step": (step(policy_name="x|y"),)}, "no policy's name"),
        ({"step": (step(), step())}, "two scaling policies are named 'overload'"),
        ({"step": (step(period_seconds=45.0),)}, "whole minutes, not 45 s"),
        (
            {
                "step": (
                    step(
                        step_adjustments=(
                            StepAdjustment(
                                metric_interval_lower_bound=0.0,
                                metric_interval_upper_bound=5.0,
                                scaling_adjustment=1,
                            ),
                            StepAdjustment(metric_interval_lower_bound=6.0, scaling_adjustment=2),
                        )
                    ),
                )
            },
            "no gap or overlap",
        ),
        ({"step": (step(min_adjustment_magnitude=2),)}, "goes with PercentChangeInCapacity"),
        (
            {"scheduled": (ScheduledAction(name="a", schedule="daily", min_capacity=1),)},
            "'daily' is no schedule",
        ),
        (
            {"scheduled": (ScheduledAction(name="a", schedule="cron(0 8 * *)", min_capacity=1),)},
            "[[scaling.scheduled]] a: ",
        ),
        (
            {
                "scheduled": (
                    ScheduledAction(
                        name="a", schedule="rate(1 day)", timezone="Mars/Rover", min_capacity=1
                    ),
                )
            },
            "'Mars/Rover' is no time zone",
        ),
        ({"step": (step(statistic="Median"),)}, "the statistic 'Median' is none of Average"),
        (
            {"scheduled": (ScheduledAction(name="a", schedule="rate(1 day)"),)},
            "changes nothing",
        ),
        (
            {
                "scheduled": (
                    ScheduledAction(
                        name="a", schedule="rate(1 day)", min_capacity=3, max_capacity=2
                    ),
                )
            },
            "min_capacity 3 is above max_capacity 2",
        ),
    ],
)
def test_scaling(changes: dict[str, Any], reason: str, options: DeploymentOptions):
    assert reason in refusal(scaled(options, **changes))


def test_a_quota_that_is_too_small(options: DeploymentOptions):
    assert "quota of 4 ml.c5.large" in refusal(options, Limits(instances=4))


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ((2000, 20, None), "steps of 1024, not 2000"),
        ((8192, 20, None), "steps of 1024, not 8192"),
        ((2048, 201, None), "MaxConcurrency must be between 1 and 200, not 201"),
        ((2048, 20, 21), "between 1 and MaxConcurrency 20, not 21"),
    ],
)
def test_serverless_sizes(
    sizes: tuple[int, int, int | None], reason: str, options: DeploymentOptions
):
    memory, concurrency, provisioned = sizes
    variant = ServerlessVariant(
        variant_name="v",
        memory_size_mb=memory,
        max_concurrency=concurrency,
        provisioned_concurrency=provisioned,
    )
    assert reason in refusal(replace(options, variant=variant))


def test_an_image_that_is_too_large_for_serverless(cases: dict[str, DeploymentOptions]):
    check_image_size(cases["given-image"], 11 * 10**9)
    check_image_size(cases["serverless"], 10 * 10**9)
    with pytest.raises(ConfigurationError, match="too large for a serverless endpoint"):
        check_image_size(cases["serverless"], 10 * 10**9 + 1)


@pytest.mark.parametrize(
    ("rails", "reason"),
    [
        (Guardrails(update="canary"), "may be 1 instance"),
        (Guardrails(update="linear", step_fraction=0.05), "10% to 50%"),
        (Guardrails(update="rolling", step_fraction=0.6), "5% to 50%"),
        (Guardrails(keep_old_seconds=3601.0), "0 s to 3600 s"),
    ],
)
def test_guardrails(rails: Guardrails, reason: str, options: DeploymentOptions):
    assert reason in refusal(replace(options, guardrails=rails))


def test_everything_that_is_wrong_is_named_at_once(options: DeploymentOptions):
    told = refusal(replace(options, stack="_", region="_", endpoint_name="_"))
    assert told.count("; ") >= 2


def test_nothing_is_written_for_what_would_be_refused(options: DeploymentOptions, tmp_path: Path):
    with pytest.raises(ConfigurationError):
        synthesise(replace(options, stack="_"), tmp_path / "out", book=BOOK)
    assert not (tmp_path / "out").exists()


def test_a_directory_of_something_else_is_left_alone(options: DeploymentOptions, tmp_path: Path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(ConfigurationError, match="something else"):
        synthesise(options, tmp_path, book=BOOK)
    assert (tmp_path / "thesis.tex").read_text() == "mine"


def test_without_node_one_line_says_what_to_install(
    options: DeploymentOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"needs Node\.js") as refused:
        synthesise(options, tmp_path / "out", book=BOOK)
    assert "apt install nodejs" in (refused.value.hint or "")
