"""
The AWS account: who is asking, what is there, and why something failed.

``AWS_ENDPOINT_URL`` is respected, as boto3 has it: with it a local server is the account.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from tonnage.domain import ConfigurationError, DeploymentError

if TYPE_CHECKING:
    import boto3

__all__ = ["Account", "open_account", "open_session"]

_INSTALL: Final = "install it with `pip install 'tonnage[aws]'`"
_LOG_IN: Final = (
    "run `aws configure` or `aws sso login`, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and"
    " AWS_SECRET_ACCESS_KEY"
)
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_BOOTSTRAP: Final = "/cdk-bootstrap/hnb659fds/version"
_CANCELLED: Final = ("cancelled", "canceled")


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """
    An account and region that answers.

    Attributes:
        number: Its twelve digits.
        region: The region.
        session: boto3's session.
    """

    number: str
    region: str
    session: "boto3.Session"

    def client(self, service: str) -> Any:  # noqa: ANN401 (boto3's clients have no types)
        """Return a client."""
        return self.session.client(service)

    def check_bootstrap(self, cdk: str) -> None:
        """
        Refuse a deployment with files to upload when nothing is there to take them.

        Args:
            cdk: The command line's path, for the message.

        Raises:
            ConfigurationError: If the CDK's bootstrap stack is missing.
        """
        ssm = self.client("ssm")
        try:
            ssm.get_parameter(Name=_BOOTSTRAP)
        except ssm.exceptions.ParameterNotFound as error:
            raise ConfigurationError(
                f"account {self.number} has no CDK bootstrap stack in {self.region}, which takes"
                " images and files",
                hint=f"make it once: {cdk} bootstrap aws://{self.number}/{self.region}",
            ) from error

    def outputs(self, stack: str) -> dict[str, str]:
        """Return a stack's outputs; none when it is not there."""
        from botocore.exceptions import ClientError

        try:
            (described,) = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        except ClientError:
            return {}
        return {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}

    def failure(self, stack: str) -> list[str]:
        """
        Return why a stack's last change failed, as CloudFormation says it, first cause first.

        What was only cancelled because something else failed is left out.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            pages = self.client("cloudformation").get_paginator("describe_stack_events")
            events = [
                event for page in pages.paginate(StackName=stack) for event in page["StackEvents"]
            ]
        except (BotoCoreError, ClientError):
            return []
        return list(reversed(list(_failures(events))))


def _failures(events: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the failures of the newest change, newest first, as the events come."""
    for event in events:
        reason = event.get("ResourceStatusReason", "")
        status = event["ResourceStatus"]
        if event["ResourceType"] == "AWS::CloudFormation::Stack":
            if status in {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"}:
                return
            continue
        if status.endswith("_FAILED") and not any(word in reason.lower() for word in _CANCELLED):
            yield f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}"


def open_session(region: str) -> "boto3.Session":
    """
    Return a boto3 session with the credentials in force.

    A local server on loopback (``AWS_ENDPOINT_URL``) needs none, and is given some.

    Raises:
        ConfigurationError: If there is no boto3, or there are no credentials.
    """
    try:
        import boto3
        from botocore.exceptions import ProfileNotFound
    except ImportError as error:
        raise ConfigurationError(
            "AWS is asked through boto3, which is missing", hint=_INSTALL
        ) from error
    try:
        session = boto3.Session(region_name=region)
        found = session.get_credentials()
    except ProfileNotFound as error:
        raise ConfigurationError(f"AWS credentials: {error}", hint=_LOG_IN) from error
    if found is not None:
        return session
    if urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname in _LOOPBACK:
        return boto3.Session(
            region_name=region,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 (a local server checks none)
        )
    raise ConfigurationError("there are no AWS credentials", hint=_LOG_IN)


def open_account(region: str) -> Account:
    """
    Return the account that the credentials in force belong to.

    Raises:
        ConfigurationError: If there is no boto3, there are no credentials, or they are refused.
        DeploymentError: If AWS does not answer.
    """
    session = open_session(region)
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        identity = session.client("sts").get_caller_identity()
    except ClientError as error:
        raise ConfigurationError(f"AWS refuses the credentials: {error}", hint=_LOG_IN) from error
    except BotoCoreError as error:
        raise DeploymentError(f"AWS does not answer: {error}") from error
    return Account(number=identity["Account"], region=region, session=session)
