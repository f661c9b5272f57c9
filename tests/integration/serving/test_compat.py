"""
``tonnage serve`` runs handlers that were written for SageMaker's toolkits, as they are.
"""

from __future__ import annotations

import io
import json
import shutil
import signal
import tarfile
import threading
from contextlib import contextmanager
from textwrap import dedent
from typing import TYPE_CHECKING

import numpy as np
import pytest

from support import (
    TONNAGE,
    Answer,
    Command,
    ask,
    children_of,
    free_port,
    is_alive,
    post,
    tonnage,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    WriteModel = Callable[..., Path]

THREE_FUNCTIONS = """
    import json
    import os

    import joblib
    import numpy as np
    from sagemaker_inference.errors import GenericInferenceToolkitError

    def model_fn(model_dir):
        return joblib.load(os.path.join(model_dir, "model.joblib"))

    def input_fn(data, content_type):
        distance = json.loads(data)["distance"]
        if distance <= 0:
            raise GenericInferenceToolkitError(422, "distance must be positive", "bad distance")
        return np.log([[distance]])

    def predict_fn(data, model, context):
        sent = context.get_request_header(0, "X-Amzn-SageMaker-Custom-Attributes")
        if sent:
            context.set_response_header(0, "X-Amzn-SageMaker-Custom-Attributes", sent.upper())
        return model.predict(data)

    def output_fn(prediction, accept):
        return json.dumps({"cost": round(prediction[0], 2), "process_id": os.getpid()})
"""
ONLY_MODEL_FN = """
    import joblib

    def model_fn(model_dir):
        return joblib.load(model_dir + "/model.joblib")
"""
TRANSFORM_FN = """
    import joblib
    import numpy as np
    from offsets import OFFSET

    def model_fn(model_dir):
        return joblib.load(model_dir + "/model.joblib")

    def transform_fn(model, data, content_type, accept):
        distances = [float(line) for line in data.split()]
        costs = model.predict(np.log(distances).reshape(-1, 1)) + OFFSET
        return "\\n".join(f"{cost:.2f}" for cost in costs), "text/csv"
"""
WAITING = """
    import os
    import time
    from pathlib import Path

    def model_fn(model_dir):
        return Path(model_dir)

    def transform_fn(model, data, content_type, accept):
        if data == '"wait"':
            (model / "started").touch()
            while not (model / "go").exists():
                time.sleep(0.01)
        return str(os.getpid())
"""
THE_ORIGINALS_KIND = """
    import json

    import joblib
    import numpy as np
    from sagemaker_inference import content_types
    from sagemaker_inference.default_inference_handler import DefaultInferenceHandler
    from sagemaker_inference.errors import UnsupportedFormatError

    class HouseHandler(DefaultInferenceHandler):
        def default_model_fn(self, model_dir):
            return joblib.load("/opt/ml/model/model.joblib")

        def default_input_fn(self, input_data, content_type):
            if content_type != content_types.JSON:
                raise UnsupportedFormatError(content_type)
            return np.log(json.loads(input_data)["distance"]).reshape(1, -1)

        def default_predict_fn(self, data, model):
            return model.predict(data)

        def default_output_fn(self, prediction, accept):
            if accept != content_types.JSON:
                raise UnsupportedFormatError(accept)
            return json.dumps({"cost": round(prediction[0], 2)})
"""
THE_ORIGINALS_SERVICE = """
    from inference_handler import HouseHandler
    from sagemaker_inference.default_handler_service import DefaultHandlerService
    from sagemaker_inference.transformer import Transformer

    class HouseService(DefaultHandlerService):
        def __init__(self):
            super().__init__(transformer=Transformer(default_inference_handler=HouseHandler()))

    service = HouseService()

    def handle(data, context):
        return None if data is None else service.handle(data, context)
"""


@pytest.fixture(scope="module")
def write_model(example_project: Path, tmp_path_factory: pytest.TempPathFactory) -> WriteModel:
    """Writes a directory with the example's model.joblib, as scikit-learn fitted it, and code."""

    def write(**code: str) -> Path:
        directory = tmp_path_factory.mktemp("model")
        shutil.copy(example_project / "model.joblib", directory)
        (directory / "code").mkdir()
        for name, text in code.items():
            (directory / "code" / f"{name}.py").write_text(dedent(text))
        return directory

    return write


@contextmanager
def served(
    model: Path, *flags: str, workers: int = 1, env: Mapping[str, str] | None = None
) -> Iterator[tuple[Command, str]]:
    arguments = ("serve", model, "--host", "127.0.0.1", "--port", "0", "--workers", str(workers))
    with tonnage(*arguments, *flags, env=env) as command:
        address = command.until_line("serving ").rpartition(" on ")[2].strip()
        yield command, f"http://{address}"


def refused(model: Path, *flags: str) -> tuple[int, str]:
    with tonnage("serve", model, "--port", "0", "--workers", "1", *flags) as command:
        return command.exit_code(), command.stderr


@pytest.fixture(scope="module")
def three_functions(write_model: WriteModel) -> Iterator[tuple[Command, str]]:
    with served(write_model(inference=THREE_FUNCTIONS), workers=2) as running:
        yield running


def test_ping_is_200_once_every_worker_has_run_model_fn(three_functions: tuple[Command, str]):
    command, url = three_functions
    assert len(children_of(command.pid)) == 2
    for _ in range(10):
        answer = ask(f"{url}/ping")
        assert (answer.status, answer.body) == (200, b"")


def test_three_functions_answer_an_invocation(three_functions: tuple[Command, str]):
    command, url = three_functions
    answer = post(f"{url}/invocations", {"distance": 150})
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    assert answer.json["cost"] == 50.3
    assert answer.json["process_id"] in children_of(command.pid)


def test_a_users_4xx_stays_a_4xx(three_functions: tuple[Command, str]):
    answer = post(f"{three_functions[1]}/invocations", {"distance": -1})
    assert answer.status == 422
    assert answer.error["message"] == "distance must be positive"


def test_an_exception_is_a_500_whose_trace_is_in_the_log(three_functions: tuple[Command, str]):
    command, url = three_functions
    answer = post(f"{url}/invocations", {"far": 150})
    assert answer.status == 500
    assert "KeyError" not in answer.error["message"]
    command.until_line("KeyError: 'distance'")


def test_custom_attributes_reach_the_context_and_come_back(three_functions: tuple[Command, str]):
    name = "X-Amzn-SageMaker-Custom-Attributes"
    headers = {"Content-Type": "application/json", name: "trace=1"}
    answer = ask(
        f"{three_functions[1]}/invocations", "POST", body=b'{"distance": 150}', headers=headers
    )
    assert answer.headers[name.lower()] == "TRACE=1"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/invocations", 405), ("POST", "/ping", 405), ("GET", "/models", 404)],
)
def test_the_contract_is_the_same(
    method: str, path: str, status: int, three_functions: tuple[Command, str]
):
    assert ask(three_functions[1] + path, method).error
    assert ask(three_functions[1] + path, method).status == status


