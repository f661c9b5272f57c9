"""
Stacks for the unit tests, synthesised with cdk-nag watching, and cfn-lint on their templates.

These functions run in the one process of the fixture ``cdk_process``: Node.js, the CDK and cfn-lint
start once for every kind of stack, and end with it. A finding of cdk-nag that nobody acknowledged
is an error.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonnage.artefact import ARCHIVE_NAME
from tonnage.deployment import DeploymentOptions, write_image_context
from tonnage.deployment.fronts import FrontOptions
from tonnage.deployment.node import find_node, quieten_jsii
from tonnage.deployment.swarm import SwarmOptions
from tonnage.planning import Front

if TYPE_CHECKING:
    import aws_cdk


def endpoint_stacks(forms: Mapping[str, DeploymentOptions], artefact: Path, out: Path) -> None:
    """Synthesise every form of a deployment, a stack each."""
    app = _app(out)
    import aws_cdk as cdk

    from tonnage.deployment.stacks.endpoint import EndpointStack
    from tonnage.deployment.stacks.model import ModelFiles

    context = out.with_name(f"{out.name}-image")
    write_image_context(artefact, context, with_model=False)
    for name, form in forms.items():
        built = form.model.image_uri is None
        EndpointStack(
            app,
            name,
            form,
            ModelFiles(
                context=context if built else None,
                archive=artefact / ARCHIVE_NAME if built else None,
                architecture="arm64" if built else "x86_64",
            ),
            synthesizer=None if built else cdk.BootstraplessSynthesizer(),
        )
    app.synth()


def front_stacks(
    forms: Mapping[str, Mapping[str, Any]], endpoint_name: str, artefact: Path, out: Path
) -> None:
    """Synthesise a front of each form."""
    app = _app(out)
    from tonnage.deployment.fronts.front_stack import FrontStack

    for name, form in forms.items():
        options = FrontOptions(
            **{**form, "front": Front(form["front"])},
            name="real-estate",
            route="/v1/evaluate",
            artefact=artefact,
        )
        FrontStack(app, name, options, region="eu-west-1", endpoint_name=endpoint_name)
    app.synth()


def swarm_stack(options: SwarmOptions, out: Path) -> None:
    """Synthesise a swarm."""
    app = _app(out)
    from tonnage.deployment.swarm.stack import SwarmStack

    SwarmStack(app, "swarm", options, region="eu-west-1")
    app.synth()


def lint(assembly: Path) -> list[str]:
    """Return what cfn-lint finds in an assembly's templates."""
    from cfnlint.api import ManualArgs, lint_by_config

    templates = sorted(str(file) for file in assembly.glob("*.template.json"))
    assert templates, f"{assembly} holds no template"
    # W3005: a DependsOn that a reference makes redundant, which the CDK writes.
    given = ManualArgs(templates=templates, ignore_checks=["W3005"], regions=["us-east-1"])
    return [f"{Path(str(m.filename)).name}: {m.rule.id} {m.message}" for m in lint_by_config(given)]


def _app(out: Path) -> "aws_cdk.App":
    quieten_jsii(find_node())
    import aws_cdk as cdk
    from cdk_nag import AwsSolutionsChecks

    app = cdk.App(outdir=str(out), analytics_reporting=False, tree_metadata=False)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return app
