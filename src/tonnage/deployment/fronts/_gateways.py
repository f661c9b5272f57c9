"""
What the REST and the HTTP front have in common: the role, the access log, the throttle.
"""

import json
from typing import Any

from aws_cdk import aws_iam
from constructs import Construct

from .options import FrontOptions

__all__ = ["access_log_format", "invoking_role", "throttle"]


def invoking_role(
    scope: Construct, service: str, *, description: str, endpoint_arn: str
) -> aws_iam.Role:
    """Return a role that a service takes to invoke one endpoint, and for nothing else."""
    role = aws_iam.Role(
        scope, "Role", assumed_by=aws_iam.ServicePrincipal(service), description=description
    )
    role.add_to_policy(
        aws_iam.PolicyStatement(
            sid="InvokeThisEndpoint",
            actions=["sagemaker:InvokeEndpoint"],
            resources=[endpoint_arn],
        )
    )
    return role


def access_log_format(*, path: str, **beside: str) -> str:
    """
    Return a line of an access log, without anything that a request carried.

    Args:
        path: The variable that holds the route.
        beside: What else the gateway knows, by its name in the log.
    """
    fields = {
        "requestId": "requestId",
        "time": "requestTime",
        "method": "httpMethod",
        "path": path,
        "status": "status",
        "latencyMs": "responseLatency",
        **beside,
        "error": "error.responseType",
    }
    line = {name: f"$context.{variable}" for name, variable in fields.items()}
    return json.dumps(line, separators=(",", ":"))


def throttle(options: FrontOptions) -> dict[str, Any]:
    """Return the limits of a stage or a route; empty for the account's own."""
    if options.throttle_per_second is None:
        return {}
    return {
        "throttling_rate_limit": options.throttle_per_second,
        "throttling_burst_limit": options.throttle_burst,
    }
