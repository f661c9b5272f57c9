"""
The one local port: REST API, SageMaker's runtime for real clients, metrics.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support import ask, post

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from botocore.client import BaseClient

    from support import Up
    from tonnage.emulator import BackgroundEndpoint

NAME = "real-estate-evaluation"
ROW = b'{"distance": 150}'
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}


@pytest.fixture(scope="module")
def endpoint(start_up: Up, packed_artefact: Path) -> Iterator[BackgroundEndpoint]:
    """One endpoint for all of these; it must outlive them with the instances it began with."""
    with start_up(artefact=packed_artefact, count=2) as started:
        before = [instance["process_id"] for instance in started.state()["instances"]]
        yield started
        assert post(f"{started.url}/evaluate", ROW).json == {"cost": 50.3}
        after = [instance["process_id"] for instance in started.state()["instances"]]
        assert after == before


@pytest.fixture(scope="module")
def runtime(
    endpoint: BackgroundEndpoint, runtime_client: Callable[[str], BaseClient]
) -> BaseClient:
    return runtime_client(endpoint.url)


def invoke(runtime: BaseClient, body: bytes = ROW, **members: object) -> dict[str, Any]:
    response: dict[str, Any] = runtime.invoke_endpoint(
        **{
            "EndpointName": NAME,
            "ContentType": "application/json",
            "Body": body,
            **members,
        }
    )
    return response


# The REST API.


def test_the_index_tells_where_to_go(endpoint: BackgroundEndpoint):
    answer = ask(f"{endpoint.url}/")
    assert answer.status == 200
    assert answer.json["service"] == NAME
    assert "/evaluate" in answer.json["predict"]


@pytest.mark.parametrize("path", ["/evaluate", "/evaluate/", "/evaluate?from=page"])
def test_a_price_is_evaluated(endpoint: BackgroundEndpoint, path: str):
    answer = post(f"{endpoint.url}{path}", ROW)
    assert (answer.status, answer.json) == (200, {"cost": 50.3})
    assert answer.headers["content-type"] == "application/json"


def test_the_openapi_document_has_the_unit_of_the_cost(endpoint: BackgroundEndpoint):
    document = ask(f"{endpoint.url}/openapi.json").json
    operation = document["paths"]["/evaluate"]["post"]
    reference = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    result = document["components"]["schemas"][reference.rpartition("/")[2]]
    described = result["properties"]["cost"]["description"]
    assert "10,000 New Taiwan Dollars per ping" in described
    assert "1 ping = 35.58 sq. ft." in described


BAD = {
    "zero": (b'{"distance": 0}', "distance"),
    "negative": (b'{"distance": -1}', "distance"),
    "nan": (b'{"distance": NaN}', "distance"),
    "infinity": (b'{"distance": Infinity}', "distance"),
    "string": (b'{"distance": "150"}', "distance"),
    "missing": (b"{}", "distance"),
    "unknown": (b'{"distance": 150, "rooms": 3}', "rooms"),
    "empty": (b"", ""),
    "brace": (b"{", ""),
}


@pytest.mark.parametrize(("body", "field"), BAD.values(), ids=list(BAD))
def test_a_bad_request_is_a_400_that_names_the_field(
    endpoint: BackgroundEndpoint, body: bytes, field: str
):
    answer = post(f"{endpoint.url}/evaluate", body)
    assert answer.status == 400
    assert [fault["field"] for fault in answer.error["fields"]] == [field]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/evaluate", 405),
        ("DELETE", "/evaluate/", 405),
        ("POST", "/", 405),
        ("PUT", "/openapi.json", 405),
        ("GET", f"/endpoints/{NAME}/invocations", 405),
        ("POST", "/metrics", 405),
        ("POST", "/_tonnage/state", 405),
        ("DELETE", "/_tonnage/timeline", 405),
        ("GET", "/evaluate/deeper", 404),
        ("POST", "/invocations", 404),
        ("GET", "/favicon.ico", 404),
        ("POST", "/endpoints", 404),
        ("GET", "/_tonnage", 404),
        ("GET", "/_tonnage/timeline?since=yesterday", 400),
        ("GET", "/_tonnage/timeline?since=nan", 400),
        ("GET", "/_tonnage/timeline?since=-inf", 400),
    ],
)
def test_a_wrong_method_path_or_query_is_refused_in_the_envelope(
    endpoint: BackgroundEndpoint, method: str, path: str, status: int
):
    answer = ask(f"{endpoint.url}{path}", method)
    assert answer.status == status
    assert answer.error["message"]
    assert (status == 405) == ("allow" in answer.headers)


@pytest.mark.parametrize("path", ["/evaluate", f"/endpoints/{NAME}/invocations"])
def test_a_body_of_7_megabytes_is_a_413(endpoint: BackgroundEndpoint, path: str):
    answer = post(f"{endpoint.url}{path}", b'{"distance":' + b" " * 7_000_000 + b"150}")
    assert answer.status == 413
    assert "6MiB" in answer.error["message"]


def test_another_content_type_is_a_415(endpoint: BackgroundEndpoint):
    answer = post(f"{endpoint.url}/evaluate", b"150", "text/csv")
    assert answer.status == 415
    assert "text/csv" in answer.error["message"]


# SageMaker's runtime API.


def test_boto3_invokes_it(runtime: BaseClient):
    response = invoke(runtime)
    assert json.loads(response["Body"].read()) == {"cost": 50.3}
    assert response["ContentType"] == "application/json"
    assert response["InvokedProductionVariant"] == "linear-model"
    assert response["ResponseMetadata"]["RequestId"]


def test_boto3_may_leave_out_the_content_type(runtime: BaseClient):
    response = runtime.invoke_endpoint(EndpointName=NAME, Body=ROW)
    assert json.loads(response["Body"].read()) == {"cost": 50.3}


def test_boto3_may_name_the_variant(runtime: BaseClient):
    response = invoke(runtime, TargetVariant="linear-model", CustomAttributes="trace=1")
    assert json.loads(response["Body"].read()) == {"cost": 50.3}


def test_an_unknown_variant_is_a_validation_error(runtime: BaseClient):
    with pytest.raises(runtime.exceptions.ValidationError, match="forest"):
        invoke(runtime, TargetVariant="forest")


def test_an_unknown_endpoint_is_a_modelled_validation_error(runtime: BaseClient):
    with pytest.raises(runtime.exceptions.ValidationError, match="nowhere") as caught:
        invoke(runtime, EndpointName="nowhere")
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize(
    ("members", "status", "code"),
    [
        ({"body": b'{"distance": 0}'}, 400, "invalid_payload"),
        ({"body": b"{"}, 400, "invalid_payload"),
        ({"ContentType": "text/html"}, 415, "unsupported_media_type"),
        ({"Accept": "text/html"}, 406, "unsupported_media_type"),
    ],
)
def test_what_the_container_refuses_is_a_model_error(
    runtime: BaseClient, members: dict[str, Any], status: int, code: str
):
    with pytest.raises(runtime.exceptions.ModelError) as caught:
        invoke(runtime, **members)
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == status
    assert json.loads(response["OriginalMessage"])["error"]["code"] == code
    assert response["LogStreamArn"].startswith("arn:aws:logs:")


def test_the_originals_own_call_with_the_aws_cli(
    endpoint: BackgroundEndpoint, aws_cli: str, tmp_path: Path
):
    """As its README has it: version 2 wants the body in base64."""
    script = (
        f'"{aws_cli}" sagemaker-runtime invoke-endpoint --endpoint-url {endpoint.url}'
        f" --endpoint-name {NAME} --content-type application/json"
        """ --body "$(echo '{"distance": 150}' | base64)" out.json"""
    )
    finished = run_aws(["bash", "-c", script], tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert json.loads((tmp_path / "out.json").read_text()) == {"cost": 50.3}
    assert json.loads(finished.stdout) == {
        "ContentType": "application/json",
        "InvokedProductionVariant": "linear-model",
    }


def test_the_aws_cli_names_what_is_wrong(
    endpoint: BackgroundEndpoint, aws_cli: str, tmp_path: Path
):
    call = (
        *("sagemaker-runtime", "invoke-endpoint", "--endpoint-url", endpoint.url),
        *("--endpoint-name", NAME, "--content-type", "application/json"),
        *("--cli-binary-format", "raw-in-base64-out", "--body", '{"distance": 0}', "out.json"),
    )
    finished = run_aws([aws_cli, *call], tmp_path)
    assert finished.returncode == 254
    assert "(ModelError)" in finished.stderr
    assert "distance" in finished.stderr


def run_aws(command: list[str], directory: Path) -> subprocess.CompletedProcess[str]:
    own = {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_DEFAULT_OUTPUT": "json",
        "AWS_PAGER": "",
        "NO_PROXY": "127.0.0.1",
    }
    environment = {name: value for name, value in os.environ.items() if name != "AWS_PROFILE"}
    return subprocess.run(
        command,
        cwd=directory,
        env={**environment, **CREDENTIALS, **own},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


# Metrics and state.


def invocations_by_status(endpoint: BackgroundEndpoint) -> dict[str, float]:
    return {
        labels["status"]: value
        for name, labels, value in samples(endpoint)
        if name == "tonnage_invocations_total"
    }


def samples(endpoint: BackgroundEndpoint) -> list[tuple[str, dict[str, str], float]]:
    answer = ask(f"{endpoint.url}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = list(text_string_to_metric_families(answer.body.decode()))
    return [
        (sample.name, sample.labels, sample.value)
        for family in families
        for sample in family.samples
    ]


def test_the_metrics_count_invocations_by_status(endpoint: BackgroundEndpoint):
    before = invocations_by_status(endpoint)
    for _ in range(7):
        post(f"{endpoint.url}/evaluate", ROW)
    for _ in range(3):
        post(f"{endpoint.url}/endpoints/{NAME}/invocations", b'{"distance": 0}')
    post(f"{endpoint.url}/evaluate", b'{"distance": 0}')  # refused at the front: no invocation
    after = invocations_by_status(endpoint)
    assert after["200"] - before.get("200", 0) == 7
    assert after["400"] - before.get("400", 0) == 3


def test_the_metrics_tell_latency_and_instances(endpoint: BackgroundEndpoint):
    post(f"{endpoint.url}/evaluate", ROW)
    known = {name: value for name, labels, value in samples(endpoint) if not labels}
    assert known["tonnage_desired_instance_count"] == 2
    assert known["tonnage_in_service_instance_count"] == 2
    invocations = sum(invocations_by_status(endpoint).values())
    assert known["tonnage_model_latency_seconds_count"] == invocations
    assert 0 < known["tonnage_model_latency_seconds_sum"] < invocations


def test_the_state_tells_the_instances(endpoint: BackgroundEndpoint):
    state = endpoint.state()
    assert state["desired_instance_count"] == state["in_service_instance_count"] == 2
    assert [instance["state"] for instance in state["instances"]] == ["InService", "InService"]
    for instance in state["instances"]:
        os.kill(instance["process_id"], 0)
    assert state["period_real_seconds"] == 60 / state["time_scale"]
