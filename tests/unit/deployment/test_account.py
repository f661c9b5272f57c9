"""
The account: credentials, and why a stack failed.
"""

import os
from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import Stubber

from tonnage.deployment import open_session
from tonnage.deployment.account import Account
from tonnage.domain import ConfigurationError

AT = datetime(2026, 11, 1, tzinfo=UTC)
STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/shop/1"


def event(status: str, resource: str, kind: str, reason: str = "") -> dict[str, object]:
    return {
        "StackId": STACK,
        "EventId": f"{resource}-{status}-{reason}"[:60],
        "StackName": "shop",
        "LogicalResourceId": resource,
        "ResourceType": kind,
        "Timestamp": AT,
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


class _Session:
    """boto3's, with a client that answers what it was told to."""

    def __init__(self, client: object) -> None:
        self._client = client

    def client(self, _service: str) -> object:
        return self._client


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in os.environ if each.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_the_first_cause_comes_first_and_what_followed_from_it_not_at_all():
    stack = "AWS::CloudFormation::Stack"
    endpoint, topic = "AWS::SageMaker::Endpoint", "AWS::CloudWatch::Alarm"
    client = boto3.Session("a", "b", region_name="us-east-1").client("cloudformation")
    with Stubber(client) as stub:
        stub.add_response(
            "describe_stack_events",
            {
                "StackEvents": [
                    event("ROLLBACK_COMPLETE", "shop", stack),
                    event("CREATE_FAILED", "Alarm", topic, "Resource creation cancelled"),
                    event("CREATE_FAILED", "Target", "AWS::X::Y", "no such endpoint"),
                    event("CREATE_FAILED", "Endpoint", endpoint, "quota of 2 ml.c5.large"),
                    event("CREATE_IN_PROGRESS", "shop", stack, "User Initiated"),
                    event("CREATE_FAILED", "Endpoint", endpoint, "of an earlier try"),
                ]
            },
            {"StackName": "shop"},
        )
        account = Account(number="123456789012", region="us-east-1", session=_Session(client))
        assert account.failure("shop") == [
            "Endpoint (AWS::SageMaker::Endpoint): quota of 2 ml.c5.large",
            "Target (AWS::X::Y): no such endpoint",
        ]


def test_a_stack_that_is_not_there_has_no_reasons_and_no_outputs():
    client = boto3.Session("a", "b", region_name="us-east-1").client("cloudformation")
    with Stubber(client) as stub:
        stub.add_client_error("describe_stack_events", "ValidationError", "does not exist", 400)
        stub.add_client_error("describe_stacks", "ValidationError", "does not exist", 400)
        account = Account(number="123456789012", region="us-east-1", session=_Session(client))
        assert account.failure("shop") == []
        assert account.outputs("shop") == {}


@pytest.mark.usefixtures("no_credentials")
def test_without_credentials_one_line_says_what_to_do():
    with pytest.raises(ConfigurationError, match="no AWS credentials") as refused:
        open_session("us-east-1")
    assert "aws configure" in (refused.value.hint or "")


@pytest.mark.usefixtures("no_credentials")
def test_a_profile_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(ConfigurationError, match="nobody"):
        open_session("us-east-1")


@pytest.mark.usefixtures("no_credentials")
def test_a_server_on_loopback_needs_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:8000")
    assert open_session("us-east-1").get_credentials() is not None
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://example.com")
    with pytest.raises(ConfigurationError):
        open_session("us-east-1")
