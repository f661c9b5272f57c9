"""
Models.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from tonnage.emulator._local import LocalSageMaker
from tonnage.emulator.specs import Model

from ._arns import Kind, already_exists, arn, invalid, not_found, refuse_not_emulated
from ._listing import Listed, page
from ._tags import Tags

__all__ = ["Models"]

_LOCAL_BUCKET: Final = "local"
_NOT_EMULATED: Final = ("InferenceExecutionConfig",)


class Models:
    """The operations on models."""

    def __init__(self, sagemaker: LocalSageMaker, tags: Tags) -> None:
        self._sagemaker = sagemaker
        self._tags = tags

    async def create(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """``CreateModel``: the image is noted, not run."""
        name = parameters["ModelName"]
        if name in self._sagemaker.models:
            raise already_exists(Kind.MODEL, name)
        refuse_not_emulated(parameters, _NOT_EMULATED)
        artefact = self._artefact(_container(parameters))
        members = {key: value for key, value in parameters.items() if key != "Tags"}
        self._sagemaker.add_model(Model(model_name=name, artefact=artefact, members=members))
        self._tags.put(arn(Kind.MODEL, name), parameters.get("Tags", ()))
        return {"ModelArn": arn(Kind.MODEL, name)}

    async def describe(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """``DescribeModel``."""
        model = self._model(parameters)
        return {
            "EnableNetworkIsolation": False,
            **model.members,
            "ModelName": model.model_name,
            "ModelArn": arn(Kind.MODEL, model.model_name),
            "CreationTime": model.created_epoch_seconds,
        }

    async def list(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """``ListModels``."""
        return page("Models", map(_listed, self._sagemaker.models.values()), parameters)

    async def delete(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """``DeleteModel``: endpoints that serve it go on."""
        model = self._model(parameters)
        del self._sagemaker.models[model.model_name]
        self._tags.forget(arn(Kind.MODEL, model.model_name))
        return {}

    def _model(self, parameters: Mapping[str, Any]) -> Model:
        name = parameters["ModelName"]
        model = self._sagemaker.models.get(name)
        if model is None:
            raise not_found(Kind.MODEL, name)
        return model

    def _artefact(self, container: Mapping[str, Any]) -> Path:
        source = container.get("ModelDataSource", {}).get("S3DataSource", {})
        uri = container.get("ModelDataUrl") or source.get("S3Uri")
        if uri is None:
            raise invalid("A model needs a ModelDataUrl or a ModelDataSource here.")
        path = self._sagemaker.model_data.get(uri) or local_path(uri)
        if path is None or not path.exists():
            raise invalid(
                f"Could not find model data at {uri}. Here s3://{_LOCAL_BUCKET}/PATH is the file or"
                " directory /PATH of this machine."
            )
        return path


def local_path(uri: str) -> Path | None:
    """
    Return the file or directory of this machine that a URI names, None for any other URI.

    ``s3://local/PATH`` is ``/PATH``: it is the form that AWS's clients and its service model take.
    """
    parts = urlsplit(uri)
    if parts.scheme == "s3" and parts.netloc == _LOCAL_BUCKET:
        return Path("/", unquote(parts.path).lstrip("/"))
    if parts.scheme == "file" and not parts.netloc:
        return Path(unquote(parts.path))
    return Path(uri) if not parts.scheme else None


def _container(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    containers = parameters.get("Containers", [])
    primary = parameters.get("PrimaryContainer")
    if (primary is None) == (not containers):
        raise invalid("A model has either a PrimaryContainer or Containers.")
    if len(containers) > 1:
        raise invalid("Inference pipelines, with several Containers, are not emulated.")
    container: Mapping[str, Any] = primary or containers[0]
    return container


def _listed(model: Model) -> Listed:
    created = model.created_epoch_seconds
    return Listed(
        name=model.model_name,
        created_epoch_seconds=created,
        summary={
            "ModelName": model.model_name,
            "ModelArn": arn(Kind.MODEL, model.model_name),
            "CreationTime": created,
        },
    )
