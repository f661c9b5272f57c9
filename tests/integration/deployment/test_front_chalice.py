"""
The Chalice app: its own test client, a real ``chalice local``, and what ``chalice package`` writes.
"""

import json
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fake_runtime import FailingRuntime, failing_runtime
from support import Answer, Command, Up, ask, free_port, post, until
from tonnage.deployment.fronts import FrontOptions
from tonnage.deployment.fronts.chalice_app import write_chalice_app
from tonnage.domain import ConfigurationError, error_body
from tonnage.emulator import BackgroundEndpoint
from tonnage.planning import Front

ENDPOINT = "real-estate-evaluation"
SHOP = "https://shop.example.com"
BESIDE = Path(sys.executable).parent
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "any",
    "AWS_SECRET_ACCESS_KEY": "any",
    "AWS_EC2_METADATA_DISABLED": "true",
}
ENVELOPE = error_body("invalid_payload", "no").decode()


def options(artefact: Path, **changed: Any) -> FrontOptions:  # noqa: ANN401
    return FrontOptions(
        front=Front.CHALICE, name=ENDPOINT, route="/evaluate", artefact=artefact, **changed
    )


def write(directory: Path, chosen: FrontOptions) -> Path:
    return write_chalice_app(directory, chosen, endpoint_name="Real-Estate", region="us-east-1")