def test_metrics_count_a_handlers_invocations(three_functions: tuple[Command, str]):
    url = three_functions[1]
    post(f"{url}/invocations", {"distance": 150})
    lines = ask(f"{url}/metrics").body.decode().splitlines()
    (counted,) = [line for line in lines if 'route="/invocations",status="200"' in line]
    assert int(counted.rpartition(" ")[2]) >= 1


@pytest.fixture(scope="module")
def only_model_fn(write_model: WriteModel) -> Iterator[str]:
    with served(write_model(inference=ONLY_MODEL_FN)) as (_, url):
        yield url


def costs_of(answer: Answer) -> list[float]:
    assert answer.status == 200, answer
    readers = {
        "application/json": json.loads,
        "text/csv": lambda body: [float(line) for line in body.split()],
        "application/x-npy": lambda body: np.load(io.BytesIO(body), allow_pickle=False).tolist(),
    }
    return np.round(readers[answer.headers["content-type"]](answer.body), 2).tolist()


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


LOGARITHMS = [float(np.log(150)), float(np.log(1000))]


@pytest.mark.parametrize("accept", ["application/json", "text/csv", "application/x-npy"])
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", json.dumps([[LOGARITHMS[0]]]).encode()),
        ("application/json; charset=utf-8", json.dumps([LOGARITHMS[0]]).encode()),
        ("text/csv", str(LOGARITHMS[0]).encode()),
        ("application/x-npy", npy(np.array([[LOGARITHMS[0]]]))),
    ],
)
def test_the_defaults_read_and_write_each_format(
    content_type: str, body: bytes, accept: str, only_model_fn: str
):
    headers = {"Content-Type": content_type, "Accept": accept}
    answer = ask(f"{only_model_fn}/invocations", "POST", body=body, headers=headers)
    assert answer.headers["content-type"] == accept
    assert costs_of(answer) == [50.3]


