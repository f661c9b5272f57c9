"""
The table of operations.
"""

from tonnage.emulator._local import LocalSageMaker
from tonnage.emulator.aws.operations import AwsService

from ._arns import Kind, arn
from ._endpoint_configs import EndpointConfigs
from ._endpoints import Endpoints
from ._models import Models
from ._tags import Tags

__all__ = ["sagemaker_service"]


def sagemaker_service(sagemaker: LocalSageMaker) -> AwsService:
    """Return SageMaker's control plane in front of a local SageMaker."""

    def exists(resource_arn: str) -> bool:
        known = (
            (Kind.MODEL, sagemaker.models),
            (Kind.ENDPOINT_CONFIG, sagemaker.configs),
            (Kind.ENDPOINT, sagemaker.endpoints),
        )
        return any(arn(kind, name) == resource_arn for kind, names in known for name in names)

    tags = Tags(exists)
    models = Models(sagemaker, tags)
    configs = EndpointConfigs(sagemaker, tags)
    endpoints = Endpoints(sagemaker, tags)
    return AwsService(
        name="sagemaker",
        target_prefix="SageMaker",
        operations={
            "AddTags": tags.add,
            "CreateEndpoint": endpoints.create,
            "CreateEndpointConfig": configs.create,
            "CreateModel": models.create,
            "DeleteEndpoint": endpoints.delete,
            "DeleteEndpointConfig": configs.delete,
            "DeleteModel": models.delete,
            "DeleteTags": tags.delete,
            "DescribeEndpoint": endpoints.describe,
            "DescribeEndpointConfig": configs.describe,
            "DescribeModel": models.describe,
            "ListEndpointConfigs": configs.list,
            "ListEndpoints": endpoints.list,
            "ListModels": models.list,
            "ListTags": tags.list,
            "UpdateEndpoint": endpoints.update,
            "UpdateEndpointWeightsAndCapacities": endpoints.update_weights_and_capacities,
        },
    )
