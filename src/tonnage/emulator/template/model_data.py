"""
Which artefact of this machine stands for a template's model.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tonnage.domain import ConfigurationError

__all__ = ["put_model_data"]


def put_model_data(
    logical_id: str, properties: dict[str, Any], model_data: Mapping[str, Path]
) -> None:
    """
    Let a model's data be the artefact, on this machine, that stands for it.

    Args:
        logical_id: What the template calls the model.
        properties: The model's, changed in place.
        model_data: The artefacts, as ``apply_template`` takes them.

    Raises:
        ConfigurationError: If nothing says which artefact that is.
    """
    containers = [properties.get("PrimaryContainer"), *properties.get("Containers", [])]
    for container in containers:
        if container is None:
            continue
        source = container.get("ModelDataSource", {}).get("S3DataSource", {})
        uri = container.get("ModelDataUrl") or source.get("S3Uri")
        keys = (logical_id, properties["ModelName"], container.get("Image"), uri, "")
        found = next((model_data[key] for key in keys if key in model_data), None)
        if found is not None:
            container.pop("ModelDataSource", None)
            container["ModelDataUrl"] = f"s3://local{found.resolve()}"
        elif uri is None:
            raise ConfigurationError(
                f"nothing says which artefact stands for the model {logical_id}",
                hint=f"name it: --model-data {logical_id}=PATH",
            )
