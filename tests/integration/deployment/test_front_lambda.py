"""
The Lambda package over real HTTP, its own botocore against the local endpoint: no client can tell.
"""

import importlib.util
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest

from fake_runtime import FailingRuntime, failing_runtime
from support import Answer, Command, Up, ask, post
from tonnage.api import EndpointFault, Front, Invocation
from tonnage.artefact import LoadedService
from tonnage.deployment.fronts import FrontPackage, write_lambda_package
from tonnage.deployment.fronts.in_lambda.endpoint import SageMakerEndpoint
from tonnage.domain import error_body
from tonnage.emulator import BackgroundEndpoint

HOST = Path(__file__).parents[2] / "lambda_host.py"
LAMBDA_BRINGS = ("botocore", "urllib3", "jmespath", "dateutil", "six", "certifi", "idna")
ENVELOPE = error_body("invalid_payload", "no").decode()


@pytest.fixture(scope="module")
def package(packed_artefact: Path, tmp_path_factory: pytest.TempPathFactory) -> FrontPackage:
    return write_lambda_package(
        tmp_path_factory.mktemp("front") / "package",
        artefact=packed_artefact,
        name="real-estate-evaluation",
        route="/evaluate",
    )


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Lambda's Python brings, and no more: this environment's numpy must not be found."""
    directory = tmp_path_factory.mktemp("given")
    for name in LAMBDA_BRINGS:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (directory / source.name).symlink_to(source)
    return directory


@contextmanager
def lambda_function(package: FrontPackage, given: Path, runtime_url: str) -> Iterator[str]:
    environment = {
        "TONNAGE_ENDPOINT_NAME": "real-estate-evaluation",
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": runtime_url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
    }
    command = (sys.executable, "-I", "-S", HOST, package.directory, given)
    with Command(command, env=environment) as host:
        url = host.until_line("on http").removeprefix("on ").strip()
        host.until_line("numpy is a stand-in")
        yield url


@pytest.fixture(scope="module")
def endpoint(start_up: Up, packed_artefact: Path) -> Iterator[BackgroundEndpoint]:
    with start_up(artefact=packed_artefact) as running:
        yield running


@pytest.fixture(scope="module")
def front(package: FrontPackage, given: Path, endpoint: BackgroundEndpoint) -> Iterator[str]:
    with lambda_function(package, given, endpoint.url) as url:
        yield url


@pytest.fixture(scope="module")
def failing(package: FrontPackage, given: Path) -> Iterator[tuple[str, FailingRuntime]]:
    with failing_runtime() as runtime, lambda_function(package, given, runtime.url) as url:
        yield url, runtime


def told(answer: Answer) -> tuple[int, bytes, str | None, str | None]:
    """What a client sees of an answer."""
    headers = answer.headers
    return answer.status, answer.body, headers.get("content-type"), headers.get("allow")


@pytest.mark.parametrize(("distance", "cost"), [(150, 50.3), (1000, 33.38)])
def test_a_house_gets_its_price(front: str, distance: int, cost: float):
    answer = post(f"{front}/evaluate", {"distance": distance})
    assert (answer.status, answer.json) == (200, {"cost": cost})


@pytest.mark.parametrize("row", [{"distance": 150}, {"distance": "far"}, {}])
def test_boto3s_own_client_is_answered_as_the_functions_is(
    front: str, endpoint: BackgroundEndpoint, packed_artefact: Path, row: object
):
    """What boto3 makes is a client of botocore's: the front can be given either."""
    client = boto3.client(
        "sagemaker-runtime",
        endpoint_url=endpoint.url,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    name = "real-estate-evaluation"
    service = LoadedService.load(packed_artefact)
    body = json.dumps(row).encode()
    answer = Front(service, name=name, route="/evaluate").handle(
        "POST",
        "/evaluate",
        {"content-type": "application/json"},
        body,
        SageMakerEndpoint(name, client).invoke,
    )
    client.close()
    given = post(f"{front}/evaluate", body)
    assert (answer.status, answer.body) == (given.status, given.body)


def test_boto3_is_told_what_the_model_refused(endpoint: BackgroundEndpoint):
    """A row that the front does not see is refused by the container, in its own envelope."""
    client = boto3.client(
        "sagemaker-runtime",
        endpoint_url=endpoint.url,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    answer = SageMakerEndpoint("real-estate-evaluation", client).invoke(Invocation(body=b"{}"))
    client.close()
    assert isinstance(answer, EndpointFault)
    assert (answer.shape, answer.original_status) == ("ModelError", 400)
    (field,) = json.loads(answer.original_body)["error"]["fields"]
    assert "distance" in str(field)


@pytest.mark.parametrize(
    "body",
    [
        b'{"distance": 150}',
        b' {"distance" : 1.5e2}',
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"distance": 0}',
        b'{"distance": "150"}',
        b'{"distance": NaN}',
        b'{"distance": 1e999}',
        b'{"distance": 150, "age": 3}',
        b"\xff\xfe",
        b'{"distance": "' + "é".encode() + b'"}',
    ],
)
def test_any_body_is_answered_as_on_the_local_port(
    front: str, endpoint: BackgroundEndpoint, body: bytes
):
    assert told(post(f"{front}/evaluate", body)) == told(post(f"{endpoint.url}/evaluate", body))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/openapi.json"),
        ("HEAD", "/openapi.json"),
        ("GET", "/evaluate"),
        ("DELETE", "/evaluate"),
        ("POST", "/openapi.json"),
        ("GET", "/nowhere"),
        ("OPTIONS", "/evaluate"),
    ],
)
def test_any_path_and_method_is_answered_as_on_the_local_port(
    front: str, endpoint: BackgroundEndpoint, method: str, path: str
):
    assert told(ask(front + path, method)) == told(ask(endpoint.url + path, method))


