"""
The model: its container image, its data, and the role that SageMaker runs it with.

The role may pull one repository, read one object, write one log group and publish one namespace of
metrics. It has no managed policy and no action with a wildcard.
"""

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import aws_cdk as cdk
from aws_cdk import aws_ecr_assets, aws_iam, aws_sagemaker

from tonnage.deployment.checks import ECR_IMAGE
from tonnage.deployment.settings import DeploymentOptions, ModelSource

from .encryption import Encryption

__all__ = ["ModelFiles", "log_group_name", "model"]

_METRICS_NAMESPACE: Final = "/aws/sagemaker/Endpoints"
_PULL: Final = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelFiles:
    """
    What is uploaded with a deployment.

    Attributes:
        context: The image's build context; None when an image is given.
        archive: The model's ``model.tar.gz``; None when it is in the image, or in S3 already.
        architecture: What the image is built for.
    """

    context: Path | None = None
    archive: Path | None = None
    architecture: Literal["x86_64", "arm64"] = "x86_64"


def log_group_name(options: DeploymentOptions) -> str:
    """Return where SageMaker writes what the endpoint's containers print."""
    return f"/aws/sagemaker/Endpoints/{options.endpoint_name}"


def model(
    stack: cdk.Stack, options: DeploymentOptions, files: ModelFiles, encryption: Encryption
) -> aws_sagemaker.CfnModel:
    """Return the model and, with it, the role that SageMaker runs it with."""
    image, repository_arn = _image(stack, options.model, files)
    data_url, data_arn = _data(stack, options.model, files)
    role = _role(
        stack,
        options,
        [
            *_pulling(repository_arn),
            *_telling(stack, options),
            *_reading(data_arn),
            *encryption.statements,
        ],
    )
    resource = aws_sagemaker.CfnModel(
        stack,
        "Model",
        execution_role_arn=role.role_arn,
        enable_network_isolation=options.model.network_isolation,
        primary_container=aws_sagemaker.CfnModel.ContainerDefinitionProperty(
            image=image,
            model_data_url=data_url,
            environment=dict(options.model.environment) or None,
        ),
    )
    # SageMaker checks the role's permissions when the model is created.
    resource.node.add_dependency(role)
    return resource


def _image(stack: cdk.Stack, model: ModelSource, files: ModelFiles) -> tuple[str, str]:
    if model.image_uri is not None:
        named = ECR_IMAGE.fullmatch(model.image_uri)
        assert named is not None, "checked before"
        arn = stack.format_arn(
            service="ecr",
            region=named["region"],
            account=named["account"],
            resource="repository",
            resource_name=named["repository"],
        )
        return model.image_uri, arn
    assert files.context is not None, "without an image there is a context to build one from"
    arm = files.architecture == "arm64"
    asset = aws_ecr_assets.DockerImageAsset(
        stack,
        "Image",
        directory=str(files.context),
        platform=aws_ecr_assets.Platform.LINUX_ARM64
        if arm
        else aws_ecr_assets.Platform.LINUX_AMD64,
    )
    return asset.image_uri, asset.repository.repository_arn


def _data(stack: cdk.Stack, model: ModelSource, files: ModelFiles) -> tuple[str | None, str | None]:
    if model.model_data == "image":
        return None, None
    if model.model_data == "s3":
        assert files.archive is not None, "there is an archive to upload"
        uploaded = _upload(stack, files.archive)
        object_arn = f"arn:{cdk.Aws.PARTITION}:s3:::{uploaded.bucket_name}/{uploaded.object_key}"
        return uploaded.s3_object_url, object_arn
    address = model.model_data.removeprefix("s3://")
    return model.model_data, f"arn:{cdk.Aws.PARTITION}:s3:::{address}"


def _upload(stack: cdk.Stack, archive: Path) -> cdk.FileAssetLocation:
    """Add a file to the assembly under a key that ends in ``.tar.gz``, as ``ModelDataUrl`` must."""
    stage = cdk.Stage.of(stack)
    assert stage is not None
    # A key is this and the file's last suffix: an Asset of the CDK would be called HASH.gz.
    name = f"{hashlib.sha256(archive.read_bytes()).hexdigest()}.tar"
    shutil.copyfile(archive, Path(stage.asset_outdir, f"{name}.gz"))
    return stack.synthesizer.add_file_asset(
        source_hash=name,
        file_name=f"{name}.gz",
        packaging=cdk.FileAssetPackaging.FILE,
        display_name="model data",
    )


def _role(
    stack: cdk.Stack, options: DeploymentOptions, statements: Sequence[aws_iam.PolicyStatement]
) -> aws_iam.Role:
    mine = stack.format_arn(
        service="sagemaker", resource="*", arn_format=cdk.ArnFormat.NO_RESOURCE_NAME
    )
    return aws_iam.Role(
        stack,
        "ExecutionRole",
        description=f"What SageMaker may do for the endpoint {options.endpoint_name}",
        # Only for this account's own endpoints: nobody else's can make SageMaker use the role.
        assumed_by=aws_iam.ServicePrincipal(
            "sagemaker.amazonaws.com", conditions={"ArnLike": {"aws:SourceArn": mine}}
        ),
        inline_policies={"endpoint": aws_iam.PolicyDocument(statements=statements)},
    )


def _pulling(repository_arn: str) -> Iterator[aws_iam.PolicyStatement]:
    yield aws_iam.PolicyStatement(sid="PullImage", actions=list(_PULL), resources=[repository_arn])
    # A token is for the whole registry: IAM knows no narrower resource.
    yield aws_iam.PolicyStatement(
        sid="LogInToRegistry", actions=["ecr:GetAuthorizationToken"], resources=["*"]
    )


def _telling(stack: cdk.Stack, options: DeploymentOptions) -> Iterator[aws_iam.PolicyStatement]:
    # Metrics are no resource either; the condition holds them to one namespace.
    yield aws_iam.PolicyStatement(
        sid="PublishMetrics",
        actions=["cloudwatch:PutMetricData"],
        resources=["*"],
        conditions={"StringEquals": {"cloudwatch:namespace": _METRICS_NAMESPACE}},
    )
    group = stack.format_arn(
        service="logs",
        resource="log-group",
        resource_name=log_group_name(options),
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
    yield aws_iam.PolicyStatement(
        sid="WriteLogs",
        actions=["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        resources=[group, f"{group}:*"],
    )


def _reading(data_arn: str | None) -> Iterator[aws_iam.PolicyStatement]:
    if data_arn is not None:
        yield aws_iam.PolicyStatement(
            sid="ReadModelData", actions=["s3:GetObject"], resources=[data_arn]
        )