def test_the_defaults_take_many_rows(only_model_fn: str):
    body = "\n".join(map(str, LOGARITHMS)).encode()
    assert costs_of(post(f"{only_model_fn}/invocations", body, "text/csv")) == [50.3, 33.38]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/csv", b"1,2\n3"),
        ("text/csv", b"\xff"),
        ("application/json", b"{"),
        ("application/x-npy", b"\x93NUMPY"),
    ],
)
def test_a_body_that_the_defaults_cannot_read_is_a_400(
    content_type: str, body: bytes, only_model_fn: str
):
    answer = post(f"{only_model_fn}/invocations", body, content_type)
    assert (answer.status, answer.error["code"]) == (400, "invalid_payload")


def test_unsupported_types_are_a_415_and_a_406(only_model_fn: str):
    assert post(f"{only_model_fn}/invocations", b"1", "text/html").status == 415
    headers = {"Content-Type": "text/csv", "Accept": "text/html"}
    answer = ask(f"{only_model_fn}/invocations", "POST", body=b"1", headers=headers)
    assert answer.status == 406
    assert "text/html" in answer.error["message"]


def test_transform_fn_runs_from_code_in_an_archive(write_model: WriteModel, tmp_path: Path):
    directory = write_model(inference=TRANSFORM_FN, offsets="OFFSET = 1.0")
    archive = tmp_path / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(directory, arcname=".")
    with served(archive) as (command, url):
        answer = post(f"{url}/invocations", b"150\n1000", "text/csv")
        assert (answer.status, answer.body) == (200, b"51.30\n34.38")
        assert answer.headers["content-type"] == "text/csv"
        command.send(signal.SIGTERM)
        assert command.exit_code() == 0


@pytest.mark.parametrize("with_service", [True, False], ids=["service", "handler"])
def test_the_originals_kind_of_handler_runs_as_it_is(with_service: bool, write_model: WriteModel):
    """It imports the toolkit, which is not installed, and loads by absolute path."""
    code = {"inference_handler": THE_ORIGINALS_KIND}
    if with_service:
        code["handler_service"] = THE_ORIGINALS_SERVICE
    with served(write_model(**code)) as (_, url):
        assert ask(f"{url}/ping").status == 200
        assert post(f"{url}/invocations", {"distance": 150}).json == {"cost": 50.3}
        assert post(f"{url}/invocations", b"150", "text/csv").status == 415
        assert post(f"{url}/invocations", {"far": 150}).status == 500


def test_ping_is_answered_while_the_handler_works(write_model: WriteModel):
    model = write_model(inference=WAITING)
    with served(model) as (_, url):
        answers: list[Answer] = []
        caller = threading.Thread(target=lambda: answers.append(post(f"{url}/invocations", "wait")))
        caller.start()
        until((model / "started").exists, "the handler's start")
        assert ask(f"{url}/ping").status == 200
        assert answers == []
        (model / "go").touch()
        caller.join()
        assert answers[0].status == 200