def test_another_content_type_is_answered_as_on_the_local_port(
    front: str, endpoint: BackgroundEndpoint
):
    for content_type in ("text/plain", "application/json; charset=utf-8"):
        here = post(f"{endpoint.url}/evaluate", {"distance": 150}, content_type)
        assert told(post(f"{front}/evaluate", {"distance": 150}, content_type)) == told(here)


@pytest.mark.parametrize(
    ("shape", "sent", "status", "code"),
    [
        ("ValidationError", 400, 400, "invalid_invocation"),
        ("InternalFailure", 500, 500, "internal"),
        ("ServiceUnavailable", 503, 503, "over_capacity"),
        ("ModelNotReadyException", 429, 429, "try_later"),
        ("ThrottlingException", 400, 429, "try_later"),
        ("InternalDependencyException", 530, 530, "dependency_failed"),
        ("AccessDeniedException", 403, 502, "endpoint_unreachable"),
    ],
)
def test_each_error_of_the_runtime_comes_out_as_the_table_says(
    failing: tuple[str, FailingRuntime], shape: str, sent: int, status: int, code: str
):
    url, runtime = failing
    runtime.fail(shape, sent)
    answer = post(f"{url}/evaluate", {"distance": 150})
    assert (answer.status, answer.error["code"]) == (status, code)
    assert len(runtime.asked) == 1, "who retries sends a full endpoint more"


@pytest.mark.parametrize(
    ("original", "message", "status", "code"),
    [
        (503, "full", 503, "over_capacity"),
        (500, "Traceback", 424, "model_error"),
        (400, ENVELOPE, 400, "invalid_payload"),
        (400, ENVELOPE[:15], 400, "model_refused"),
    ],
)
def test_a_model_error_comes_out_as_what_its_container_said(
    failing: tuple[str, FailingRuntime], original: int, message: str, status: int, code: str
):
    url, runtime = failing
    runtime.fail("ModelError", 424, OriginalStatusCode=original, OriginalMessage=message)
    answer = post(f"{url}/evaluate", {"distance": 150})
    assert (answer.status, answer.error["code"]) == (status, code)
    assert runtime.asked == [
        ("/endpoints/real-estate-evaluation/invocations", b'{"distance": 150}')
    ]


def test_an_endpoint_that_is_not_there_is_a_bad_gateway(package: FrontPackage, given: Path):
    with failing_runtime() as runtime:
        closed = runtime.url
    with lambda_function(package, given, closed) as url:
        answer = post(f"{url}/evaluate", {"distance": 150})
        assert (answer.status, answer.error["code"]) == (502, "endpoint_unreachable")
