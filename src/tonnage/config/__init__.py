"""
``tonnage.toml`` → settings.

Only ``cli`` reads them; it hands each room a dataclass of its own.
"""

from ._reading import DEFAULT_FILE, keys, read_settings
from .settings import (
    ApiSettings,
    AwsSettings,
    EndpointSettings,
    LoadSettings,
    LocalSettings,
    ObjectiveSettings,
    ScalingSettings,
    ServiceSettings,
    ServingSettings,
    Settings,
)

__all__ = [
    "DEFAULT_FILE",
    "ApiSettings",
    "AwsSettings",
    "EndpointSettings",
    "LoadSettings",
    "LocalSettings",
    "ObjectiveSettings",
    "ScalingSettings",
    "ServiceSettings",
    "ServingSettings",
    "Settings",
    "keys",
    "read_settings",
]
