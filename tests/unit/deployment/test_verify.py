"""
``tonnage verify`` on recorded answers of AWS.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from tonnage.cli.verify import command as verify_command
from tonnage.deployment import (
    DeploymentOptions,
    Expected,
    InstanceVariant,
    ServerlessVariant,
    Verification,
    verify,
)
from tonnage.deployment.live import LiveEndpoint, LiveScaling
from tonnage.deployment.verification import hold_against
from tonnage.domain import (
    ConfigurationError,
    DeploymentError,
    ScheduledAction,
    StepAdjustment,
    StepPolicy,
)
from tonnage.planning import read_prices

BOOK = read_prices(None)
NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
MINUTES = [NOW - timedelta(minutes=after) for after in (3, 2, 1)]
RESOURCE = "endpoint/real-estate-evaluation/variant/linear-model"
ARN = "arn:aws:sagemaker:us-east-1:123456789012:endpoint"
Run = Callable[..., Verification]


def series(**values: list[float]) -> dict[str, Any]:
    return {
        "MetricDataResults": [
            {"Id": name, "Timestamps": MINUTES[: len(each)], "Values": each}
            for name, each in values.items()
        ]
    }


#: Two instances at 300/s each in the last minute, well within the objective.
CALM = series(
    invocations=[18_000.0, 36_000.0, 36_000.0],
    per_instance=[18_000.0, 18_000.0, 18_000.0],
    model=[4_000.0, 5_000.0, 5_500.0],
    overhead=[2_000.0, 2_000.0, 2_500.0],
    errors=[0.0, 0.0, 0.0],
)

POLICY = {
    "PolicyARN": "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:1:policyName/p",
    "PolicyName": "SageMaker-Invocations-ScalingPolicy",
    "ServiceNamespace": "sagemaker",
    "ResourceId": RESOURCE,
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    "PolicyType": "TargetTrackingScaling",
    "CreationTime": NOW,
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 60.0,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
        },
        "ScaleInCooldown": 60,
        "ScaleOutCooldown": 60,
    },
}

TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": RESOURCE,
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    "MinCapacity": 1,
    "MaxCapacity": 10,
    "RoleARN": "arn:aws:iam::123456789012:role/aws-service-role/autoscaling",
    "CreationTime": NOW,
}


@pytest.fixture
def expected(options: DeploymentOptions) -> Expected:
    return Expected(
        endpoint_name="real-estate-evaluation",
        variant=options.variant,
        objective=options.observability.objective,
        line_per_second=600.0,
        instances_usd_month=2 * 74.46,
    )


@pytest.fixture
def run(expected: Expected) -> Run:
    """Verifies against an endpoint that is as planned but for what a test changes."""

    def verified(
        *,
        planned: Expected = expected,
        status: str = "InService",
        variant: dict[str, Any] | None = None,
        count: int = 2,
        targets: tuple[dict[str, Any], ...] = (TARGET,),
        policies: tuple[dict[str, Any], ...] = (POLICY,),
        scheduled: tuple[dict[str, Any], ...] = (),
        alarms: tuple[dict[str, Any], ...] = (),
        metrics: dict[str, Any] = CALM,
    ) -> Verification:
        session = boto3.Session("a", "b", region_name="us-east-1")
        clients = {
            name: session.client(name)
            for name in ("sagemaker", "application-autoscaling", "cloudwatch")
        }
        stubs = {name: Stubber(client) for name, client in clients.items()}
        stubs["sagemaker"].add_response(
            "describe_endpoint",
            {
                "EndpointName": "real-estate-evaluation",
                "EndpointArn": f"{ARN}/real-estate-evaluation",
                "EndpointConfigName": "config-1",
                "EndpointStatus": status,
                "CreationTime": NOW,
                "LastModifiedTime": NOW,
                "ProductionVariants": [
                    {
                        "VariantName": "linear-model",
                        "CurrentInstanceCount": count,
                        "DesiredInstanceCount": count,
                    }
                ],
            },
            {"EndpointName": "real-estate-evaluation"},
        )
        stubs["sagemaker"].add_response(
            "describe_endpoint_config",
            {
                "EndpointConfigName": "config-1",
                "EndpointConfigArn": f"{ARN}-config/config-1",
                "CreationTime": NOW,
                "ProductionVariants": [
                    {
                        "VariantName": "linear-model",
                        "ModelName": "model-1",
                        **(variant or {"InstanceType": "ml.c5.large", "InitialInstanceCount": 1}),
                    }
                ],
            },
            {"EndpointConfigName": "config-1"},
        )
        scaling = stubs["application-autoscaling"]
        scaling.add_response(
            "describe_scalable_targets",
            {"ScalableTargets": list(targets)},
            {
                "ServiceNamespace": "sagemaker",
                "ResourceIds": [RESOURCE],
                "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            },
        )
        if targets:
            scaling.add_response("describe_scaling_policies", {"ScalingPolicies": list(policies)})
            scaling.add_response(
                "describe_scheduled_actions", {"ScheduledActions": list(scheduled)}
            )
        if alarms:
            stubs["cloudwatch"].add_response(
                "describe_alarms",
                {"MetricAlarms": list(alarms)},
                {"AlarmNames": [alarm["AlarmName"] for alarm in alarms]},
            )
        stubs["cloudwatch"].add_response(
            "get_metric_data",
            metrics,
            {
                "MetricDataQueries": ANY,
                "StartTime": NOW - timedelta(hours=3),
                "EndTime": NOW,
                "ScanBy": "TimestampAscending",
            },
        )
        for stub in stubs.values():
            stub.activate()
        return verify(clients.__getitem__, planned, BOOK, now=NOW)

    return verified


def drift(result: Verification) -> dict[str, tuple[Any, Any]]:
    return {each.what: (each.planned, each.actual) for each in result.drift}


def told(result: Verification, what: str) -> object:
    (actual,) = [each.actual for each in result.findings if each.what == what]
    return actual


def test_what_runs_as_planned_has_no_drift(run: Run):
    result = run()
    assert drift(result) == {}
    assert result.minutes == 3
    assert told(result, "load line") == "carried 300/s an instance"
    # (1 + 2 + 2) ÷ 3 instances on average, of 74.46 a month.
    assert told(result, "instances, dollars a month") == 124.1


@pytest.mark.parametrize(
    ("live", "what", "values"),
    [
        ({"status": "Updating"}, "EndpointStatus", ("InService", "Updating")),
        (
            {"variant": {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}},
            "InstanceType",
            ("ml.c5.large", "ml.m5.large"),
        ),
        ({"count": 11}, "CurrentInstanceCount", ("1 to 10", 11)),
        ({"targets": ()}, "ScalableTarget", ("registered", "not registered")),
        ({"targets": ({**TARGET, "MaxCapacity": 12},)}, "MaxCapacity", (10, 12)),
        ({"targets": ({**TARGET, "MinCapacity": 2},)}, "MinCapacity", (1, 2)),
        (
            {"policies": ()},
            "scaling policy SageMaker-Invocations-ScalingPolicy",
            ("there", "missing"),
        ),
        (
            {"policies": (POLICY, {**POLICY, "PolicyName": "by hand"})},
            "scaling policy by hand",
            ("none", "there"),
        ),
    ],
)
def test_a_setting_that_differs_is_named(
    live: dict[str, Any], what: str, values: tuple[Any, Any], run: Run
):
    assert drift(run(**live))[what] == values


@pytest.mark.parametrize(
    ("key", "value", "planned"),
    [("TargetValue", 70.0, 60.0), ("ScaleInCooldown", 300, 60.0), ("ScaleOutCooldown", 0, 60.0)],
)
def test_a_policy_that_differs_is_named(key: str, value: float, planned: float, run: Run):
    configuration = {**POLICY["TargetTrackingScalingPolicyConfiguration"], key: value}  # type: ignore[dict-item]
    changed = {**POLICY, "TargetTrackingScalingPolicyConfiguration": configuration}
    assert drift(run(policies=(changed,))) == {key: (planned, value)}


STEP = StepPolicy(
    policy_name="overload",
    threshold=30_000.0,
    cooldown_seconds=60.0,
    step_adjustments=(StepAdjustment(metric_interval_lower_bound=0.0, scaling_adjustment=2),),
)
STEP_POLICY = {
    **POLICY,
    "PolicyName": "overload",
    "PolicyType": "StepScaling",
    "StepScalingPolicyConfiguration": {
        "AdjustmentType": "ChangeInCapacity",
        "Cooldown": 60,
        "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 2}],
    },
    "Alarms": [{"AlarmName": "e-overload", "AlarmARN": "arn:aws:cloudwatch:us-east-1:1:alarm:x"}],
}
ALARM = {
    "AlarmName": "e-overload",
    "MetricName": "InvocationsPerInstance",
    "Statistic": "Sum",
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "Threshold": 30_000.0,
    "EvaluationPeriods": 1,
    "Period": 60,
}


@pytest.mark.parametrize(
    ("changed", "differs"),
    [({}, False), ({"Threshold": 3_000.0}, True), ({"Period": 300}, True)],
)
def test_the_alarm_of_a_step_policy_is_compared(
    changed: dict[str, float], differs: bool, run: Run, expected: Expected
):
    assert isinstance(expected.variant, InstanceVariant)
    assert expected.variant.scaling is not None
    scaling = replace(expected.variant.scaling, step=(STEP,))
    planned = replace(expected, variant=replace(expected.variant, scaling=scaling))
    alarm = {**ALARM, **changed}
    result = run(planned=planned, policies=(POLICY, STEP_POLICY), alarms=(alarm,))
    assert set(drift(result)) == ({"alarm of overload"} if differs else set())


def test_a_fixed_count_that_scales_after_all_is_named(run: Run, expected: Expected):
    assert isinstance(expected.variant, InstanceVariant)
    fixed = replace(expected.variant, scaling=None, initial_instance_count=2)
    result = run(planned=replace(expected, variant=fixed))
    assert drift(result) == {"ScalableTarget": ("not registered", "registered")}


def test_a_minute_that_misses_the_objective_below_the_line_contradicts_it(run: Run):
    metrics = series(
        invocations=[24_000.0, 12_000.0],
        per_instance=[24_000.0, 12_000.0],
        model=[400_000.0, 5_000.0],
        overhead=[2_000.0, 2_000.0],
        errors=[0.0, 0.0],
    )
    result = run(metrics=metrics)
    assert set(drift(result)) == {"ModelLatency", "load line"}
    line = told(result, "load line")
    assert line == "carried 200/s an instance, missed the objective at 400/s"


def test_a_miss_above_the_line_does_not_contradict_it(run: Run):
    metrics = series(
        invocations=[42_000.0],
        per_instance=[42_000.0],
        model=[400_000.0],
        overhead=[2_000.0],
        errors=[0.1],
    )
    assert set(drift(run(metrics=metrics))) == {"ModelLatency", "Invocation5XXErrors"}


def test_dearer_than_planned_is_drift(run: Run, expected: Expected):
    cheap = replace(expected, instances_usd_month=100.0)
    assert drift(run(planned=cheap)) == {"instances, dollars a month": (100.0, 124.1)}
    near = replace(expected, instances_usd_month=115.0)
    assert drift(run(planned=near)) == {}


def test_a_serverless_endpoint_is_held_against_its_sizes(expected: Expected):
    planned = ServerlessVariant(variant_name="v", memory_size_mb=2048, max_concurrency=20)
    live = LiveEndpoint(
        name="e",
        status="InService",
        variant={"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}},
        current_instance_count=None,
        desired_instance_count=None,
        scaling=None,
        minutes=(),
        window_seconds=3600.0,
    )
    result = hold_against(replace(expected, variant=planned), live, BOOK)
    assert drift(result) == {"MaxConcurrency": (20, 5)}
    assert any("serverless endpoint bills" in note for note in result.notes)
    assert not any("give --" in note for note in result.notes)


def test_a_schedule_in_another_time_zone_is_named(expected: Expected):
    assert isinstance(expected.variant, InstanceVariant)
    scaling = expected.variant.scaling
    assert scaling is not None
    action = ScheduledAction(
        name="morning", schedule="cron(0 8 * * ? *)", timezone="Asia/Taipei", min_capacity=4
    )
    planned = replace(expected.variant, scaling=replace(scaling, scheduled=(action,)))
    there = {"Schedule": action.schedule, "ScalableTargetAction": {"MinCapacity": 4}}
    for zone, differs in (({"Timezone": "Asia/Taipei"}, False), ({}, True)):
        live = LiveEndpoint(
            name="e",
            status="InService",
            variant={"InstanceType": planned.instance_type},
            current_instance_count=1,
            desired_instance_count=1,
            scaling=LiveScaling(
                min_capacity=1,
                max_capacity=10,
                policies={scaling.policy_name: POLICY},
                scheduled={"morning": {**there, **zone}},
            ),
            minutes=(),
            window_seconds=3600.0,
        )
        found = drift(hold_against(replace(expected, variant=planned), live, BOOK))
        assert ("scheduled action morning" in found) is differs, found


def test_without_traffic_nothing_is_made_up(run: Run):
    result = run(metrics=series(invocations=[]))
    assert drift(result) == {}
    assert result.minutes == 0
    assert any("no invocation in the last" in note for note in result.notes)
    assert not {"load line", "ModelLatency"} & {each.what for each in result.findings}


def test_metrics_are_asked_for_page_by_page(expected: Expected):
    cloudwatch = boto3.Session("a", "b", region_name="us-east-1").client("cloudwatch")
    from tonnage.deployment.minutes import read_minutes

    with Stubber(cloudwatch) as stub:
        first = series(invocations=[60.0], per_instance=[60.0])
        stub.add_response("get_metric_data", {**first, "NextToken": "more"})
        stub.add_response("get_metric_data", series(model=[7_000.0]))
        minutes = read_minutes(cloudwatch, "e", "v", expected.objective.latency, NOW, 3600.0)
    assert [(each.instances, each.model_latency_seconds) for each in minutes] == [(1.0, 0.007)]


def test_an_endpoint_that_is_not_there_is_named(expected: Expected):
    client = boto3.Session("a", "b", region_name="us-east-1").client("sagemaker")
    with Stubber(client) as stub:
        stub.add_client_error(
            "describe_endpoint", "ValidationException", "Could not find endpoint", 400
        )
        with pytest.raises(ConfigurationError, match="there is no endpoint real-estate"):
            verify(lambda _service: client, expected, BOOK, now=NOW)


def test_what_aws_refuses_is_told(expected: Expected):
    client = boto3.Session("a", "b", region_name="us-east-1").client("sagemaker")
    with Stubber(client) as stub:
        stub.add_client_error("describe_endpoint", "AccessDeniedException", "not you", 403)
        with pytest.raises(DeploymentError, match="not you"):
            verify(lambda _service: client, expected, BOOK, now=NOW)


def test_a_plan_without_a_best_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from click.testing import CliRunner

    file = tmp_path / "plan.json"
    file.write_text(json.dumps({"best": None}))
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(verify_command, ["--plan", str(file)])
    assert isinstance(result.exception, ConfigurationError)
    assert "no plan with a best" in str(result.exception)
