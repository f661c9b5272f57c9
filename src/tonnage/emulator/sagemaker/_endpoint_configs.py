"""
Endpoint configs.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tonnage.emulator._local import LocalSageMaker
from tonnage.emulator.specs import EndpointConfig, RoutingStrategy, ServerlessSpec, VariantSpec

from ._arns import Kind, already_exists, arn, invalid, not_found, refuse_not_emulated
from ._listing import Listed, page
from ._tags import Tags

__all__ = ["EndpointConfigs"]

_NOT_EMULATED: Final = (
    "AsyncInferenceConfig",
    "CrossRegionTrafficConfig",
    "ExplainerConfig",
    "ShadowProductionVariants",
)
_VARIANTS_NOT_EMULATED: Final = ("InstancePools", "ManagedInstanceScaling")
_MEMORY_STEP_MB: Final = 1024


class EndpointConfigs:
    """The operations on endpoint configs."""

    def __init__(self, sagemaker: LocalSageMaker, tags: Tags) -> None:
        self._sagemaker = sagemaker
        self._tags = tags

    async def create(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """``CreateEndpointConfig``."""
        name = parameters["EndpointConfigName"]
        if name in self._sagemaker.configs:
            raise already_exists(Kind.ENDPOINT_CONFIG, name)
        refuse_not_emulated(parameters, _NOT_EMULATED)
        variants = tuple(map(self._variant, parameters["ProductionVariants"]))
        _check_together(variants)
        members = {key: value for key, value in parameters.items() if key != "Tags"}
        self._sagemaker.add_config(
            EndpointConfig(config_name=name, variants=variants, members=members)
        )
        self._tags.put(arn(Kind.ENDPOINT_CONFIG, name), parameters.get("Tags", ()))
        return {"EndpointConfigArn": arn(Kind.ENDPOINT_CONFIG, name)}

    async def describe(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """``DescribeEndpointConfig``."""
        config = self._config(parameters)
        return {
            "EnableNetworkIsolation": False,
            **(config.members or {"ProductionVariants": list(map(_members, config.variants))}),
            "EndpointConfigName": config.config_name,
            "EndpointConfigArn": arn(Kind.ENDPOINT_CONFIG, config.config_name),
            "CreationTime": config.created_epoch_seconds,
        }

    async def list(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """``ListEndpointConfigs``."""
        return page("EndpointConfigs", map(_listed, self._sagemaker.configs.values()), parameters)

    async def delete(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """``DeleteEndpointConfig``: endpoints that were made from it go on."""
        config = self._config(parameters)
        for endpoint in self._sagemaker.endpoints.values():
            if endpoint.is_being_made_from(config):
                raise invalid(
                    f'Cannot delete endpoint configuration "'
                    f'{arn(Kind.ENDPOINT_CONFIG, config.config_name)}": endpoint'
                    f" {endpoint.endpoint_name} is being created or updated with it."
                )
        del self._sagemaker.configs[config.config_name]
        self._tags.forget(arn(Kind.ENDPOINT_CONFIG, config.config_name))
        return {}

    def _config(self, parameters: Mapping[str, Any]) -> EndpointConfig:
        name = parameters["EndpointConfigName"]
        config = self._sagemaker.configs.get(name)
        if config is None:
            raise not_found(Kind.ENDPOINT_CONFIG, name)
        return config

    def _variant(self, members: Mapping[str, Any]) -> VariantSpec:
        name = members["VariantName"]
        refuse_not_emulated(members, _VARIANTS_NOT_EMULATED)
        if "ModelName" not in members:
            raise invalid(
                f"Variant {name} needs a ModelName: inference components are not emulated."
            )
        model = members["ModelName"]
        if model not in self._sagemaker.models:
            raise not_found(Kind.MODEL, model)
        serverless = _serverless(members)
        return VariantSpec(
            variant_name=name,
            model_name=model,
            instance_type=members.get("InstanceType", ""),
            initial_instance_count=members.get("InitialInstanceCount", 0),
            initial_weight=members.get("InitialVariantWeight", 1.0),
            routing=_routing(members),
            serverless=serverless,
        )


def _routing(members: Mapping[str, Any]) -> RoutingStrategy:
    strategy = members.get("RoutingConfig", {}).get("RoutingStrategy", RoutingStrategy.RANDOM)
    if strategy not in set(RoutingStrategy):
        raise invalid(f"RoutingStrategy {strategy} is not emulated.")
    return RoutingStrategy(strategy)


def _serverless(members: Mapping[str, Any]) -> ServerlessSpec | None:
    name, sized = members["VariantName"], ("InstanceType", "InitialInstanceCount")
    config = members.get("ServerlessConfig")
    if config is None:
        missing = [member for member in sized if member not in members]
        if missing:
            raise invalid(f"Variant {name} needs {' and '.join(missing)}, or a ServerlessConfig.")
        return None
    given = [member for member in sized if member in members]
    if given:
        raise invalid(f"Variant {name} is serverless: it has no {' and no '.join(given)}.")
    memory, concurrency = config["MemorySizeInMB"], config["MaxConcurrency"]
    provisioned = config.get("ProvisionedConcurrency", 0)
    if memory % _MEMORY_STEP_MB:
        raise invalid(
            f"MemorySizeInMB {memory} is not one of 1024, 2048, 3072, 4096, 5120 and 6144."
        )
    if provisioned > concurrency:
        raise invalid(
            f"ProvisionedConcurrency {provisioned} is greater than MaxConcurrency {concurrency}."
        )
    return ServerlessSpec(
        memory_mb=memory, max_concurrency=concurrency, provisioned_concurrency=provisioned
    )


def _check_together(variants: Sequence[VariantSpec]) -> None:
    names = [variant.variant_name for variant in variants]
    if len(set(names)) != len(names):
        raise invalid(f"Production variant names must be unique; there are {', '.join(names)}.")
    if len(variants) > 1 and any(variant.serverless for variant in variants):
        raise invalid("A serverless variant must be its endpoint's only one.")


def _members(spec: VariantSpec) -> Mapping[str, Any]:
    """Return a variant that no client made, as one would have."""
    return {
        "VariantName": spec.variant_name,
        "ModelName": spec.model_name,
        "InitialInstanceCount": spec.initial_instance_count,
        "InstanceType": spec.instance_type,
        "InitialVariantWeight": spec.initial_weight,
        "RoutingConfig": {"RoutingStrategy": str(spec.routing)},
    }


def _listed(config: EndpointConfig) -> Listed:
    created = config.created_epoch_seconds
    return Listed(
        name=config.config_name,
        created_epoch_seconds=created,
        summary={
            "EndpointConfigName": config.config_name,
            "EndpointConfigArn": arn(Kind.ENDPOINT_CONFIG, config.config_name),
            "CreationTime": created,
        },
    )
