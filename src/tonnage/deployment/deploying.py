"""
``tonnage diff``, ``deploy`` and ``destroy``: the CDK's command line on what was synthesised.

Everything that can be refused is refused before AWS is changed: settings, Node.js, Docker,
credentials, the bootstrap stack.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from tonnage.domain import ConfigurationError, DeploymentError
from tonnage.planning import Front, Limits, PriceBook

from ._docker import find_docker
from .account import open_account
from .cdk_cli import find_cdk
from .checks import check_deployment
from .driving import DESTROY, Method, OnLine, deploy_flags, drive
from .fronts import curl_line, runtime_url
from .leftovers import Leftover, find_leftovers
from .settings import DeploymentOptions
from .synthesis import synthesise

__all__ = ["Deployed", "deploy", "destroy", "diff"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployed:
    """
    What was deployed.

    Attributes:
        account: The account's number.
        stacks: The stacks.
        outputs: What each gave out.
        url: Where predictions are asked for.
        curl: A command that asks for one.
    """

    account: str
    stacks: tuple[str, ...]
    outputs: dict[str, dict[str, str]]
    url: str
    curl: str


def deploy(
    options: DeploymentOptions,
    *,
    book: PriceBook,
    limits: Limits | None = None,
    method: Method = "change-set",
    on_line: OnLine = lambda _line: None,
) -> Deployed:
    """
    Bring a deployment to AWS. This bills.

    Args:
        options: What is deployed.
        book: The instance types there are.
        limits: The account's quotas.
        method: How CloudFormation is asked: by a change set, or directly, which is quicker and
            what local servers understand.
        on_line: Called with each line of progress.

    Raises:
        ConfigurationError: If something that it needs is missing, or AWS would refuse it.
        DeploymentError: If AWS refuses it or it fails there; the message is the stack's own.
    """
    check_deployment(options, book, limits or Limits())
    if options.model.image_uri is None:
        find_docker("name an image that is there with [deployment] image_uri")
    account = open_account(options.region)
    cdk = find_cdk(on_line=on_line)
    with tempfile.TemporaryDirectory(prefix="tonnage-deploy-") as directory:
        made = synthesise(options, Path(directory, "cdk.out"), book=book, limits=limits)
        if made.needs_bootstrap:
            account.check_bootstrap(cdk.path)
        drive(cdk, account, made, deploy_flags(method), on_line)
    outputs = {stack: account.outputs(stack) for stack in made.stacks}
    url, curl = _address(options, outputs)
    return Deployed(account=account.number, stacks=made.stacks, outputs=outputs, url=url, curl=curl)


def diff(
    options: DeploymentOptions,
    *,
    book: PriceBook,
    limits: Limits | None = None,
    against: Path | None = None,
    on_line: OnLine,
) -> None:
    """
    Say what a deployment would change.

    Args:
        options: What would be deployed.
        book: The instance types there are.
        limits: The account's quotas.
        against: An earlier synthesis to compare with, without an account; None: what is deployed.
        on_line: Called with each line of the difference.

    Raises:
        ConfigurationError: If something that it needs is missing.
        DeploymentError: If it cannot be found out.
    """
    check_deployment(options, book, limits or Limits())
    if against is None:
        open_account(options.region)
    cdk = find_cdk()
    with tempfile.TemporaryDirectory(prefix="tonnage-diff-") as directory:
        made = synthesise(options, Path(directory, "cdk.out"), book=book, limits=limits)
        if against is None:
            cdk.run(made.directory, ["diff"], on_line=on_line)
            return
        for stack in made.stacks:
            before = against / f"{stack}.template.json"
            if not before.is_file():
                raise ConfigurationError(
                    f"{against} has no template of the stack {stack}",
                    hint="give a directory that `tonnage synth -o` wrote",
                )
            arguments = ["diff", stack, "--exclusively", "--template", str(before)]
            cdk.run(made.directory, arguments, on_line=on_line)


def destroy(
    options: DeploymentOptions,
    *,
    book: PriceBook,
    limits: Limits | None = None,
    on_line: OnLine = lambda _line: None,
) -> list[Leftover]:
    """
    Delete a deployment's stacks, and return what could still bill.

    Raises:
        ConfigurationError: If something that it needs is missing.
        DeploymentError: If a stack cannot be deleted; the message is the stack's own.
    """
    account = open_account(options.region)
    cdk = find_cdk(on_line=on_line)
    with tempfile.TemporaryDirectory(prefix="tonnage-destroy-") as directory:
        made = synthesise(options, Path(directory, "cdk.out"), book=book, limits=limits)
        drive(cdk, account, made, DESTROY, on_line)
    return find_leftovers(account, options)


def _address(options: DeploymentOptions, outputs: dict[str, dict[str, str]]) -> tuple[str, str]:
    front = options.front
    runtime = runtime_url(options.endpoint_name, options.region)
    if front is None:
        return runtime, ""
    fronts = {name: value for each in outputs.values() for name, value in each.items()}
    url = fronts.get("Url", runtime)
    if front.front in {Front.REST, Front.HTTP} and "Url" not in fronts:
        raise DeploymentError("the front's stack gave out no URL")
    return url, curl_line(front, url=url, region=options.region, api_key_id=fronts.get("ApiKeyId"))
