"""
SageMaker's control plane for an unmodified boto3: models, endpoint configs, endpoints, tags.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import signal
import tarfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sagemaker_clients import variant
from support import children_of, post, tonnage, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from botocore.client import BaseClient

    from sagemaker_clients import Sagemaker
    from support import Up
    from tonnage.emulator import BackgroundEndpoint


ARN = "arn:aws:sagemaker:us-east-1:000000000000"


@pytest.fixture(scope="module")
def sagemaker(
    start_up: Up, sagemaker_at: Callable[[BackgroundEndpoint], Sagemaker]
) -> Iterator[Sagemaker]:
    """One emulator for all of these."""
    with start_up(provisioning_delay_seconds=0.0) as started:
        yield sagemaker_at(started)


@pytest.fixture(scope="module")
def model(sagemaker: Sagemaker, probe_artefact: Path) -> str:
    return sagemaker.model("prices", probe_artefact)


@pytest.fixture(scope="module")
def config(sagemaker: Sagemaker, model: str) -> str:
    return sagemaker.config("one-variant", variant(model))


def refusal(call: Callable[..., Any], **members: object) -> str:
    """Return the message of a call that is refused as AWS refuses it."""
    with pytest.raises(ClientError) as caught:
        call(**members)
    error: dict[str, Any] = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    message: str = error["Message"]
    return message


def test_an_endpoint_is_created_invoked_and_deleted(sagemaker: Sagemaker, config: str):
    control = sagemaker.control
    created = control.create_endpoint(EndpointName="first", EndpointConfigName=config)
    arn = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/first"
    assert created["EndpointArn"] == arn
    described = sagemaker.until("first", "InService")
    assert described["EndpointArn"] == arn
    assert described["EndpointConfigName"] == config
    (shown,) = described["ProductionVariants"]
    assert shown["VariantName"] == "one"
    assert shown["CurrentInstanceCount"] == shown["DesiredInstanceCount"] == 1
    assert shown["CurrentWeight"] == shown["DesiredWeight"] == 1.0
    assert shown["DeployedImages"][0]["SpecifiedImage"] == "image:1"
    age = dt.datetime.now(dt.UTC) - described["CreationTime"]
    assert age < dt.timedelta(minutes=5), "the wall clock, whatever the time scale"

    answer = sagemaker.invoke("first")
    assert answer["InvokedProductionVariant"] == "one"
    process_id = answer["json"]["process_id"]
    os.kill(process_id, 0)

    control.delete_endpoint(EndpointName="first")
    until(lambda: "first" not in names(control.list_endpoints()), "the endpoint to be gone")
    assert refusal(control.describe_endpoint, EndpointName="first") == (
        f'Could not find endpoint "{arn}".'
    )
    with pytest.raises(sagemaker.runtime.exceptions.ValidationError, match="not found"):
        sagemaker.invoke("first")
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)


def names(listed: dict[str, Any]) -> list[str]:
    (key,) = set(listed) - {"ResponseMetadata", "NextToken"}
    name = {"Endpoints": "EndpointName", "Models": "ModelName"}.get(key, "EndpointConfigName")
    return [summary[name] for summary in listed[key]]


def test_a_model_is_described_as_it_was_made(sagemaker: Sagemaker, probe_artefact: Path):
    control = sagemaker.control
    container = {
        "Image": "image:2",
        "ModelDataSource": {
            "S3DataSource": {
                "S3Uri": f"s3://local{probe_artefact}",
                "S3DataType": "S3Prefix",
                "CompressionType": "None",
            }
        },
        "Environment": {"A": "1"},
    }
    role = "arn:aws:iam::000000000000:role/local"
    control.create_model(ModelName="told", PrimaryContainer=container, ExecutionRoleArn=role)
    described = control.describe_model(ModelName="told")
    assert described["PrimaryContainer"] == container
    assert described["ExecutionRoleArn"] == role
    assert described["ModelArn"].endswith(":model/told")
    control.delete_model(ModelName="told")
    assert "Could not find model" in refusal(control.describe_model, ModelName="told")
    assert "Could not find model" in refusal(control.delete_model, ModelName="told")


def test_an_endpoint_config_is_described_as_it_was_made(sagemaker: Sagemaker, model: str):
    control = sagemaker.control
    wanted = variant(model, RoutingConfig={"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"})
    sagemaker.config("told", wanted)
    described = control.describe_endpoint_config(EndpointConfigName="told")
    assert described["ProductionVariants"] == [wanted]
    assert described["EndpointConfigArn"].endswith(":endpoint-config/told")
    control.delete_endpoint_config(EndpointConfigName="told")
    message = refusal(control.describe_endpoint_config, EndpointConfigName="told")
    assert message.startswith('Could not find endpoint configuration "arn:aws:sagemaker:')


def test_an_archive_of_an_artefact_is_served(
    sagemaker: Sagemaker, packed_artefact: Path, tmp_path: Path
):
    archive = tmp_path / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(packed_artefact, arcname=".")
    sagemaker.model("archived", archive)
    sagemaker.endpoint("archived", sagemaker.config("archived", variant("archived")))
    assert sagemaker.invoke("archived")["json"] == {"cost": 50.3}


def test_what_cannot_be_served_makes_a_failed_endpoint_that_tells_why(
    sagemaker: Sagemaker, tmp_path: Path
):
    control = sagemaker.control
    (tmp_path / "nothing").mkdir()
    sagemaker.model("broken", tmp_path / "nothing")
    sagemaker.config("broken", variant("broken"))
    control.create_endpoint(EndpointName="broken", EndpointConfigName="broken")
    described = sagemaker.until("broken", "Failed")
    assert str(tmp_path / "nothing") in described["FailureReason"]
    message = refusal(control.update_endpoint, EndpointName="broken", EndpointConfigName="broken")
    assert "can only be deleted" in message
    with pytest.raises(sagemaker.runtime.exceptions.ValidationError, match="not found"):
        sagemaker.invoke("broken")
    control.delete_endpoint(EndpointName="broken")
    until(lambda: "broken" not in names(control.list_endpoints()), "the endpoint to be gone")


def test_an_archive_with_a_link_is_refused_as_on_aws(
    sagemaker: Sagemaker, packed_artefact: Path, tmp_path: Path
):
    (tmp_path / "link").symlink_to("/etc/hostname")
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        tar.add(packed_artefact, arcname=".")
        tar.add(tmp_path / "link", arcname="link")
    sagemaker.model("linked", tmp_path / "model.tar.gz")
    sagemaker.config("linked", variant("linked"))
    sagemaker.control.create_endpoint(EndpointName="linked", EndpointConfigName="linked")
    assert "holds a link" in sagemaker.until("linked", "Failed")["FailureReason"]


def test_what_exists_is_not_created_again(sagemaker: Sagemaker, model: str, config: str):
    control = sagemaker.control
    sagemaker.endpoint("twice", config)
    arn, config_arn = ARN, f"{ARN}:endpoint-config/{config}"
    assert (
        refusal(control.create_endpoint, EndpointName="twice", EndpointConfigName=config)
        == f'Cannot create already existing endpoint "{arn}:endpoint/twice".'
    )
    assert (
        refusal(
            control.create_endpoint_config,
            EndpointConfigName=config,
            ProductionVariants=[variant(model)],
        )
        == f'Cannot create already existing endpoint configuration "{config_arn}".'
    )
    described = control.describe_model(ModelName=model)
    assert (
        refusal(
            control.create_model, ModelName=model, PrimaryContainer=described["PrimaryContainer"]
        )
        == f'Cannot create already existing model "{arn}:model/{model}".'
    )


def test_what_is_not_there_is_named(sagemaker: Sagemaker, config: str):
    control = sagemaker.control
    for call in (control.describe_endpoint, control.delete_endpoint):
        assert 'endpoint/nowhere".' in refusal(call, EndpointName="nowhere")
    message = refusal(control.create_endpoint, EndpointName="new", EndpointConfigName="nowhere")
    assert 'Could not find endpoint configuration "' in message
    message = refusal(control.update_endpoint, EndpointName="nowhere", EndpointConfigName=config)
    assert 'Could not find endpoint "' in message
    message = refusal(
        control.create_endpoint_config,
        EndpointConfigName="new",
        ProductionVariants=[variant("nowhere")],
    )
    assert 'Could not find model "' in message
    message = refusal(
        control.create_model,
        ModelName="new",
        PrimaryContainer={"ModelDataUrl": "s3://bucket/model.tar.gz"},
    )
    assert message.startswith("Could not find model data at s3://bucket/model.tar.gz.")


BAD_VARIANTS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "no size": ([{"VariantName": "one"}], "needs InstanceType and InitialInstanceCount"),
    "no count": (
        [{"VariantName": "one", "InstanceType": "ml.c5.large"}],
        "needs InitialInstanceCount",
    ),
    "twice": ([variant("", "one"), variant("", "one")], "must be unique"),
    "both": (
        [variant("", ServerlessConfig={"MemorySizeInMB": 1024, "MaxConcurrency": 1})],
        "is serverless",
    ),
    "memory": (
        [{"VariantName": "one", "ServerlessConfig": {"MemorySizeInMB": 1500, "MaxConcurrency": 1}}],
        "1500",
    ),
    "concurrency": (
        [
            {
                "VariantName": "one",
                "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 201},
            }
        ],
        "less than or equal to 200",
    ),
    "provisioned": (
        [
            {
                "VariantName": "one",
                "ServerlessConfig": {
                    "MemorySizeInMB": 1024,
                    "MaxConcurrency": 2,
                    "ProvisionedConcurrency": 3,
                },
            }
        ],
        "ProvisionedConcurrency 3 is greater than MaxConcurrency 2",
    ),
    "two": (
        [
            {
                "VariantName": "one",
                "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
            },
            variant("", "two"),
        ],
        "only one",
    ),
    "routing": ([variant("", RoutingConfig={"RoutingStrategy": "KV_AWARE"})], "not emulated"),
    "type": ([variant("", InstanceType="ml.t3.medium")], "ml.t3.medium"),
    "managed": (
        [variant("", ManagedInstanceScaling={"Status": "ENABLED"})],
        "ManagedInstanceScaling is not emulated",
    ),
}


@pytest.mark.parametrize(("variants", "message"), BAD_VARIANTS.values(), ids=list(BAD_VARIANTS))
def test_variants_that_cannot_be_are_refused(
    sagemaker: Sagemaker, model: str, variants: list[dict[str, Any]], message: str
):
    told = refusal(
        sagemaker.control.create_endpoint_config,
        EndpointConfigName="refused",
        ProductionVariants=[{**members, "ModelName": model} for members in variants],
    )
    assert message in told


def test_lists_are_filtered_sorted_and_in_pages(sagemaker: Sagemaker, model: str):
    control = sagemaker.control
    wanted = [f"page-{number}" for number in range(7)]
    for name in wanted:
        sagemaker.config(name, variant(model))
    pages = control.get_paginator("list_endpoint_configs").paginate(
        NameContains="page-", SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 3}
    )
    found = [names(page) for page in pages]
    assert found == [wanted[:3], wanted[3:6], wanted[6:]]
    newest = names(control.list_endpoint_configs(NameContains="page-", MaxResults=2))
    assert newest == ["page-6", "page-5"], "the newest come first"
    made = control.describe_endpoint_config(EndpointConfigName="page-3")["CreationTime"]
    before = control.list_endpoint_configs(NameContains="page-", CreationTimeBefore=made)
    assert set(names(before)) <= {"page-0", "page-1", "page-2", "page-3"}
    assert "page-0" in names(before)
    message = refusal(control.list_endpoint_configs, NextToken="nonsense")
    assert message == "The pagination token is invalid."


def test_a_page_goes_on_where_it_ended_though_something_was_deleted(
    sagemaker: Sagemaker, model: str
):
    control = sagemaker.control
    for number in range(4):
        sagemaker.config(f"going-{number}", variant(model))
    by_name = {"NameContains": "going-", "SortBy": "Name", "SortOrder": "Ascending"}
    first = control.list_endpoint_configs(**by_name, MaxResults=2)
    control.delete_endpoint_config(EndpointConfigName="going-1")
    rest = control.list_endpoint_configs(**by_name, NextToken=first["NextToken"])
    assert names(rest) == ["going-2", "going-3"]


def test_endpoints_are_listed_by_status(sagemaker: Sagemaker, config: str):
    control = sagemaker.control
    sagemaker.endpoint("listed", config)
    assert "listed" in names(control.list_endpoints(StatusEquals="InService"))
    assert "listed" not in names(control.list_endpoints(StatusEquals="Failed"))
    assert "listed" in names(control.list_endpoints(SortBy="Status", NameContains="iste"))
    future = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    assert names(control.list_endpoints(LastModifiedTimeAfter=future)) == []
    assert "listed" in names(control.list_endpoints(LastModifiedTimeBefore=future))


def test_tags_are_kept_by_arn(sagemaker: Sagemaker, config: str):
    control = sagemaker.control
    arn = control.describe_endpoint_config(EndpointConfigName=config)["EndpointConfigArn"]
    control.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    control.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "3"}])
    assert control.list_tags(ResourceArn=arn)["Tags"] == [
        {"Key": "a", "Value": "3"},
        {"Key": "b", "Value": "2"},
    ]
    control.delete_tags(ResourceArn=arn, TagKeys=["a"])
    assert control.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    assert "Could not find resource" in refusal(control.list_tags, ResourceArn=arn + "-not")


def test_an_endpoint_in_progress_is_left_alone(sagemaker: Sagemaker, config: str):
    """What forks its instance stands still meanwhile, so it stays ``Creating``."""
    control = sagemaker.control
    with stopped(children_of(sagemaker.process_id)):
        control.create_endpoint(EndpointName="busy", EndpointConfigName=config)
        assert sagemaker.status("busy") == "Creating"
        told = f'Cannot update in-progress endpoint "{ARN}:endpoint/busy".'
        assert refusal(control.delete_endpoint, EndpointName="busy") == told
        assert told == refusal(
            control.update_endpoint, EndpointName="busy", EndpointConfigName=config
        )
        assert told == refusal(
            control.update_endpoint_weights_and_capacities,
            EndpointName="busy",
            DesiredWeightsAndCapacities=[{"VariantName": "one", "DesiredInstanceCount": 2}],
        )
        with pytest.raises(sagemaker.runtime.exceptions.ValidationError, match="not found"):
            sagemaker.invoke("busy")
        message = refusal(control.delete_endpoint_config, EndpointConfigName=config)
        assert "is being created" in message
    sagemaker.until("busy", "InService")


def test_an_endpoint_is_deleting_until_its_instances_are_gone(sagemaker: Sagemaker, config: str):
    """Its one instance stands still meanwhile, so it cannot end."""
    control = sagemaker.control
    sagemaker.endpoint("going", config)
    process_id = sagemaker.invoke("going")["json"]["process_id"]
    with stopped([process_id]):
        control.delete_endpoint(EndpointName="going")
        assert sagemaker.status("going") == "Deleting"
        assert "going" in names(control.list_endpoints(StatusEquals="Deleting"))
        message = refusal(control.create_endpoint, EndpointName="going", EndpointConfigName=config)
        assert "already existing" in message
        assert "in-progress" in refusal(control.delete_endpoint, EndpointName="going")
        with pytest.raises(sagemaker.runtime.exceptions.ValidationError, match="not found"):
            sagemaker.invoke("going")
    until(lambda: "going" not in names(control.list_endpoints()), "the endpoint to be gone")
    sagemaker.endpoint("going", config)


@contextmanager
def stopped(process_ids: list[int]) -> Iterator[None]:
    for process_id in process_ids:
        os.kill(process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        for process_id in process_ids:
            os.kill(process_id, signal.SIGCONT)


def test_signatures_are_checked_when_asked_for(packed_artefact: Path):
    settings = packed_artefact.parent / "tonnage.toml"
    arguments = ("up", "--config", settings, "--port", "0", "--check-signatures")
    key = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "secret"}
    with tonnage(*arguments, env={**key, "AWS_SECRET_ACCESS_KEY": ""}) as command:
        assert command.exit_code() == 2
        assert "--check-signatures needs AWS_SECRET_ACCESS_KEY" in command.stderr
    with tonnage(*arguments, env=key) as command:
        found = re.search(r"POST (http://[^/]+)/", command.until_line("REST API"))
        assert found is not None
        url = found[1]
        for service, call, members in (
            ("sagemaker", "list_endpoints", {}),
            (
                "sagemaker-runtime",
                "invoke_endpoint",
                {
                    "EndpointName": "real-estate-evaluation",
                    "Body": b'{"distance": 150}',
                    "ContentType": "application/json",
                },
            ),
        ):
            assert getattr(signed(service, url, "secret"), call)(**members)
            with pytest.raises(ClientError, match=r"SignatureDoesNotMatch|InvalidSignature"):
                getattr(signed(service, url, "another"), call)(**members)
        assert post(f"{url}/evaluate", {"distance": 150}).status == 200, "no API of AWS's"


def signed(service: str, url: str, secret: str) -> BaseClient:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )
