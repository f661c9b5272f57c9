"""
``tonnage.toml`` → settings.

Only ``cli`` reads them; it hands each room a dataclass of its own.
"""

from ._reading import DEFAULT_FILE, keys, read_settings
from .settings import (
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
)

__all__ = [
    "DEFAULT_FILE",
    "ApiSettings",
    "AwsSettings",
    "DeploymentSettings",
    "EndpointSettings",
    "LoadSettings",
    "LocalSettings",
    "ObjectiveSettings",
    "ScalingSettings",
    "ScheduledSettings",
    "ServiceSettings",
    "ServingSettings",
    "Settings",
    "StepAdjustmentSettings",
    "StepSettings",
    "keys",
    "read_settings",
]
