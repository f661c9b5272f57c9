"""
The ``rest`` front: a REST API that calls SageMaker itself, without a Lambda function.

API Gateway checks the body by the JSON schema of the service's own pydantic model, signs
``InvokeEndpoint`` with a role that may do this one thing, and puts every refusal into the envelope
that the local port answers with.
"""

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_apigateway
from constructs import Construct

from tonnage.api import CORS_HEADERS, draft4_schema
from tonnage.artefact import verify
from tonnage.deployment._constructs import acknowledge, log_group

from ._gateways import access_log_format, invoking_role, throttle
from ._mapping import gateway_answers, integration_answers, request_template
from .options import FrontOptions

__all__ = ["RestFront"]

_JSON: Final = "application/json"
_ORIGIN: Final = "Access-Control-Allow-Origin"
_TIMEOUT_SECONDS: Final = 29


class RestFront(Construct):
    """
    A REST API before one endpoint.

    Attributes:
        url: Where predictions are asked for.
        key_id: The API key's id, with ``auth = "api_key"``.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        options: FrontOptions,
        *,
        endpoint_name: str,
        endpoint_arn: str,
    ) -> None:
        """
        Make the API.

        Args:
            scope: A stack.
            name: The construct's.
            options: What it is like.
            endpoint_name: What it invokes.
            endpoint_arn: The one thing that its role may invoke.

        Raises:
            ArtefactError: If the artefact is not what its manifest says.
        """
        super().__init__(scope, name)
        self._options = options
        self._api = api = aws_apigateway.RestApi(
            self,
            "Api",
            rest_api_name=options.name,
            description=f"Asks the SageMaker endpoint of {options.name}, made by Tonnage",
            endpoint_types=[aws_apigateway.EndpointType.REGIONAL],
            deploy_options=self._stage(),
            # Access logs need the account's own role to write them; it outlives the stack.
            cloud_watch_role=True,
            cloud_watch_role_removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        resource = api.root.resource_for_path(options.route)
        resource.add_method(
            "POST",
            self._integration(endpoint_name, endpoint_arn),
            authorization_type=aws_apigateway.AuthorizationType.IAM
            if options.auth == "iam"
            else aws_apigateway.AuthorizationType.NONE,
            api_key_required=options.auth == "api_key",
            request_models={_JSON: self._model()},
            request_validator=api.add_request_validator(
                "Validator", validate_request_body=True, validate_request_parameters=True
            ),
            method_responses=self._method_responses(),
        )
        if options.cors_origins:
            resource.add_cors_preflight(
                allow_origins=list(options.cors_origins),
                allow_methods=["POST"],
                allow_headers=list(CORS_HEADERS),
                max_age=cdk.Duration.hours(1),
            )
        self._add_gateway_responses()
        self.url: str = api.url_for_path(options.route)
        self.key_id: str | None = self._add_key() if options.auth == "api_key" else None
        self._acknowledge()

    def _stage(self) -> aws_apigateway.StageOptions:
        options = self._options
        logs = log_group(self, "AccessLogs", options.log_retention_days)
        return aws_apigateway.StageOptions(
            stage_name=options.stage,
            access_log_destination=aws_apigateway.LogGroupLogDestination(logs),
            access_log_format=aws_apigateway.AccessLogFormat.custom(_ACCESS_LOG),
            **throttle(options),
        )

    def _integration(self, endpoint_name: str, endpoint_arn: str) -> aws_apigateway.AwsIntegration:
        role = invoking_role(
            self,
            "apigateway.amazonaws.com",
            description=f"Lets the API of {self._options.name} invoke its endpoint",
            endpoint_arn=endpoint_arn,
        )
        return aws_apigateway.AwsIntegration(
            service="runtime.sagemaker",
            path=f"endpoints/{endpoint_name}/invocations",
            integration_http_method="POST",
            options=aws_apigateway.IntegrationOptions(
                credentials_role=role,
                # A body of another type has no template, and then it is 415.
                passthrough_behavior=aws_apigateway.PassthroughBehavior.NEVER,
                request_templates={_JSON: request_template()},
                request_parameters={
                    "integration.request.header.Content-Type": f"'{_JSON}'",
                    "integration.request.header.Accept": f"'{_JSON}'",
                },
                integration_responses=self._integration_responses(),
                timeout=cdk.Duration.seconds(_TIMEOUT_SECONDS),
            ),
        )

    def _integration_responses(self) -> list[aws_apigateway.IntegrationResponse]:
        return [
            aws_apigateway.IntegrationResponse(
                status_code=str(answer.status),
                selection_pattern=answer.pattern,
                response_templates={_JSON: answer.template} if answer.template else None,
                response_parameters={
                    f"method.response.header.{name}": f"'{value}'"
                    for name, value in {**self._fixed_origin(), **answer.headers}.items()
                },
            )
            for answer in integration_answers(self._options.cors_origins)
        ]

    def _method_responses(self) -> list[aws_apigateway.MethodResponse]:
        return [
            aws_apigateway.MethodResponse(
                status_code=str(answer.status),
                response_models={_JSON: aws_apigateway.Model.EMPTY_MODEL},
                response_parameters={
                    f"method.response.header.{name}": True
                    for name in {**self._fixed_origin(), **answer.headers}
                },
            )
            for answer in integration_answers()
        ]

    def _fixed_origin(self) -> dict[str, str]:
        origins = self._options.cors_origins
        if "*" in origins:
            return {_ORIGIN: "*"}
        return {_ORIGIN: origins[0]} if len(origins) == 1 else {}

    def _model(self) -> aws_apigateway.IModel:
        manifest = verify(self._options.artefact)
        schema = draft4_schema(manifest.row_schema)
        model = aws_apigateway.CfnModel(
            self,
            "Row",
            rest_api_id=self._api.rest_api_id,
            content_type=_JSON,
            description=f"One request, as {manifest.handler} takes it",
            schema=schema,
        )
        # A deployment is a snapshot of the API: without this another schema would not make another.
        deployment = self._api.latest_deployment
        assert deployment is not None
        deployment.add_to_logical_id(schema)
        deployment.node.add_dependency(model)
        return aws_apigateway.Model.from_model_name(self, "RowByName", model.ref)

    def _add_gateway_responses(self) -> None:
        # Several origins cannot be told apart here: substitution has no conditions. A refusal
        # before SageMaker is asked holds nothing that another page might not read.
        origins = self._options.cors_origins
        echoed = {_ORIGIN: "method.request.header.Origin"} if origins else {}
        fixed = {name: f"'{value}'" for name, value in self._fixed_origin().items()}
        for answer in gateway_answers(signed=self._options.auth == "iam"):
            own = {name: f"'{value}'" for name, value in answer.headers.items()}
            self._api.add_gateway_response(
                answer.kind,
                type=aws_apigateway.ResponseType.of(answer.kind),
                status_code=None if answer.status is None else str(answer.status),
                templates={_JSON: answer.template},
                response_headers={**echoed, **fixed, **own},
            )

    def _add_key(self) -> str:
        plan = self._api.add_usage_plan(
            "UsagePlan",
            name=self._options.name,
            api_stages=[
                aws_apigateway.UsagePlanPerApiStage(api=self._api, stage=self._api.deployment_stage)
            ],
        )
        key = self._api.add_api_key("Key")
        plan.add_api_key(key)
        return key.key_id

    def _acknowledge(self) -> None:
        is_open = self._options.auth != "iam" or self._options.cors_origins
        acknowledge(self, {**_REASONS, **(_OPEN if is_open else {})})


_REASONS: Final = {
    "AwsSolutions-APIG3": "a web application firewall is billed by itself and guards against"
    " floods and known attacks; throttling bounds the first, and the body is checked by a schema",
    "AwsSolutions-APIG6": "execution logs would hold request bodies, which Tonnage never logs;"
    " access logs are on",
    "AwsSolutions-COG4": "callers are services and people of the account, known to IAM; a user"
    " pool is for an application's own users",
    "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
    "AmazonAPIGatewayPushToCloudWatchLogs]": "it is the policy that API Gateway's account setting"
    " asks for",
}
_OPEN: Final = {
    "AwsSolutions-APIG4": "the settings ask for a front that anybody, or anybody with a key, may"
    " call; a browser's preflight is never signed"
}
_ACCESS_LOG: Final = access_log_format(
    path="resourcePath",
    integrationLatencyMs="integrationLatency",
    integrationStatus="integration.status",
)