@pytest.fixture(scope="module")
def app(packed_artefact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    chosen = options(packed_artefact, cors_origins=[SHOP])
    directory = write(tmp_path_factory.mktemp("chalice") / "app", chosen)
    config = directory / ".chalice" / "config.json"
    # The local endpoint has another name than the deployed one, so that each is seen to be asked.
    config.write_text(config.read_text().replace("Real-Estate", ENDPOINT))
    return directory


@pytest.fixture(scope="module")
def endpoint(start_up: Up, packed_artefact: Path) -> Iterator[BackgroundEndpoint]:
    with start_up(artefact=packed_artefact) as running:
        yield running


@pytest.fixture(scope="module")
def local(app: Path, endpoint: BackgroundEndpoint) -> Iterator[str]:
    """The URL of a real ``chalice local``."""
    with chalice_local(app, endpoint.url) as url:
        yield url


@contextmanager
def chalice_local(app: Path, runtime_url: str) -> Iterator[str]:
    port = free_port()
    command = (BESIDE / "chalice", "local", "--port", str(port), "--no-autoreload")
    environment = {**ENVIRONMENT, "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": runtime_url}
    with Command(command, cwd=app, env=environment) as chalice:

        def is_up() -> bool:
            assert chalice.process.poll() is None, chalice.stderr
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
            except ConnectionRefusedError:
                return False
            return True

        until(is_up, "chalice local")
        yield f"http://127.0.0.1:{port}"


def told(answer: Answer) -> tuple[int, bytes, str | None]:
    return answer.status, answer.body, answer.headers.get("content-type")


@pytest.mark.parametrize(("distance", "cost"), [(150, 50.3), (1000, 33.38)])
def test_a_house_gets_its_price(local: str, distance: int, cost: float):
    answer = post(f"{local}/evaluate", {"distance": distance})
    assert (answer.status, answer.json) == (200, {"cost": cost})


@pytest.mark.parametrize(
    "body",
    [b'{"distance": 150}', b"{", b"[]", b"{}", b'{"distance": 0}', b'{"distance": "150"}', b"\xff"],
)
def test_any_body_is_answered_as_on_the_local_port(
    local: str, endpoint: BackgroundEndpoint, body: bytes
):
    assert told(post(f"{local}/evaluate", body)) == told(post(f"{endpoint.url}/evaluate", body))


def test_another_type_or_method_is_refused_in_the_envelope(
    local: str, endpoint: BackgroundEndpoint
):
    here, there = (post(f"{url}/evaluate", {}, "text/plain") for url in (local, endpoint.url))
    assert told(here) == told(there)
    assert here.status == 415
    assert told(ask(f"{local}/evaluate")) == told(ask(f"{endpoint.url}/evaluate"))


def test_a_page_may_ask_first(local: str):
    answer = ask(f"{local}/evaluate", "OPTIONS", headers={"Origin": SHOP})
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == SHOP
    priced = ask(f"{local}/evaluate", "POST", body=b'{"distance": 150}', headers={"Origin": SHOP})
    assert (priced.json, priced.headers["access-control-allow-origin"]) == ({"cost": 50.3}, SHOP)


# Chalice says so whenever it lets a request in without asking IAM, which it cannot here.
@pytest.mark.filterwarnings("ignore:IAMAuthorizer is not a supported:UserWarning")
@pytest.mark.parametrize(
    ("shape", "sent", "members", "status", "code"),
    [
        ("ValidationError", 400, {}, 400, "invalid_invocation"),
        ("InternalFailure", 500, {}, 500, "internal"),
        ("ServiceUnavailable", 503, {}, 503, "over_capacity"),
        ("ModelError", 424, {"OriginalStatusCode": 500}, 424, "model_error"),
        ("ModelError", 424, {"OriginalStatusCode": 503}, 503, "over_capacity"),
        (
            "ModelError",
            424,
            {"OriginalStatusCode": 400, "OriginalMessage": ENVELOPE},
            400,
            "invalid_payload",
        ),
        ("InternalDependencyException", 530, {}, 530, "dependency_failed"),
        ("ModelNotReadyException", 429, {}, 429, "try_later"),
    ],
)
def test_each_error_of_the_runtime_comes_out_as_the_table_says(
    client: tuple[Any, FailingRuntime],
    shape: str,
    sent: int,
    members: Mapping[str, object],
    status: int,
    code: str,
):
    """Through Chalice's own test client, which runs what runs in Lambda."""
    http, runtime = client
    runtime.fail(shape, sent, **members)
    answer = http.post(
        "/evaluate", headers={"Content-Type": "application/json"}, body=b'{"distance": 150}'
    )
    assert (answer.status_code, answer.json_body["error"]["code"]) == (status, code)
    assert [path for path, _ in runtime.asked] == [f"/endpoints/{ENDPOINT}/invocations"]


@pytest.fixture(scope="module")
def client(app: Path) -> Iterator[tuple[Any, FailingRuntime]]:
    import importlib.util

    from chalice.test import Client

    with failing_runtime() as runtime, pytest.MonkeyPatch.context() as patch:
        for name, value in {
            **ENVIRONMENT,
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": runtime.url,
        }.items():
            patch.setenv(name, value)
        patch.chdir(app)
        patch.setattr(sys, "path", list(sys.path))
        patch.setattr(sys, "meta_path", list(sys.meta_path))
        spec = importlib.util.spec_from_file_location("chalice_front_app", app / "app.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        patch.setattr(sys, "dont_write_bytecode", True)
        spec.loader.exec_module(module)
        with Client(module.app, stage_name="dev", project_dir=str(app)) as given:
            yield given.http, runtime
        for name in [name for name in sys.modules if name.partition(".")[0] == "tonnage_front"]:
            del sys.modules[name]


def package(app: Path, out: Path) -> dict[str, Any]:
    """What ``chalice package`` writes, as SAM's template; it downloads the front's wheels."""
    finished = subprocess.run(
        [
            *(BESIDE / "chalice", "package"),
            *("--merge-template", ".chalice/resources.json", str(out)),
        ],
        cwd=app,
        env={**ENVIRONMENT, "PATH": f"{BESIDE}:/usr/bin:/bin", "HOME": str(out.parent)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    template: dict[str, Any] = json.loads((out / "sam.json").read_text())
    return template


def test_what_it_packages_is_sound_and_may_do_one_thing(packed_artefact: Path, tmp_path: Path):
    chosen = options(packed_artefact, auth="api_key", throttle_per_second=100.0, throttle_burst=50)
    template = package(write(tmp_path / "app", chosen), tmp_path / "out")
    linted = subprocess.run(
        [BESIDE / "cfn-lint", "-i", "W3005", "-t", tmp_path / "out" / "sam.json"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout
    resources = template["Resources"]
    (policy,) = resources["ApiHandlerRole"]["Properties"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    assert {action for each in statements for action in each["Action"]} == {
        "sagemaker:InvokeEndpoint",
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }
    assert statements[0]["Resource"] == ["arn:aws:sagemaker:us-east-1:*:endpoint/real-estate"]
    function = resources["APIHandler"]["Properties"]
    assert function["Environment"]["Variables"] == {"TONNAGE_ENDPOINT_NAME": "Real-Estate"}
    api = resources["RestAPI"]["Properties"]
    assert api["MethodSettings"][0]["ThrottlingRateLimit"] == 100
    assert api["MethodSettings"][0]["ThrottlingBurstLimit"] == 50
    assert api["GatewayResponses"]["INVALID_API_KEY"]["StatusCode"] == 403
    view = api["DefinitionBody"]["paths"]["/evaluate"]["post"]
    assert view["security"] == [{"api_key": []}]
    assert resources["UsagePlanKey"]["Properties"]["UsagePlanId"] == {"Ref": "UsagePlan"}
    with zipfile.ZipFile(tmp_path / "out" / "deployment.zip") as archive:
        names = archive.namelist()
        assert sum(member.file_size for member in archive.infolist()) <= 15_000_000
    assert {"app.py", "front.json", "service/manifest.json", "tonnage_front/opening.py"} <= set(
        names
    )
    assert not any(name.startswith(("numpy/", "onnxruntime/", "vendor/")) for name in names)
    core = [name for name in names if name.startswith("pydantic_core/") and name.endswith(".so")]
    assert core
    assert all("linux" in name for name in core)


def test_iam_is_the_default_and_a_preflight_needs_no_signature(
    packed_artefact: Path, tmp_path: Path
):
    chosen = options(packed_artefact, cors_origins=[SHOP])
    directory = write(tmp_path / "app", chosen)
    text = (directory / "app.py").read_text()
    assert 'auth="iam", cross_origin=True' in text
    policy = json.loads((directory / ".chalice" / "policy.json").read_text())
    assert policy["Statement"][0]["Resource"] == [
        "arn:aws:sagemaker:us-east-1:*:endpoint/real-estate"
    ]


def test_what_is_in_the_way_is_left_alone(packed_artefact: Path, tmp_path: Path):
    (tmp_path / "app.py").write_text("mine")
    with pytest.raises(ConfigurationError, match="is not empty"):
        write(tmp_path, options(packed_artefact))
    assert (tmp_path / "app.py").read_text() == "mine"


def test_another_fronts_options_and_no_account_are_refused(packed_artefact: Path, tmp_path: Path):
    other = FrontOptions(front=Front.HTTP, name="x", route="/x", artefact=packed_artefact)
    with pytest.raises(ConfigurationError, match='not of "chalice"'):
        write(tmp_path / "a", other)
    with pytest.raises(ConfigurationError, match="no AWS account"):
        write_chalice_app(
            tmp_path / "b",
            options(packed_artefact),
            endpoint_name="e",
            region="us-east-1",
            account="12",
        )
