"""
``[deployment]`` and the rest of ``tonnage.toml`` → what is deployed.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tonnage.artefact import PackReport
from tonnage.cli._convert import up_options
from tonnage.cli._convert_deployment import (
    deployment_limits,
    deployment_options,
    load_per_second,
)
from tonnage.cli._convert_scaling import policy_of
from tonnage.config import DeploymentSettings, Settings, read_settings
from tonnage.deployment import InstanceVariant, ServerlessVariant, check_deployment
from tonnage.domain import ScheduledAction, StepAdjustment
from tonnage.emulator import UpOptions
from tonnage.planning import Front, Limits, read_prices

HOW_TO = Path(__file__).parents[3] / "docs" / "how-to" / "deploy.md"
Reads = Callable[..., Settings]


@pytest.fixture(scope="module")
def project(
    example: Path, packed: PackReport, model_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The example, packed."""
    project = tmp_path_factory.mktemp("deployed")
    shutil.copy(example / "tonnage.toml", project)
    shutil.copy(example / "service.py", project)
    shutil.copy(model_file, project / "model.joblib")
    shutil.copytree(packed.directory, project / "artefact")
    return project


@pytest.fixture
def reads(project: Path) -> Reads:
    def read(*overrides: str) -> Settings:
        return read_settings(project / "tonnage.toml", overrides=overrides)

    return read


def test_the_example_is_deployed_as_it_is_rehearsed(reads: Reads):
    settings = reads()
    options = deployment_options(settings)
    check_deployment(options, read_prices(None), deployment_limits(settings))
    assert (options.stack, options.region) == ("real-estate", "us-east-1")
    assert isinstance(options.variant, InstanceVariant)
    scaling = options.variant.scaling
    assert scaling is not None
    assert (scaling.min_capacity, scaling.max_capacity, scaling.target_value) == (1, 10, 60.0)
    assert options.front is not None
    assert (options.front.front, options.front.auth) == (Front.REST, "iam")
    assert options.front.example_body == '{"distance": 150.0}'
    assert options.model.environment == {"SAGEMAKER_MAX_PAYLOAD_IN_MB": "6"}
    assert load_per_second(settings) == 1000.0


def test_without_scaling_the_count_is_fixed(reads: Reads):
    variant = deployment_options(reads("scaling.enabled=false")).variant
    assert isinstance(variant, InstanceVariant)
    assert variant.scaling is None


def test_a_serverless_deployment_takes_its_sizes(reads: Reads):
    options = deployment_options(
        reads(
            *("deployment.kind=serverless", "deployment.memory_size_mb=4096"),
            *("deployment.max_concurrency=50", "deployment.provisioned_concurrency=2"),
        )
    )
    assert options.variant == ServerlessVariant(
        variant_name="linear-model",
        memory_size_mb=4096,
        max_concurrency=50,
        provisioned_concurrency=2,
    )


def test_the_containers_own_variables_win(reads: Reads):
    options = deployment_options(
        reads("serving.workers=3", 'deployment.environment={SAGEMAKER_MAX_PAYLOAD_IN_MB = "20"}')
    )
    assert options.model.environment == {
        "SAGEMAKER_MODEL_SERVER_WORKERS": "3",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "20",
    }


def test_leave_to_open_a_pickle_is_handed_on_to_the_container(reads: Reads):
    environment = deployment_options(reads("serving.allow_pickle=true")).model.environment
    assert environment["TONNAGE_SERVING_ALLOW_PICKLE"] == "true"


def test_quotas_and_the_load_are_the_settings(reads: Reads):
    settings = reads("aws.instance_quota=4", "load.rate='250/s'")
    assert deployment_limits(settings) == Limits(instances=4)
    assert load_per_second(settings) == 250.0


def test_the_how_tos_settings_are_the_defaults(tmp_path: Path):
    defaults, policies = re.findall(
        r"```toml\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL
    )
    file = tmp_path / "tonnage.toml"
    file.write_text(defaults)
    assert read_settings(file).deployment == DeploymentSettings()
    file.write_text(policies)
    scaling = read_settings(file).scaling
    assert [step.policy_name for step in scaling.step] == ["overload"]
    assert [action.name for action in scaling.scheduled] == ["morning"]


def test_policies_of_the_settings_arrive_whole(project: Path):
    (_, policies) = re.findall(r"```toml\n(.*?)```", HOW_TO.read_text("utf-8"), re.DOTALL)
    file = project / "policies.toml"
    file.write_text((project / "tonnage.toml").read_text() + policies)
    options = deployment_options(read_settings(file))
    assert isinstance(options.variant, InstanceVariant)
    scaling = options.variant.scaling
    assert scaling is not None
    (step,) = scaling.step
    assert (step.threshold, step.cooldown_seconds) == (30_000.0, 60.0)
    assert step.step_adjustments[1] == StepAdjustment(
        metric_interval_lower_bound=6000.0, scaling_adjustment=5
    )
    assert scaling.scheduled == (
        ScheduledAction(
            name="morning",
            schedule="cron(0 8 ? * MON-FRI *)",
            timezone="Asia/Taipei",
            min_capacity=4,
            max_capacity=12,
        ),
    )


def test_what_is_rehearsed_and_planned_is_what_is_deployed(project: Path):
    """Steps and timetables reach all three rooms as the same values."""
    (_, policies) = re.findall(r"```toml\n(.*?)```", HOW_TO.read_text("utf-8"), re.DOTALL)
    file = project / "policies.toml"
    file.write_text((project / "tonnage.toml").read_text() + policies)
    settings = read_settings(file)
    variant = deployment_options(settings).variant
    rehearsed = up_options(settings, host="127.0.0.1", port=0).scaling
    planned = policy_of(settings).kind
    assert isinstance(variant, InstanceVariant)
    assert variant.scaling is not None
    assert rehearsed is not None
    assert variant.scaling.step == rehearsed.step == planned.steps != ()
    assert variant.scaling.scheduled == rehearsed.scheduled == planned.scheduled != ()
    assert (
        UpOptions.from_json(up_options(settings, host="h", port=0).to_json()).scaling == rehearsed
    )