def test_what_a_handler_has_in_hand_is_answered_after_sigterm(write_model: WriteModel):
    model = write_model(inference=WAITING)
    with served(model) as (command, url):
        answers: list[Answer] = []
        caller = threading.Thread(target=lambda: answers.append(post(f"{url}/invocations", "wait")))
        caller.start()
        until((model / "started").exists, "the handler's start")
        command.send(signal.SIGTERM)
        (model / "go").touch()
        caller.join()
        assert answers[0].status == 200
        assert command.exit_code() == 0


def test_a_handler_that_does_not_return_is_a_503_and_its_worker_is_replaced(
    write_model: WriteModel,
):
    with served(write_model(inference=WAITING), env={"SAGEMAKER_MODEL_SERVER_TIMEOUT": "1"}) as (
        command,
        url,
    ):
        (stuck,) = children_of(command.pid)
        answer = post(f"{url}/invocations", "wait")
        assert (answer.status, answer.error["code"]) == (503, "deadline_exceeded")
        until(lambda: not is_alive(stuck), "the stuck worker's end")
        until(lambda: children_of(command.pid), "a new worker")
        assert int(post(f"{url}/invocations", "go on").body) != stuck


def test_a_pickle_alone_needs_leave(write_model: WriteModel):
    model = write_model()
    code, said = refused(model)
    assert code == 1
    assert "--allow-pickle" in said
    with served(model, "--allow-pickle") as (_, url):
        body = json.dumps([[LOGARITHMS[0]]]).encode()
        assert costs_of(post(f"{url}/invocations", body)) == [50.3]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def model_fn(d): ...\ndef input_fn(a, b): ...\ndef transform_fn(a, b, c, d): ...",
         "transform_fn is given together with input_fn"),
        ("def model_fn(d): raise ValueError('no such file')", "ValueError: no such file"),
        ("def predict_fn(data, model): ...", "write model_fn"),
        ("import sys\ndef model_fn(d): sys.exit(3)", "SystemExit"),
    ],
    ids=["both", "model_fn fails", "no model_fn", "model_fn exits"],
)  # fmt: skip
def test_a_handler_that_does_not_load_ends_the_instance(
    code: str, said: str, write_model: WriteModel
):
    exit_code, log = refused(write_model(inference=code))
    assert exit_code == 1
    assert said in log


def test_an_archive_that_leads_out_of_itself_is_refused(tmp_path: Path):
    archive = tmp_path / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("../inference.py"))
    code, said = refused(archive)
    assert code == 1
    assert "leads out" in said


def test_sigterm_ends_an_instance_that_is_still_loading(write_model: WriteModel):
    model = write_model(
        inference="""
            import time
            from pathlib import Path

            def model_fn(model_dir):
                Path(model_dir, "started").touch()
                while True:
                    time.sleep(0.01)
        """
    )
    with tonnage("serve", model, "--port", "0", "--workers", "1") as command:
        until((model / "started").exists, "model_fn")
        command.send(signal.SIGTERM)
        assert command.exit_code() == 0


def test_the_container_runs_handlers_by_the_toolkits_variables(
    write_model: WriteModel, tmp_path: Path
):
    port = free_port()
    write_model(mine=ONLY_MODEL_FN).rename(tmp_path / "model")
    environment = {
        "SAGEMAKER_BASE_DIR": str(tmp_path),
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
        "SAGEMAKER_PROGRAM": "mine.py",
        "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv",
    }
    with Command([TONNAGE.with_name("serve")], env=environment) as container:
        until(lambda: '"serving"' in container.stdout, "the container")
        answer = post(
            f"http://127.0.0.1:{port}/invocations", f"{LOGARITHMS[0]}".encode(), "text/csv"
        )
        assert answer.headers["content-type"] == "text/csv"
        assert costs_of(answer) == [50.3]
