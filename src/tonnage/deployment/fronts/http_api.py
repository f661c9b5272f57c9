"""
The ``http`` front: an HTTP API with a Lambda function that runs ``api.Front``.

An HTTP API cannot call SageMaker itself, so each request pays for a function's run; in exchange
the front is the very code of the local port, each field at fault is named, and a request costs less
than half as much as through a REST API.
"""

import tempfile
from pathlib import Path
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2, aws_iam, aws_lambda, aws_logs
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from constructs import Construct

from tonnage.api import CORS_HEADERS
from tonnage.deployment._constructs import acknowledge, log_group

from ._gateways import access_log_format, invoking_role, throttle
from .in_lambda import ENDPOINT_VARIABLE
from .options import FrontOptions
from .package import HANDLER, FrontPackage, write_lambda_package

__all__ = ["HttpFront"]

_MEMORY_MB: Final = 512
_TIMEOUT_SECONDS: Final = 29
_ARCHITECTURES: Final = {
    "x86_64": aws_lambda.Architecture.X86_64,
    "arm64": aws_lambda.Architecture.ARM_64,
}


class HttpFront(Construct):
    """
    An HTTP API and a function before one endpoint.

    Attributes:
        url: Where predictions are asked for.
        package: What the function runs.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        options: FrontOptions,
        *,
        endpoint_name: str,
        endpoint_arn: str,
        python_version: str | None = None,
    ) -> None:
        """
        Make the API and the function.

        Args:
            scope: A stack.
            name: The construct's.
            options: What it is like.
            endpoint_name: What it invokes.
            endpoint_arn: The one thing that its role may invoke.
            python_version: The function's Python; None for this one's.

        Raises:
            ArtefactError: If the artefact is not what its manifest says.
            ConfigurationError: If the service's models cannot do without the model's libraries.
            DeploymentError: If the function's libraries cannot be had.
        """
        super().__init__(scope, name)
        self._options = options
        function = self._function(endpoint_name, endpoint_arn, python_version)
        api = aws_apigatewayv2.HttpApi(
            self,
            "Api",
            api_name=options.name,
            description=f"Asks the SageMaker endpoint of {options.name}, made by Tonnage",
            cors_preflight=self._cors(),
            create_default_stage=False,
            # One route for all: the front itself says 404 and 405, as on the local port.
            default_integration=integrations.HttpLambdaIntegration("Integration", function),
            default_authorizer=authorizers.HttpIamAuthorizer() if options.auth == "iam" else None,
        )
        self._add_stage(api)
        self.url: str = f"{api.api_endpoint}{options.route}"
        self._acknowledge()

    def _function(
        self, endpoint_name: str, endpoint_arn: str, python_version: str | None
    ) -> aws_lambda.Function:
        options = self._options
        with tempfile.TemporaryDirectory(prefix="tonnage-front-") as scratch:
            self.package: FrontPackage = write_lambda_package(
                Path(scratch, "package"),
                artefact=options.artefact,
                name=options.name,
                route=options.route,
                python_version=python_version,
            )
            # CDK copies it into the assembly at once.
            code = aws_lambda.Code.from_asset(str(self.package.directory))
            logs = log_group(self, "FunctionLogs", options.log_retention_days)
            return aws_lambda.Function(
                self,
                "Function",
                description=f"The front of {options.name}: checks a request, asks the endpoint",
                runtime=aws_lambda.Runtime(
                    f"python{self.package.python_version}", aws_lambda.RuntimeFamily.PYTHON
                ),
                architecture=_ARCHITECTURES[self.package.architecture],
                handler=HANDLER,
                code=code,
                role=self._role(endpoint_arn, logs),
                memory_size=_MEMORY_MB,
                timeout=cdk.Duration.seconds(_TIMEOUT_SECONDS),
                environment={ENDPOINT_VARIABLE: endpoint_name},
                log_group=logs,
            )

    def _role(self, endpoint_arn: str, logs: aws_logs.LogGroup) -> aws_iam.Role:
        role = invoking_role(
            self,
            "lambda.amazonaws.com",
            description=f"Lets the function of {self._options.name} invoke its endpoint",
            endpoint_arn=endpoint_arn,
        )
        role.add_to_policy(
            aws_iam.PolicyStatement(
                sid="WriteItsLog",
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[logs.log_group_arn],
            )
        )
        return role

    def _cors(self) -> aws_apigatewayv2.CorsPreflightOptions | None:
        if not self._options.cors_origins:
            return None
        return aws_apigatewayv2.CorsPreflightOptions(
            allow_origins=list(self._options.cors_origins),
            allow_methods=[
                aws_apigatewayv2.CorsHttpMethod.POST,
                aws_apigatewayv2.CorsHttpMethod.GET,
            ],
            allow_headers=list(CORS_HEADERS),
            max_age=cdk.Duration.hours(1),
        )

    def _add_stage(self, api: aws_apigatewayv2.HttpApi) -> None:
        logs = log_group(self, "AccessLogs", self._options.log_retention_days)
        limits = throttle(self._options)
        stage = aws_apigatewayv2.CfnStage(
            self,
            "Stage",
            api_id=api.api_id,
            stage_name="$default",
            auto_deploy=True,
            access_log_settings=aws_apigatewayv2.CfnStage.AccessLogSettingsProperty(
                destination_arn=logs.log_group_arn, format=_ACCESS_LOG
            ),
            default_route_settings=aws_apigatewayv2.CfnStage.RouteSettingsProperty(**limits)
            if limits
            else None,
        )
        stage.node.add_dependency(api)

    def _acknowledge(self) -> None:
        reasons = {
            "AwsSolutions-L1": "the function's Python is the one its libraries were chosen for",
        }
        if self._options.auth != "iam":
            reasons["AwsSolutions-APIG4"] = (
                "the settings ask for a front that anybody may call; throttling bounds its cost"
            )
        acknowledge(self, reasons)


_ACCESS_LOG: Final = access_log_format(path="path", integrationLatencyMs="integrationLatency")
