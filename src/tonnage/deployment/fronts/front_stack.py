"""
The stack of a front, beside the endpoint's: either can change, or go, without the other.
"""

from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from tonnage.domain import ConfigurationError
from tonnage.planning import Front

from .http_api import HttpFront
from .options import FrontOptions
from .rest_api import RestFront

if TYPE_CHECKING:
    from collections.abc import Callable

    from tonnage.deployment.settings import DeploymentOptions

__all__ = ["FrontStack", "add_front"]


class FrontStack(cdk.Stack):
    """
    A ``rest`` or an ``http`` front before an endpoint of the same account and region.

    Attributes:
        url: Where predictions are asked for.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        options: FrontOptions,
        *,
        region: str,
        endpoint_name: str,
        synthesizer: cdk.IStackSynthesizer | None = None,
    ) -> None:
        """
        Make the stack's resources.

        Args:
            scope: The app.
            name: The stack's name.
            options: What the front is like; ``chalice`` and ``none`` have no stack.
            region: Where the endpoint is.
            endpoint_name: The endpoint.
            synthesizer: How the stack's files reach AWS; None for CDK's own way.
        """
        super().__init__(
            scope,
            name,
            env=cdk.Environment(region=region),
            description=f"The {options.front} front of {options.name}, made by Tonnage",
            synthesizer=synthesizer,
        )
        # SageMaker writes names in ARNs in lower case, whatever the endpoint's own is.
        arn = self.format_arn(
            service="sagemaker", resource="endpoint", resource_name=endpoint_name.lower()
        )
        if options.front is Front.REST:
            rest = RestFront(self, "Front", options, endpoint_name=endpoint_name, endpoint_arn=arn)
            self.url = rest.url
            if rest.key_id is not None:
                cdk.CfnOutput(self, "ApiKeyId", value=rest.key_id)
        elif options.front is Front.HTTP:
            self.url = HttpFront(
                self, "Front", options, endpoint_name=endpoint_name, endpoint_arn=arn
            ).url
        else:
            raise ConfigurationError(
                f"the front {options.front} has no stack",
                hint="chalice is deployed by `chalice deploy`; none is the endpoint itself",
            )
        cdk.CfnOutput(self, "Url", value=self.url)


def add_front(options: FrontOptions) -> "Callable[[cdk.App, DeploymentOptions], FrontStack]":
    """Return what adds a front's stack to the app of an endpoint, named after the endpoint's."""

    def add(app: cdk.App, deployment: "DeploymentOptions") -> FrontStack:
        return FrontStack(
            app,
            f"{deployment.stack}-front",
            options,
            region=deployment.region,
            endpoint_name=deployment.endpoint_name,
        )

    return add
