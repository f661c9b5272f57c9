"""
The swarm on ECS Fargate: a place to run it, and a state machine that runs it and ends it.

There is no service that keeps tasks alive: an execution starts the master and the workers, and
ends when they have. Its own timeout stops what is left of them; each container ends by itself as
well. So between tests the stack costs what its stored results do.
"""

import tempfile
from pathlib import Path
from typing import Final

import aws_cdk as cdk
from aws_cdk import (
    aws_ec2,
    aws_ecr,
    aws_ecr_assets,
    aws_ecs,
    aws_iam,
    aws_logs,
    aws_s3,
    aws_stepfunctions,
)
from constructs import Construct

from tonnage.deployment._constructs import acknowledge, log_group
from tonnage.deployment.checks import ECR_IMAGE
from tonnage.loadtest import LoadPlan, OpenLoopPlan

from .context import write_swarm_context
from .costs import MEMORY_GB, VCPU
from .meeting import MASTER_PORT
from .options import PLAN_VARIABLE, SwarmOptions
from .state_machine import machine_definition, running_role
from .task import BUCKET_VARIABLE, ROLE_VARIABLE

__all__ = ["SwarmStack"]

_UNITS_A_VCPU: Final = 1024
_MIB_A_GB: Final = 1024
_RESULTS_DAYS: Final = 90


