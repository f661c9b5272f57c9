"""
Taking a packed model to where it runs: the container image, and the CDK app on AWS.

``build_image`` makes the image from an artefact with the Docker engine of this machine;
``write_image_context`` writes what it is built from, for any other builder. Building costs one
download of the pinned packages (about 60 MB for a compiled model), cached as a layer until the
pins change.

``synthesise`` turns the same settings into CloudFormation templates, offline, in about six seconds
(Node.js has to start): what AWS would refuse is refused before (``checks``), and every number of
the template is the setting's. ``stacks`` holds the constructs and is imported only then, because
importing ``aws_cdk`` starts Node.js.

``deploy``, ``diff`` and ``destroy`` drive the CDK's command line, which is installed with npm on
first use. ``deployment_cost`` says what a month will cost before; ``verify`` holds what runs
against what was planned, after.
"""

from ._context import DEFAULT_BASE, dockerfile, write_image_context
from .account import open_session
from .checks import check_deployment
from .costs import DeploymentCost, deployment_cost
from .deploying import Deployed, deploy, destroy, diff
from .findings import Expected, Finding
from .image import ImageReport, build_image
from .leftovers import Leftover
from .settings import (
    CONCURRENT_REQUESTS,
    CREATE_KEY,
    INVOCATIONS_PER_INSTANCE,
    DeploymentOptions,
    Guardrails,
    InstanceVariant,
    ModelSource,
    Observability,
    Scaling,
    ServerlessVariant,
)
from .synthesis import Synthesised, synthesise
from .verification import Verification, verify

__all__ = [
    "CONCURRENT_REQUESTS",
    "CREATE_KEY",
    "DEFAULT_BASE",
    "INVOCATIONS_PER_INSTANCE",
    "Deployed",
    "DeploymentCost",
    "DeploymentOptions",
    "Expected",
    "Finding",
    "Guardrails",
    "ImageReport",
    "InstanceVariant",
    "Leftover",
    "ModelSource",
    "Observability",
    "Scaling",
    "ServerlessVariant",
    "Synthesised",
    "Verification",
    "build_image",
    "check_deployment",
    "deploy",
    "deployment_cost",
    "destroy",
    "diff",
    "dockerfile",
    "open_session",
    "synthesise",
    "verify",
    "write_image_context",
]
