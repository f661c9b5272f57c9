"""
boto3's own clients against the front, on a real socket, in every protocol they have.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import botocore.loaders
import botocore.session
import pytest
from botocore.exceptions import ClientError

from aws_front import KEY, SECRET, Recorder, client, refusing, served
from tonnage.emulator.aws import AwsFront, AwsService, Credentials

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from botocore.client import BaseClient

DATA = {
    "MetricDataResults": [
        {
            "Id": "m",
            "Label": "Invocations",
            "Timestamps": [1.7e9],
            "Values": [1.5],
            "StatusCode": "Complete",
        }
    ]
}
QUERY = {
    "MetricDataQueries": [
        {
            "Id": "m",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/SageMaker",
                    "MetricName": "Invocations",
                    "Dimensions": [{"Name": "EndpointName", "Value": "e"}],
                },
                "Period": 60,
                "Stat": "Sum",
            },
            "ReturnData": True,
        }
    ],
    "StartTime": 1.6e9,
    "EndTime": 1.8e9,
}
TARGETS = {
    "ScalableTargets": [
        {
            "ServiceNamespace": "sagemaker",
            "ResourceId": "endpoint/e/variant/v",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "MinCapacity": 1,
            "MaxCapacity": 4,
            "RoleARN": "arn:aws:iam::000000000000:role/r",
            "CreationTime": 1.7e9,
        }
    ]
}


class Watch:
    """A little CloudWatch."""

    def __init__(self) -> None:
        self.data = Recorder(DATA)
        self.put = Recorder({})

    def service(self) -> AwsService:
        return AwsService(
            name="cloudwatch",
            target_prefix="GraniteServiceVersion20100801",
            operations={
                "GetMetricData": self.data,
                "PutMetricData": self.put,
                "SetAlarmState": refusing("ResourceNotFound", "there is no alarm <a> & b"),
            },
        )


def scaling() -> AwsService:
    return AwsService(
        name="application-autoscaling",
        target_prefix="AnyScaleFrontendService",
        operations={
            "DescribeScalableTargets": Recorder(TARGETS),
            "DeleteScalingPolicy": refusing("ObjectNotFoundException", "No scaling policy found"),
        },
    )


@pytest.fixture(scope="module")
def watch() -> Watch:
    return Watch()


@pytest.fixture(scope="module")
def url(watch: Watch) -> Iterator[str]:
    with served(AwsFront([watch.service(), scaling()])) as at:
        yield at


def test_boto3_reads_an_answer(url: str):
    described = client("application-autoscaling", url).describe_scalable_targets(
        ServiceNamespace="sagemaker"
    )
    (target,) = described["ScalableTargets"]
    assert (target["MaxCapacity"], target["CreationTime"].timestamp()) == (4, 1.7e9)
    assert len(described["ResponseMetadata"]["RequestId"]) == 36


def test_boto3_raises_the_modelled_class(url: str):
    autoscaling = client("application-autoscaling", url)
    with pytest.raises(autoscaling.exceptions.ObjectNotFoundException) as raised:
        autoscaling.delete_scaling_policy(
            PolicyName="p",
            ServiceNamespace="sagemaker",
            ResourceId="r",
            ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        )
    assert raised.value.response["Error"]["Message"] == "No scaling policy found"


@pytest.mark.parametrize(
    ("service", "call", "parameters", "code"),
    [
        ("application-autoscaling", "describe_scalable_targets", {}, "ValidationException"),
        (
            "application-autoscaling",
            "describe_scalable_targets",
            {"ServiceNamespace": 3},
            "SerializationException",
        ),
        (
            "application-autoscaling",
            "get_predictive_scaling_forecast",
            {},
            "UnknownOperationException",
        ),
        ("sagemaker", "list_models", {}, "UnknownOperationException"),
    ],
)
def test_boto3_tells_the_code(
    url: str, service: str, call: str, parameters: dict[str, Any], code: str
):
    with pytest.raises(ClientError) as raised:
        getattr(client(service, url), call)(**parameters)
    assert raised.value.response["Error"]["Code"] == code


@pytest.fixture(params=["json", "query", "smithy-rpc-v2-cbor"])
def cloudwatch(request: pytest.FixtureRequest, url: str, tmp_path: Path) -> BaseClient:
    """boto3's client, made to speak one of the service's protocols."""
    model = botocore.loaders.Loader().load_service_model("cloudwatch", "service-2")
    metadata = {**model["metadata"], "protocols": [request.param], "protocol": request.param}
    if request.param == "query":
        del metadata["awsQueryCompatible"]
    folder = tmp_path / "cloudwatch" / "2010-08-01"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text(json.dumps({**model, "metadata": metadata}))
    session = botocore.session.Session()
    loader = botocore.loaders.Loader(extra_search_paths=[str(tmp_path)])
    loader.search_paths.sort(key=lambda path: path != str(tmp_path))  # ours before botocore's
    session.register_component("data_loader", loader)
    session.set_credentials(KEY, SECRET)
    made = session.create_client("cloudwatch", region_name="us-east-1", endpoint_url=url)
    assert made.meta.service_model.resolved_protocol == request.param
    return made


def test_every_protocol_carries_the_same_parameters_and_answers(
    cloudwatch: BaseClient, watch: Watch
):
    answer = cloudwatch.get_metric_data(**QUERY)
    assert watch.data.given[-1] == QUERY
    (result,) = answer["MetricDataResults"]
    assert (result["Values"], result["StatusCode"]) == ([1.5], "Complete")
    assert [at.timestamp() for at in result["Timestamps"]] == [1.7e9]
    assert len(answer["ResponseMetadata"]["RequestId"]) == 36


def test_every_protocol_carries_the_same_refusals(cloudwatch: BaseClient):
    with pytest.raises(cloudwatch.exceptions.ResourceNotFound) as raised:
        cloudwatch.set_alarm_state(AlarmName="a", StateValue="OK", StateReason="")
    assert raised.value.response["Error"]["Message"] == "there is no alarm <a> & b"
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_every_protocol_sends_a_large_body_compressed(cloudwatch: BaseClient, watch: Watch):
    metrics = [{"MetricName": f"metric-{i:04d}", "Value": 1.5} for i in range(500)]
    cloudwatch.put_metric_data(Namespace="Own", MetricData=metrics)
    assert watch.put.given[-1] == {"Namespace": "Own", "MetricData": metrics}


# Signatures.


@pytest.fixture(scope="module")
def signed_url(watch: Watch) -> Iterator[str]:
    credentials = Credentials(access_key_id=KEY, secret_access_key=SECRET)
    with served(AwsFront([watch.service(), scaling()], credentials=credentials)) as at:
        yield at


@pytest.mark.parametrize("service", ["cloudwatch", "application-autoscaling"])
def test_a_request_signed_with_the_configured_key_is_taken(signed_url: str, service: str):
    if service == "cloudwatch":
        assert client(service, signed_url).get_metric_data(**QUERY)["MetricDataResults"]
    else:
        found = client(service, signed_url).describe_scalable_targets(ServiceNamespace="ecs")
        assert found["ScalableTargets"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"secret": "another"}, "InvalidSignatureException"),
        ({"key": "another"}, "UnrecognizedClientException"),
        ({"region": "eu-west-1"}, "InvalidSignatureException"),
    ],
)
def test_one_signed_otherwise_is_refused(signed_url: str, changed: dict[str, str], code: str):
    with pytest.raises(ClientError) as raised:
        client("application-autoscaling", signed_url, **changed).describe_scalable_targets(
            ServiceNamespace="ecs"
        )
    assert raised.value.response["Error"]["Code"] == code


def test_secrets_are_not_shown():
    shown = repr(Credentials(access_key_id=KEY, secret_access_key=SECRET))
    assert SECRET not in shown
