"""
What ``DescribeEndpoint`` tells.
"""

from collections.abc import Mapping
from typing import Any

from tonnage.emulator._endpoint import Endpoint, EndpointStatus
from tonnage.emulator._hosting import Hosted
from tonnage.emulator._local import LocalSageMaker
from tonnage.emulator._serverless import ServerlessFleet
from tonnage.emulator._update import Replacement
from tonnage.emulator._variant import ProductionVariant

from ._arns import Kind, arn

__all__ = ["described"]


def described(endpoint: Endpoint, sagemaker: LocalSageMaker) -> Mapping[str, Any]:
    """Return ``DescribeEndpoint``'s answer."""
    answer: dict[str, Any] = {
        "EndpointName": endpoint.endpoint_name,
        "EndpointArn": arn(Kind.ENDPOINT, endpoint.endpoint_name),
        "EndpointConfigName": endpoint.config.config_name,
        "EndpointStatus": str(endpoint.status),
        "CreationTime": endpoint.created_epoch_seconds,
        "LastModifiedTime": endpoint.modified_epoch_seconds,
    }
    if endpoint.status not in {EndpointStatus.CREATING, EndpointStatus.FAILED}:
        answer["ProductionVariants"] = [
            _summary(variant, sagemaker)
            for variant in endpoint.variants.values()
            if endpoint.hosts(variant)
        ]
    if endpoint.failure_reason:
        answer["FailureReason"] = endpoint.failure_reason
    if endpoint.plan is not None and endpoint.plan.members:
        answer["LastDeploymentConfig"] = endpoint.plan.members
    if endpoint.replacement is not None:
        answer["PendingDeploymentSummary"] = _pending(endpoint.replacement)
    return answer


def _summary(variant: ProductionVariant, sagemaker: LocalSageMaker) -> Mapping[str, Any]:
    hosted = variant.hosted
    summary: dict[str, Any] = {
        **_capacity(hosted, desired_count=variant.desired_instance_count),
        "RoutingConfig": {"RoutingStrategy": str(hosted.spec.routing)},
    }
    model = sagemaker.models.get(hosted.spec.model_name)
    container = model.members.get("PrimaryContainer", {}) if model else {}
    if model is not None and "Image" in container:
        summary["DeployedImages"] = [
            {
                "SpecifiedImage": container["Image"],
                "ResolvedImage": container["Image"],
                "ResolutionTime": model.created_epoch_seconds,
            }
        ]
    if variant.is_scaling:
        summary["VariantStatus"] = [{"Status": "Updating"}]
    return summary


def _pending(replacement: Replacement) -> Mapping[str, Any]:
    counts = replacement.target_counts
    return {
        "EndpointConfigName": replacement.incoming.config.config_name,
        "StartTime": replacement.started_epoch_seconds,
        "ProductionVariants": [
            {
                **_capacity(hosted, desired_count=counts[name]),
                **(
                    {"InstanceType": hosted.spec.instance_type}
                    if hosted.spec.serverless is None
                    else {}
                ),
                "VariantStatus": [{"Status": replacement.stage}],
            }
            for name, hosted in replacement.incoming.hosted.items()
        ],
    }


def _capacity(hosted: Hosted, *, desired_count: int) -> Mapping[str, Any]:
    fleet = hosted.fleet
    capacity: dict[str, Any] = {
        "VariantName": hosted.spec.variant_name,
        "CurrentWeight": hosted.weight,
        "DesiredWeight": hosted.weight,
    }
    if isinstance(fleet, ServerlessFleet):
        assert hosted.spec.serverless is not None
        config: dict[str, Any] = {
            "MemorySizeInMB": hosted.spec.serverless.memory_mb,
            "MaxConcurrency": fleet.max_concurrency,
        }
        if fleet.desired_count:
            config["ProvisionedConcurrency"] = fleet.desired_count
        return {**capacity, "CurrentServerlessConfig": config, "DesiredServerlessConfig": config}
    return {
        **capacity,
        "CurrentInstanceCount": len(fleet.in_service),
        "DesiredInstanceCount": desired_count,
    }
