"""
The CDK's command line on an assembly, in an account: its failures in the stack's own words.
"""

from collections.abc import Callable, Sequence
from typing import Literal

from tonnage.domain import DeploymentError

from .account import Account
from .cdk_cli import CdkCli
from .synthesis import Synthesised

__all__ = ["DESTROY", "Method", "OnLine", "deploy_flags", "drive"]

OnLine = Callable[[str], None]
Method = Literal["change-set", "direct"]

DESTROY = ("destroy", "--all", "--force")


def deploy_flags(method: Method) -> list[str]:
    """Return the command that deploys every stack and asks nobody."""
    return [
        *("deploy", "--all", "--require-approval", "never"),
        *("--method", method, "--progress", "events"),
    ]


def drive(
    cdk: CdkCli,
    account: Account,
    made: Synthesised,
    arguments: Sequence[str],
    on_line: OnLine,
) -> None:
    """
    Run a command of the CDK's on all stacks of an assembly.

    Raises:
        DeploymentError: If it fails; the message is the stacks' own, if they have one.
    """
    region = {"AWS_REGION": account.region, "AWS_DEFAULT_REGION": account.region}
    try:
        cdk.run(made.directory, arguments, on_line=on_line, environment=region)
    except DeploymentError as error:
        reasons = {stack: account.failure(stack) for stack in made.stacks}
        told = [f"{stack}: {reason}" for stack, some in reasons.items() for reason in some]
        if not told:
            raise
        raise DeploymentError(
            "\n".join([f"cdk {arguments[0]} failed", *told]),
            hint="put right what it names and run it again; a stack whose creation failed was"
            " rolled back",
        ) from error
