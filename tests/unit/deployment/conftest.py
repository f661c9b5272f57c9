"""
Deployments in every form, synthesised once with cdk-nag watching.
"""

import json
import os
import shutil
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

import synthesis
from tonnage.artefact import PackReport
from tonnage.deployment import (
    DeploymentOptions,
    Guardrails,
    InstanceVariant,
    ModelSource,
    Observability,
    Scaling,
    ServerlessVariant,
)
from tonnage.domain import (
    ErrorObjective,
    LatencyObjective,
    Objective,
    ScheduledAction,
    StepAdjustment,
    StepPolicy,
)

IMAGE_URI = "123456789012.dkr.ecr.us-east-1.amazonaws.com/real-estate:1"
OBJECTIVE = Objective(
    latency=LatencyObjective.parse("p99 < 250ms"), errors=ErrorObjective.parse("< 0.1%")
)


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """A cloud assembly: its templates, and what cdk-nag said."""

    directory: Path
    templates: dict[str, dict[str, Any]]

    @property
    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads((self.directory / "validation-report.json").read_text())
        return report


@pytest.fixture(scope="session")
def options(packed: PackReport) -> DeploymentOptions:
    """The reference story's deployment, with an image that is there."""
    return DeploymentOptions(
        stack="real-estate",
        region="us-east-1",
        endpoint_name="real-estate-evaluation",
        variant=InstanceVariant(
            variant_name="linear-model",
            instance_type="ml.c5.large",
            initial_instance_count=1,
            scaling=Scaling(
                min_capacity=1,
                max_capacity=10,
                policy_name="SageMaker-Invocations-ScalingPolicy",
                target_value=60.0,
                scale_in_cooldown_seconds=60.0,
                scale_out_cooldown_seconds=60.0,
            ),
        ),
        model=ModelSource(artefact=packed.directory, base="python:3.12-slim", image_uri=IMAGE_URI),
        observability=Observability(objective=OBJECTIVE),
    )


@pytest.fixture(scope="session")
def cases(options: DeploymentOptions) -> dict[str, DeploymentOptions]:
    """Every form of a deployment, by its stack's name."""
    variant = options.variant
    assert isinstance(variant, InstanceVariant)
    assert variant.scaling is not None
    full_scaling = replace(
        variant.scaling,
        min_capacity=3,
        max_capacity=17,
        target_value=1234.5678,
        scale_in_cooldown_seconds=301.0,
        scale_out_cooldown_seconds=31.0,
        step=(
            StepPolicy(
                policy_name="overload",
                metric="InvocationsPerInstance",
                statistic="Sum",
                comparison="GreaterThanOrEqualToThreshold",
                threshold=30_000.0,
                period_seconds=60.0,
                evaluation_periods=1,
                adjustment_type="ChangeInCapacity",
                min_adjustment_magnitude=None,
                cooldown_seconds=45.0,
                step_adjustments=(
                    StepAdjustment(
                        metric_interval_lower_bound=0.0,
                        metric_interval_upper_bound=6000.0,
                        scaling_adjustment=2,
                    ),
                    StepAdjustment(metric_interval_lower_bound=6000.0, scaling_adjustment=5),
                ),
            ),
            StepPolicy(
                policy_name="hot",
                metric="CPUUtilization",
                statistic="Average",
                comparison="GreaterThanOrEqualToThreshold",
                threshold=70.0,
                period_seconds=60.0,
                evaluation_periods=3,
                adjustment_type="ChangeInCapacity",
                min_adjustment_magnitude=None,
                cooldown_seconds=60.0,
                step_adjustments=(
                    StepAdjustment(metric_interval_lower_bound=0.0, scaling_adjustment=1),
                ),
            ),
        ),
        scheduled=(
            ScheduledAction(
                name="morning",
                schedule="cron(0 8 ? * MON-FRI *)",
                timezone="Asia/Taipei",
                min_capacity=4,
                max_capacity=12,
            ),
        ),
    )
    forms = {
        "given-image": options,
        "everything": replace(
            options,
            tags={"team": "pricing"},
            variant=replace(
                variant,
                instance_type="ml.c7g.xlarge",
                initial_instance_count=5,
                initial_variant_weight=2.5,
                scaling=full_scaling,
            ),
            model=replace(
                options.model,
                image_uri=None,
                model_data="s3",
                environment={"SAGEMAKER_MODEL_SERVER_WORKERS": "3"},
                startup_timeout_seconds=600.0,
            ),
            guardrails=Guardrails(
                update="canary", step_fraction=0.2, wait_seconds=120.0, keep_old_seconds=240.0
            ),
            observability=replace(
                options.observability,
                client_error_fraction=0.02,
                log_retention_days=90,
                alarm_topic="arn:aws:sns:us-east-1:123456789012:on-call",
            ),
            kms_key="create",
        ),
        "fixed-count": replace(
            options,
            variant=replace(variant, initial_instance_count=4, scaling=None),
            model=replace(options.model, model_data="s3://models/real-estate/model.tar.gz"),
            guardrails=Guardrails(update="rolling", step_fraction=0.25, wait_seconds=60.0),
            kms_key="alias/volumes",
        ),
        "serverless": replace(
            options,
            variant=ServerlessVariant(
                variant_name="linear-model",
                memory_size_mb=3072,
                max_concurrency=42,
                provisioned_concurrency=7,
            ),
        ),
    }
    return {name: replace(form, stack=name, endpoint_name=name) for name, form in forms.items()}


@pytest.fixture(scope="session")
def cdk_process() -> Iterator[ProcessPoolExecutor]:
    """The process in which all stacks are synthesised and linted: jsii's Node.js starts once."""
    if shutil.which("node") is None:
        if os.environ.get("CI"):
            pytest.fail("these tests synthesise templates: apt install nodejs")
        pytest.skip("synthesising needs Node.js: apt install nodejs")
    with ProcessPoolExecutor(
        max_workers=1,
        mp_context=get_context("spawn"),
        initializer=warnings.simplefilter,  # warnings are errors there as they are here
        initargs=("error",),
    ) as process:
        yield process


@pytest.fixture(scope="session")
def assembly(
    cases: dict[str, DeploymentOptions],
    packed: PackReport,
    cdk_process: ProcessPoolExecutor,
    tmp_path_factory: pytest.TempPathFactory,
) -> Assembly:
    """All of them in one app, so that cdk-nag looks at every stack."""
    directory = tmp_path_factory.mktemp("assembly")
    cdk_process.submit(synthesis.endpoint_stacks, cases, packed.directory, directory).result()
    return Assembly(
        directory=directory,
        templates={
            name: json.loads((directory / f"{name}.template.json").read_text()) for name in cases
        },
    )
