"""
Endpoints.
"""

from collections.abc import Mapping
from typing import Any, Final

from tonnage.emulator._endpoint import Endpoint, EndpointStatus
from tonnage.emulator._local import LocalSageMaker
from tonnage.emulator._serverless import ServerlessFleet
from tonnage.emulator._variant import ProductionVariant
from tonnage.emulator.specs import DeploymentPlan, EndpointConfig

from ._arns import Kind, already_exists, arn, in_progress, invalid, not_found
from ._deployment_plans import deployment_plan
from ._descriptions import described
from ._listing import Listed, page
from ._tags import Tags

__all__ = ["Endpoints"]

_COUNT: Final = "DesiredInstanceCount"
_WEIGHT: Final = "DesiredWeight"


class Endpoints:
    """The operations on endpoints."""

    def __init__(self, sagemaker: LocalSageMaker, tags: Tags) -> None:
        self._sagemaker = sagemaker
        self._tags = tags

    async def create(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """``CreateEndpoint``: its instances come up in the background."""
        name = parameters["EndpointName"]
        if name in self._sagemaker.endpoints:
            raise already_exists(Kind.ENDPOINT, name)
        config = self._config(parameters)
        plan = _plan(config, parameters.get("DeploymentConfig"))
        endpoint = self._sagemaker.add_endpoint(name, config)
        endpoint.plan = plan
        self._tags.put(arn(Kind.ENDPOINT, name), parameters.get("Tags", ()))
        endpoint.create_soon()
        return {"EndpointArn": arn(Kind.ENDPOINT, name)}

    async def describe(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """``DescribeEndpoint``."""
        return described(self._endpoint(parameters), self._sagemaker)

    async def list(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """``ListEndpoints``."""
        return page("Endpoints", map(_listed, self._sagemaker.endpoints.values()), parameters)

    async def update(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """``UpdateEndpoint``."""
        endpoint = self._changeable(parameters)
        config = self._config(parameters)
        self._check_scalable_targets(endpoint, config)
        kept = _kept_properties(parameters)
        both = [
            (variant, spec)
            for spec in config.variants
            if (variant := endpoint.variants.get(spec.variant_name)) is not None
            and (variant.hosted.spec.serverless is None) == (spec.serverless is None)
        ]
        counts = {spec.variant_name: v.desired_instance_count for v, spec in both}
        weights = {spec.variant_name: v.hosted.weight for v, spec in both}
        endpoint.update_soon(
            config,
            _update_plan(endpoint, config, parameters),
            retained_counts=counts if _COUNT in kept else {},
            retained_weights=weights if _WEIGHT in kept else {},
        )
        return {"EndpointArn": arn(Kind.ENDPOINT, endpoint.endpoint_name)}

    async def update_weights_and_capacities(
        self, parameters: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """``UpdateEndpointWeightsAndCapacities``."""
        endpoint = self._changeable(parameters)
        changes = [
            (_variant(endpoint, wanted["VariantName"]), wanted)
            for wanted in parameters["DesiredWeightsAndCapacities"]
        ]
        for variant, wanted in changes:
            _check_change(variant, wanted)
        endpoint.set_weights({v.variant_name: w[_WEIGHT] for v, w in changes if _WEIGHT in w})
        for variant, wanted in changes:
            _change(variant, wanted)
        return {"EndpointArn": arn(Kind.ENDPOINT, endpoint.endpoint_name)}

    async def delete(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """``DeleteEndpoint``: its instances drain in the background."""
        endpoint = self._endpoint(parameters)
        if endpoint.status in {
            EndpointStatus.CREATING,
            EndpointStatus.UPDATING,
            EndpointStatus.DELETING,
        }:
            raise in_progress(endpoint.endpoint_name)
        self._tags.forget(arn(Kind.ENDPOINT, endpoint.endpoint_name))
        self._sagemaker.delete_endpoint_soon(endpoint)
        return {}

    def _endpoint(self, parameters: Mapping[str, Any]) -> Endpoint:
        name = parameters["EndpointName"]
        endpoint = self._sagemaker.endpoints.get(name)
        if endpoint is None:
            raise not_found(Kind.ENDPOINT, name)
        return endpoint

    def _changeable(self, parameters: Mapping[str, Any]) -> Endpoint:
        endpoint = self._endpoint(parameters)
        if endpoint.status is EndpointStatus.FAILED:
            raise invalid(
                f'Cannot update endpoint "{arn(Kind.ENDPOINT, endpoint.endpoint_name)}": it is'
                " Failed, and can only be deleted."
            )
        if endpoint.status not in {
            EndpointStatus.IN_SERVICE,
            EndpointStatus.UPDATE_ROLLBACK_FAILED,
        }:
            raise in_progress(endpoint.endpoint_name)
        return endpoint

    def _config(self, parameters: Mapping[str, Any]) -> EndpointConfig:
        name = parameters["EndpointConfigName"]
        config = self._sagemaker.configs.get(name)
        if config is None:
            raise not_found(Kind.ENDPOINT_CONFIG, name)
        for spec in config.variants:
            if spec.model_name not in self._sagemaker.models:
                raise not_found(Kind.MODEL, spec.model_name)
        return config

    def _check_scalable_targets(self, endpoint: Endpoint, config: EndpointConfig) -> None:
        types = {spec.variant_name: spec.instance_type for spec in config.variants}
        bound = [
            name
            for name, variant in endpoint.variants.items()
            if types.get(name) != variant.instance_type
            and self._sagemaker.is_scalable_target(endpoint.endpoint_name, name)
        ]
        if bound:
            raise invalid(
                f'The variant(s) "{", ".join(bound)}" must be deregistered as scalable targets with'
                " AWS Auto Scaling before they can be removed or have their instance type updated."
            )


def _plan(config: EndpointConfig, members: Mapping[str, Any] | None) -> DeploymentPlan:
    return deployment_plan(
        members,
        instance_count=max(spec.initial_instance_count for spec in config.variants),
        is_serverless=any(spec.serverless for spec in config.variants),
    )


def _update_plan(
    endpoint: Endpoint, config: EndpointConfig, parameters: Mapping[str, Any]
) -> DeploymentPlan:
    given = parameters.get("DeploymentConfig")
    if parameters.get("RetainDeploymentConfig"):
        if given:
            raise invalid("DeploymentConfig and RetainDeploymentConfig exclude each other.")
        return endpoint.plan or DeploymentPlan()
    return _plan(config, given)


def _kept_properties(parameters: Mapping[str, Any]) -> set[str]:
    if not parameters.get("RetainAllVariantProperties"):
        return set()
    excluded = parameters.get("ExcludeRetainedVariantProperties", [])
    return {_COUNT, _WEIGHT} - {prop["VariantPropertyType"] for prop in excluded}


def _variant(endpoint: Endpoint, variant_name: str) -> ProductionVariant:
    variant = endpoint.variants.get(variant_name)
    if variant is None:
        raise invalid(
            f'Could not find variant "{variant_name}" of endpoint'
            f' "{arn(Kind.ENDPOINT, endpoint.endpoint_name)}".'
        )
    return variant


def _check_change(variant: ProductionVariant, wanted: Mapping[str, Any]) -> None:
    name, is_serverless = variant.variant_name, variant.hosted.spec.serverless is not None
    if _COUNT in wanted and is_serverless:
        raise invalid(f"Variant {name} is serverless: it has no {_COUNT}.")
    if wanted.get(_COUNT, 1) < 1:
        raise invalid(f"{_COUNT} of variant {name} must be at least 1.")
    update = wanted.get("ServerlessUpdateConfig")
    if update is None:
        return
    fleet = variant.hosted.fleet
    if not isinstance(fleet, ServerlessFleet):
        raise invalid(f"Variant {name} is not serverless: it has no ServerlessUpdateConfig.")
    most = update.get("MaxConcurrency", fleet.max_concurrency)
    warm = update.get("ProvisionedConcurrency", fleet.desired_count)
    if warm > most:
        raise invalid(f"ProvisionedConcurrency {warm} is greater than MaxConcurrency {most}.")


def _change(variant: ProductionVariant, wanted: Mapping[str, Any]) -> None:
    fleet, update = variant.hosted.fleet, wanted.get("ServerlessUpdateConfig", {})
    if isinstance(fleet, ServerlessFleet):
        fleet.max_concurrency = update.get("MaxConcurrency", fleet.max_concurrency)
        if "ProvisionedConcurrency" in update:
            variant.set_desired_instance_count(update["ProvisionedConcurrency"])
    if _COUNT in wanted:
        variant.set_desired_instance_count(wanted[_COUNT])


def _listed(endpoint: Endpoint) -> Listed:
    created, modified = endpoint.created_epoch_seconds, endpoint.modified_epoch_seconds
    return Listed(
        name=endpoint.endpoint_name,
        created_epoch_seconds=created,
        modified_epoch_seconds=modified,
        status=str(endpoint.status),
        summary={
            "EndpointName": endpoint.endpoint_name,
            "EndpointArn": arn(Kind.ENDPOINT, endpoint.endpoint_name),
            "CreationTime": created,
            "LastModifiedTime": modified,
            "EndpointStatus": str(endpoint.status),
        },
    )
