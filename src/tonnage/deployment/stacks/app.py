"""
The app: the stacks of one deployment.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import aws_cdk as cdk

from tonnage.deployment.settings import DeploymentOptions
from tonnage.planning import Front

from .endpoint import EndpointStack, tag
from .model import ModelFiles

__all__ = ["AddStack", "build_app"]

AddStack = Callable[[cdk.App, DeploymentOptions], cdk.Stack]
"""What adds a stack to the app: the API's front, the load swarm."""


def build_app(
    options: DeploymentOptions,
    files: ModelFiles,
    outdir: Path,
    *,
    further: Sequence[AddStack] = (),
) -> cdk.App:
    """
    Return the app; ``synth()`` writes its templates.

    Args:
        options: What is deployed; checked.
        files: What is uploaded with it.
        outdir: Where the cloud assembly goes.
        further: What adds the other stacks; each is deployed after the endpoint's.
    """
    # The metadata resource and the construct tree would tell versions and paths of this machine.
    app = cdk.App(
        outdir=str(outdir.absolute()),  # Node.js has a working directory of its own
        analytics_reporting=False,
        tree_metadata=False,
        default_stack_synthesizer=_synthesizer(options, files),
    )
    endpoint = EndpointStack(app, options.stack, options, files)
    for add in further:
        stack = add(app, options)
        stack.add_stack_dependency(endpoint)
        tag(stack, options)
    return app


def _synthesizer(
    options: DeploymentOptions, files: ModelFiles
) -> cdk.BootstraplessSynthesizer | None:
    """
    Return how the stacks reach AWS; None for the CDK's own way.

    Without anything to upload an account needs no bootstrap stack. The CDK's own way is not named:
    a synthesizer that came through jsii is taken for itself, not for the copy that a stack binds,
    and then takes no file.
    """
    function = options.front is not None and options.front.front is Front.HTTP
    if files.context is None and files.archive is None and not function:
        return cdk.BootstraplessSynthesizer()
    return None
