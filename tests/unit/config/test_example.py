"""
The reference example's settings are the design's.
"""

import tomllib
from dataclasses import fields, is_dataclass
from pathlib import Path

from tonnage.config import (
    ApiSettings,
    AwsSettings,
    DeploymentSettings,
    EndpointSettings,
    LoadSettings,
    LocalSettings,
    ObjectiveSettings,
    ScalingSettings,
    ScheduledSettings,
    ServiceSettings,
    ServingSettings,
    Settings,
    StepAdjustmentSettings,
    StepSettings,
    keys,
    read_settings,
)
from tonnage.domain import ErrorObjective, LatencyObjective


def test_the_example_is_the_design_to_the_digit(example: Path):
    settings = read_settings(example / "tonnage.toml")
    assert settings.service == ServiceSettings(
        name="real-estate-evaluation",
        handler="service:RealEstate",
        model="model.joblib",
        artefact="artefact",
        route="/evaluate",
        data=None,
    )
    assert settings.objective.latency == LatencyObjective(percentile=0.99, threshold_seconds=0.25)
    assert settings.objective.errors == ErrorObjective(max_fraction=0.001)
    assert settings.serving.workers == "cores"
    assert settings.serving.max_body_bytes == 6_291_456
    assert settings.endpoint == EndpointSettings(
        variant="linear-model",
        instance_type="ml.c5.large",
        initial_instance_count=1,
        initial_variant_weight=1.0,
    )
    scaling = settings.scaling
    assert scaling.enabled is True
    assert scaling.policy_name == "SageMaker-Invocations-ScalingPolicy"
    assert (scaling.min_capacity, scaling.max_capacity) == (1, 10)
    assert scaling.metric == "SageMakerVariantInvocationsPerInstance"
    assert scaling.target_value == 60
    assert (scaling.scale_in_cooldown_seconds, scaling.scale_out_cooldown_seconds) == (60, 60)
    load = settings.load
    assert (load.users, load.spawn_rate_per_second, load.pacing_seconds) == (1000, 1, 1)
    assert (load.arrivals, load.locustfile) == ("dephased", "locustfile.py")
    local = settings.local
    assert (local.instance_rate_per_second, local.instance_queue_seconds) == (600, 0.07)
    assert (local.provisioning_delay_seconds, local.metric_delay_seconds) == (300, 0)
    assert local.time_scale == 20
    assert settings.api == ApiSettings(front="rest", auth="iam", cors_origins=[])
    assert settings.aws == AwsSettings(region="us-east-1", stack="real-estate", tags={})


def test_the_example_spells_every_key_that_it_can(example: Path):
    tables = tomllib.loads((example / "tonnage.toml").read_text())
    spelled = {(section, key) for section, table in tables.items() for key in table}
    known = {(section, key) for section, names in keys().items() for key in names}
    # Rows of its own it has none, nor a pickle; a rate is for open loop, instead of users. What
    # only a deployment takes is left at its defaults.
    left = {(section, key) for section, key in known - spelled if section != "deployment"}
    assert left == {
        ("service", "data"),
        ("serving", "allow_pickle"),
        ("load", "rate"),
        ("scaling", "step"),
        ("scaling", "scheduled"),
        ("api", "throttle_rate"),
        ("api", "throttle_burst"),
        ("aws", "instance_quota"),
        ("aws", "serverless_concurrency_quota"),
    }


def test_the_files_it_names_are_beside_it(example: Path):
    settings = read_settings(example / "tonnage.toml")
    assert settings.load.locustfile is not None
    assert settings.path(settings.load.locustfile).is_file()
    assert settings.path("service.py").is_file()


def test_every_section_has_keys():
    sections = {field.name for field in fields(Settings)} - {"directory"}
    assert set(keys()) == sections
    assert all(keys().values())


def test_settings_are_frozen_all_the_way_down():
    for kind in (
        Settings,
        ServiceSettings,
        ObjectiveSettings,
        ServingSettings,
        EndpointSettings,
        ScalingSettings,
        LoadSettings,
        LocalSettings,
        ApiSettings,
        AwsSettings,
        DeploymentSettings,
        ScheduledSettings,
        StepSettings,
        StepAdjustmentSettings,
    ):
        assert is_dataclass(kind)
        assert kind.__dataclass_params__.frozen
