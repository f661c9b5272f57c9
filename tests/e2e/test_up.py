"""
``tonnage up`` as a user runs it, from the directory of its settings.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
from typing import TYPE_CHECKING

import pytest

from support import Clients, Command, ask, descendants_of, gone, post, tonnage, until

if TYPE_CHECKING:
    from pathlib import Path

QUICK = ("--set", "local.provisioning_delay=0s")


def url_of(command: Command) -> str:
    found = re.search(r"POST (http://[^/]+)/", command.until_line("REST API"))
    assert found is not None
    return found[1]


def test_it_runs_the_endpoint_of_the_settings_until_ctrl_c(project: Path):
    """A flag wins over the environment, and that over the file."""
    environment = {"TONNAGE_LOCAL_TIME_SCALE": "30", "TONNAGE_SCALING_TARGET_VALUE": "120"}
    flags = ("--port", "0", "--set", "local.time_scale=40")
    with tonnage("up", *flags, cwd=project, env=environment) as command:
        url = url_of(command)
        assert post(f"{url}/evaluate", {"distance": 150}).json == {"cost": 50.3}
        command.until_line("40 times faster")
        command.until_line("target 120 ")
        command.until_line("an emulated cap of 600/s")
        family = descendants_of(command.pid)

        port = url.rpartition(":")[2]
        with tonnage("up", "--port", port, cwd=project) as second:
            assert second.exit_code() == 1
        error, *hint = second.lines
        assert error.startswith("error: ")
        assert port in error
        assert all(line.startswith("hint: ") for line in hint)

        clients = Clients(f"{url}/evaluate", {"distance": 150}, count=4)
        with clients.running():
            clients.until_answered(50)
            os.killpg(command.pid, signal.SIGINT)
            clients.join()
        assert command.exit_code() == 0
        assert clients.lost == []
        assert set(clients.statuses) == {200}
        until(lambda: gone(family), "all its processes to end")
    assert "Traceback" not in command.stderr
    assert command.stdout == ""


def test_a_stale_artefact_is_packed_again(project: Path):
    with (project / "service.py").open("a") as service:
        service.write("\n# changed\n")
    with tonnage("up", "--port", "0", *QUICK, cwd=project) as command:
        url = url_of(command)
        assert command.has("packing")
        assert post(f"{url}/evaluate", {"distance": 150}).json == {"cost": 50.3}
        command.send(signal.SIGTERM)
        assert command.exit_code() == 0
    assert (project / "artefact" / "code" / "service.py").read_text().endswith("# changed\n")


def test_a_changed_artefact_is_refused(project: Path):
    with (project / "artefact" / "model.onnx").open("ab") as model:
        model.write(b"\0")
    with tonnage("up", "--port", "0", cwd=project) as command:
        assert command.exit_code() == 1
    error, *hint = command.lines
    assert error.startswith("error: ")
    assert "model.onnx was changed" in error
    assert all(line.startswith("hint: ") for line in hint)


def test_neither_model_nor_artefact_is_one_clear_line(project: Path):
    shutil.rmtree(project / "artefact")
    (project / "model.joblib").unlink()
    with tonnage("up", "--port", "0", cwd=project) as command:
        assert command.exit_code() in {1, 2}
    errors = [line for line in command.lines if line.startswith("error: ")]
    assert len(errors) == 1
    assert "model.joblib" in errors[0]


UNKNOWN = {
    "file": (("--config", "wrong.toml"), {}, "time_scale"),
    "flag": (("--set", "local.timescale=20"), {}, "time_scale"),
    "environment": ((), {"TONNAGE_LOCAL_TIMESCALE": "20"}, "time_scale"),
    "section": (("--set", "scalling.enabled=false"), {}, "scaling"),
}


@pytest.mark.parametrize(("flags", "environment", "nearest"), UNKNOWN.values(), ids=list(UNKNOWN))
def test_an_unknown_setting_stops_it_and_the_nearest_is_suggested(
    project: Path, flags: tuple[str, ...], environment: dict[str, str], nearest: str
):
    (project / "wrong.toml").write_text("[local]\ntimescale = 20\n")
    with tonnage("up", "--port", "0", *flags, cwd=project, env=environment) as command:
        assert command.exit_code() == 2
    error, hint = command.lines
    assert error.startswith("error: ")
    assert re.fullmatch(rf"hint: did you mean \[?{nearest}\]?\?\n", hint)


def test_a_missing_settings_file_is_misuse(project: Path):
    with tonnage("up", "--config", "nothing.toml", cwd=project) as command:
        assert command.exit_code() == 2
    assert "nothing.toml" in command.lines[0]


def test_metrics_are_on_the_same_port(project: Path):
    with tonnage("up", "--port", "0", *QUICK, cwd=project) as command:
        metrics = ask(f"{url_of(command)}/metrics").body.decode()
    assert "tonnage_in_service_instance_count 1.0" in metrics
