"""
Where a swarm runs, and the template of that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tonnage.deployment.node import find_node, quieten_jsii
from tonnage.deployment.synthesis import Synthesised, assembled, make_room

from .options import SwarmOptions

__all__ = ["SwarmPlace", "synthesise_swarm"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SwarmPlace:
    """
    Where a swarm runs.

    Attributes:
        stack: The stack's name.
        region: The endpoint's own, or the way there is measured, too.
        image_uri: The swarm's image in ECR; None builds it.
        base: What it is built from; None for the default.
        locustfiles: What goes into it.
        log_retention_days: How long the tasks' output is kept.
        tags: On everything.
    """

    stack: str
    region: str
    image_uri: str | None = None
    base: str | None = None
    locustfiles: tuple[Path, ...] = ()
    log_retention_days: int = 30
    tags: Mapping[str, str] = field(default_factory=dict)


def synthesise_swarm(options: SwarmOptions, place: SwarmPlace, output: Path) -> Synthesised:
    """
    Write a swarm's template, offline.

    Args:
        options: What is sent, and by how many.
        place: Where.
        output: A new or empty directory, or one that was written so before.

    Raises:
        ConfigurationError: If there is no Node.js, or the directory holds something else.
        DeploymentError: If the CDK fails.
    """
    quieten_jsii(find_node())
    make_room(output)
    import aws_cdk as cdk

    from .stack import SwarmStack

    # With nothing to upload an account needs no bootstrap stack.
    app = cdk.App(
        outdir=str(output.absolute()),  # Node.js has a working directory of its own
        analytics_reporting=False,
        tree_metadata=False,
        default_stack_synthesizer=cdk.BootstraplessSynthesizer() if place.image_uri else None,
    )
    stack = SwarmStack(
        app,
        place.stack,
        options,
        region=place.region,
        image_uri=place.image_uri,
        base=place.base,
        locustfiles=place.locustfiles,
        log_retention_days=place.log_retention_days,
    )
    for key, value in place.tags.items():
        cdk.Tags.of(stack).add(key, value)
    return assembled(app, output)
