"""
What could still bill after the stacks are gone, in an account that moto plays.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from tonnage.deployment import DeploymentOptions, Leftover
from tonnage.deployment.account import Account
from tonnage.deployment.fronts import FrontOptions
from tonnage.deployment.leftovers import find_leftovers
from tonnage.planning import Front

NAME = "real-estate-evaluation"


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        session = boto3.Session("any", "any", region_name="us-east-1")
        yield Account(number="123456789012", region="us-east-1", session=session)


def fronted(options: DeploymentOptions, front: Front) -> DeploymentOptions:
    described = FrontOptions(front=front, name=NAME, route="/evaluate", artefact=Path("artefact"))
    return replace(options, front=described)


def apis(account: Account, options: DeploymentOptions) -> list[Leftover]:
    return [each for each in find_leftovers(account, options) if each.what == "REST API"]


def test_the_api_that_chalice_made_is_named(account: Account, options: DeploymentOptions):
    gateway = account.client("apigateway")
    own = gateway.create_rest_api(name=NAME)["id"]
    gateway.create_rest_api(name="somebody-elses")
    (left,) = apis(account, fronted(options, Front.CHALICE))
    assert left.name == own
    assert left.command.startswith("chalice delete")


def test_an_api_of_a_stack_is_the_stacks_to_delete(account: Account, options: DeploymentOptions):
    account.client("apigateway").create_rest_api(name=NAME)
    assert apis(account, fronted(options, Front.REST)) == []


def test_an_empty_account_has_nothing_left(account: Account, options: DeploymentOptions):
    assert find_leftovers(account, fronted(options, Front.CHALICE)) == []


def test_what_may_not_be_listed_is_named(account: Account, options: DeploymentOptions):
    keys = account.client("kms")
    with Stubber(keys) as stub:
        stub.add_client_error("list_keys", "AccessDeniedException", "not you")

        class Session:
            def client(self, service: str) -> object:
                return keys if service == "kms" else account.client(service)

        limited = replace(account, session=Session())  # type: ignore[arg-type]
        (left,) = find_leftovers(limited, options)
    assert (left.what, left.name) == ("KMS keys", "?")
    assert "not you" in left.why