class SwarmStack(cdk.Stack):
    """
    A VPC, a cluster, two task definitions, a bucket, and the state machine that runs a test.

    Attributes:
        bucket: Where results go, ``runs/EXECUTION/…``; it outlives the stack.
        state_machine_arn: What to start for a test.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        options: SwarmOptions,
        *,
        region: str,
        image_uri: str | None = None,
        base: str | None = None,
        locustfiles: tuple[Path, ...] = (),
        vpc_id: str | None = None,
        account: str | None = None,
        log_retention_days: int = 30,
        synthesizer: cdk.IStackSynthesizer | None = None,
    ) -> None:
        """
        Make the stack's resources.

        Args:
            scope: The app.
            name: The stack's name.
            options: What is sent, and by how many.
            region: Where; the endpoint's own, or the way there is measured, too.
            image_uri: The swarm's image in ECR; None builds it.
            base: What it is built from.
            locustfiles: What goes into it.
            vpc_id: A VPC with public subnets to run in; it is looked up, which takes ``account``
                and credentials. None makes one without NAT, which costs nothing by itself.
            account: The account's number.
            log_retention_days: How long the tasks' output is kept.
            synthesizer: How the stack's files reach AWS; None for CDK's own way.
        """
        super().__init__(
            scope,
            name,
            env=cdk.Environment(region=region, account=account),
            description="Tonnage's load swarm on ECS Fargate",
            synthesizer=synthesizer,
        )
        self._options = options
        self.bucket = self._bucket()
        vpc = self._vpc(vpc_id)
        self._cluster = cluster = aws_ecs.Cluster(
            self,
            "Cluster",
            vpc=vpc,
            container_insights_v2=aws_ecs.ContainerInsights.DISABLED,
        )
        logs = log_group(self, "Logs", log_retention_days)
        image = self._image(image_uri, base, locustfiles)
        tasks = {role: self._task(role, image, logs) for role in ("master", "worker")}
        groups = self._security_groups(vpc)
        subnets = vpc.select_subnets(subnet_type=aws_ec2.SubnetType.PUBLIC).subnet_ids
        machine = aws_stepfunctions.CfnStateMachine(
            self,
            "Run",
            role_arn=running_role(self, cluster, tasks).role_arn,
            definition=machine_definition(options, cluster.cluster_arn, tasks, groups, subnets),
        )
        self.state_machine_arn: str = machine.ref
        cdk.CfnOutput(self, "Bucket", value=self.bucket.bucket_name)
        cdk.CfnOutput(self, "StateMachine", value=self.state_machine_arn)
        self._acknowledge()

    def _bucket(self) -> aws_s3.Bucket:
        return aws_s3.Bucket(
            self,
            "Results",
            encryption=aws_s3.BucketEncryption.S3_MANAGED,
            block_public_access=aws_s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            lifecycle_rules=[aws_s3.LifecycleRule(expiration=cdk.Duration.days(_RESULTS_DAYS))],
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )

    def _vpc(self, vpc_id: str | None) -> aws_ec2.IVpc:
        if vpc_id is not None:
            return aws_ec2.Vpc.from_lookup(self, "Vpc", vpc_id=vpc_id)
        return aws_ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,
            nat_gateways=0,
            restrict_default_security_group=False,
            subnet_configuration=[
                aws_ec2.SubnetConfiguration(
                    name="Public", subnet_type=aws_ec2.SubnetType.PUBLIC, cidr_mask=24
                )
            ],
        )

    def _image(
        self, image_uri: str | None, base: str | None, locustfiles: tuple[Path, ...]
    ) -> aws_ecs.ContainerImage:
        if image_uri is not None:
            return self._given_image(image_uri)
        chosen = {} if base is None else {"base": base}
        with tempfile.TemporaryDirectory(prefix="tonnage-swarm-") as scratch:
            context = write_swarm_context(
                Path(scratch, "context"), locustfiles=locustfiles, **chosen
            )
            # CDK copies it into the assembly at once.
            asset = aws_ecr_assets.DockerImageAsset(
                self,
                "Image",
                directory=str(context),
                platform=aws_ecr_assets.Platform.LINUX_AMD64,
            )
        return aws_ecs.ContainerImage.from_docker_image_asset(asset)

    def _given_image(self, image_uri: str) -> aws_ecs.ContainerImage:
        image = ECR_IMAGE.fullmatch(image_uri)
        if image is None:
            return aws_ecs.ContainerImage.from_registry(image_uri)
        # Named as a repository, so that the tasks are allowed to pull it.
        repository = aws_ecr.Repository.from_repository_attributes(
            self,
            "ImageRepository",
            repository_name=image["repository"],
            repository_arn=self.format_arn(
                service="ecr",
                region=image["region"],
                account=image["account"],
                resource="repository",
                resource_name=image["repository"],
            ),
        )
        tag = image_uri[image.end("repository") + 1 :]
        return aws_ecs.ContainerImage.from_ecr_repository(repository, tag)

    def _task(
        self, role: str, image: aws_ecs.ContainerImage, logs: aws_logs.LogGroup
    ) -> aws_ecs.FargateTaskDefinition:
        definition = aws_ecs.FargateTaskDefinition(
            self,
            role.capitalize(),
            cpu=VCPU * _UNITS_A_VCPU,
            memory_limit_mib=MEMORY_GB * _MIB_A_GB,
        )
        runs = self.bucket.arn_for_objects("runs/*")
        definition.task_role.add_to_principal_policy(
            aws_iam.PolicyStatement(
                sid="KeepResults", actions=["s3:PutObject", "s3:GetObject"], resources=[runs]
            )
        )
        definition.task_role.add_to_principal_policy(
            aws_iam.PolicyStatement(
                sid="LookForTheMaster",
                actions=["s3:ListBucket"],
                resources=[self.bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": "runs/*"}},
            )
        )
        self._allow_invocations(definition)
        definition.add_container(
            "locust",
            image=image,
            essential=True,
            environment={
                ROLE_VARIABLE: role,
                BUCKET_VARIABLE: self.bucket.bucket_name,
                PLAN_VARIABLE: self._options.to_json(),
                "TONNAGE_SWARM_TIME_TO_LIVE": f"{self._options.life_seconds:.0f}",
            },
            logging=aws_ecs.LogDriver.aws_logs(stream_prefix=role, log_group=logs),
        )
        return definition

    def _allow_invocations(self, definition: aws_ecs.FargateTaskDefinition) -> None:
        plan = self._options.plan
        if not isinstance(plan, OpenLoopPlan) or plan.sagemaker is None:
            return
        endpoint = self.format_arn(
            service="sagemaker",
            region=plan.sagemaker.region,
            resource="endpoint",
            resource_name=plan.sagemaker.endpoint_name.lower(),  # as SageMaker writes its ARN
        )
        definition.task_role.add_to_principal_policy(
            aws_iam.PolicyStatement(
                sid="CallTheEndpoint", actions=["sagemaker:InvokeEndpoint"], resources=[endpoint]
            )
        )

    def _security_groups(self, vpc: aws_ec2.IVpc) -> dict[str, str]:
        """The workers reach the master's port, and nobody else reaches anything."""
        groups = {
            role: aws_ec2.SecurityGroup(
                self, f"{role.capitalize()}Group", vpc=vpc, description=f"Load swarm: {role}"
            )
            for role in ("master", "worker")
        }
        if isinstance(self._options.plan, LoadPlan):  # those of an open loop need no connection
            groups["master"].add_ingress_rule(
                groups["worker"], aws_ec2.Port.tcp(MASTER_PORT), "Locust's workers"
            )
        return {role: group.security_group_id for role, group in groups.items()}

    def _acknowledge(self) -> None:
        tasks = f"arn:<AWS::Partition>:ecs:{self.region}:<AWS::AccountId>:task"
        acknowledge(
            self,
            {
                **_REASONS,
                f"AwsSolutions-IAM5[Resource::<{self._logical_id(self.bucket)}.Arn>/runs/*]": "a"
                " task keeps its results under the run's name, which each execution chooses",
                f"AwsSolutions-IAM5[Resource::{tasks}/<{self._logical_id(self._cluster)}>/*]": "ECS"
                " names the tasks; the cluster is the swarm's own",
            },
        )

    def _logical_id(self, made: Construct) -> str:
        resource = made.node.default_child
        assert isinstance(resource, cdk.CfnElement)
        return str(self.resolve(resource.logical_id))


_REASONS: Final = {
    "AwsSolutions-S1": "results of load tests; CloudTrail tells who reads them, where that matters",
    "AwsSolutions-IAM5[Resource::*]": "ecr:GetAuthorizationToken knows no narrower resource",
    "AwsSolutions-VPC7": "nothing listens to the network but the master, for one security group;"
    " flow logs of a load test would cost more than the test",
    "AwsSolutions-ECS2": "the variables are the test's settings; there is no secret among them",
    "AwsSolutions-ECS4": "the generator testifies against itself in its record; container insights"
    " is billed by the task",
    "AwsSolutions-SF1": "the tasks log what they do; the machine has one step",
    "AwsSolutions-SF2": "there is nothing to trace in one step",
}
