"""
A model that never comes back costs its worker, and nothing else.
"""

import os
import shutil
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from support import Answer, Command, Serve, ask, children_of, post, until
from tonnage.artefact import FileEntry, Manifest

SERVICE = """

import os
import time
from pathlib import Path


class Hanging(Service[House, Price]):
    seconds_a_call = 0.0

    def features(self, rows):
        if Path(os.environ["PROBE_FLAG"]).exists():
            raise ValueError("the self-test is meant to fail now")
        if Path(os.environ["PROBE_FLAG"]).with_suffix(".hang").exists():
            time.sleep(3600)
        time.sleep(self.seconds_a_call)
        distances = [row.distance for row in rows]
        if 888 in distances:
            time.sleep(3600)
        return np.log([[distance] for distance in distances])

    def results(self, predictions):
        return [Price(cost=round(float(cost), 2)) for cost in predictions]


class SlowAndHanging(Hanging):
    seconds_a_call = 0.02
"""
ROW = {"distance": 150}
HANGING_ROW = {"distance": 888}


@pytest.fixture
def flag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """While this file exists no worker passes its self-test."""
    monkeypatch.setenv("PROBE_FLAG", str(tmp_path / "flag"))
    return tmp_path / "flag"


@pytest.fixture
def hanging(packed_artefact: Path, tmp_path: Path, flag: Path) -> Callable[[str], Path]:
    """Makes an artefact whose service hangs when it is asked to."""

    def make(handler: str) -> Path:
        artefact = tmp_path / "artefact"
        shutil.copytree(packed_artefact, artefact)
        manifest = Manifest.read(artefact)
        code = (artefact / "code" / "service.py").read_bytes() + SERVICE.encode()
        (artefact / "code" / "service.py").write_bytes(code)
        files = {**manifest.files, "code/service.py": FileEntry.of(code)}
        manifest = replace(manifest, handler=handler, files=files)
        (artefact / "manifest.json").write_bytes(manifest.to_bytes())
        return artefact

    return make


def replaced(command: Command, gone: int) -> int | None:
    """Return the worker that took another's place, once it is there."""
    return next((worker for worker in children_of(command.pid) if worker != gone), None)


def ping_status(url: str) -> int:
    try:
        return ask(f"{url}/ping").status
    except OSError:
        return 0


def healthy(url: str) -> bool:
    return ping_status(url) == 200


def test_a_model_stuck_in_the_thread_costs_its_worker_and_its_callers_an_answer(
    serve: Serve, hanging: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS", "1")
    monkeypatch.setenv("SAGEMAKER_MODEL_SERVER_TIMEOUT", "50")
    with serve(artefact=hanging("service:SlowAndHanging")) as (command, url):
        (worker,) = children_of(command.pid)
        assert post(f"{url}/invocations", HANGING_ROW).error["code"] == "deadline_exceeded"
        until(lambda: replaced(command, worker), "another worker")
        until(lambda: healthy(url), "it to serve")
        assert post(f"{url}/invocations", ROW).json == {"cost": 50.3}
        command.until_line("the model has not come back in time")
        command.send(signal.SIGTERM)
        assert command.exit_code() == 0


def test_a_worker_whose_loop_stands_still_is_killed_and_replaced(
    serve: Serve, hanging: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
):
    """Calls of this model are quick, so it is called on the loop, and hangs there."""
    monkeypatch.setenv("SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS", "1")
    with serve(artefact=hanging("service:Hanging")) as (command, url):
        (worker,) = children_of(command.pid)
        for _ in range(20):
            assert post(f"{url}/invocations", ROW).status == 200
        failed: list[str] = []

        def hang() -> None:
            try:
                post(f"{url}/invocations", HANGING_ROW)
            except OSError as error:
                failed.append(repr(error))

        victim = threading.Thread(target=hang)
        victim.start()
        command.until_line(f"worker {worker} stands still and is killed")
        until(lambda: replaced(command, worker), "another worker")
        until(lambda: healthy(url), "it to serve")
        victim.join()
        assert len(failed) == 1
        assert post(f"{url}/invocations", ROW).json == {"cost": 50.3}
        command.send(signal.SIGTERM)
        assert command.exit_code() == 0


def test_an_instance_that_cannot_replace_a_worker_becomes_unhealthy_until_it_can(
    serve: Serve, hanging: Callable[[str], Path], flag: Path
):
    with serve(artefact=hanging("service:Hanging"), workers=2) as (command, url):
        flag.touch()
        os.kill(children_of(command.pid)[0], signal.SIGKILL)

        def pinged() -> Answer:
            return ask(f"{url}/ping")

        assert (
            until(lambda: (seen := pinged()).status != 200 and seen, "a failed ping").status == 503
        )
        flag.unlink()
        until(lambda: healthy(url), "the instance to be healthy again")
        assert len(children_of(command.pid)) == 2
        assert post(f"{url}/invocations", ROW).json == {"cost": 50.3}


def test_a_new_worker_that_hangs_in_its_self_test_is_killed_and_tried_again(
    serve: Serve, hanging: Callable[[str], Path], flag: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS", "1")
    with serve(artefact=hanging("service:Hanging"), workers=2) as (command, url):
        hang = flag.with_suffix(".hang")
        hang.touch()
        os.kill(children_of(command.pid)[0], signal.SIGKILL)
        until(lambda: healthy(url), "the other to answer")
        command.until_line("stands still and is killed")
        until(lambda: ping_status(url) == 503, "a ping that says so")
        hang.unlink()
        until(lambda: healthy(url), "the instance to be healthy again")
        assert len(children_of(command.pid)) == 2
        assert post(f"{url}/invocations", ROW).json == {"cost": 50.3}
