"""
Where an open-loop load aims.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tonnage.cli._open_load import open_plan
from tonnage.config import read_settings

if TYPE_CHECKING:
    from pathlib import Path

    from tonnage.loadtest import OpenLoopPlan

LOCAL = "http://127.0.0.1:8000"
RUNTIME = "http://127.0.0.1:8001"


@pytest.fixture(autouse=True)
def empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"):
        monkeypatch.delenv(variable, raising=False)


def planned(url: str | None = None, **flags: object) -> OpenLoopPlan:
    whole: dict[str, object] = {
        "rate": 10.0,
        "body": '{"distance": 150}',
        "timeout": 5.0,
        "processes": 1,
        "seed": 0,
        "endpoint": "real-estate",
        **flags,
    }
    return open_plan(read_settings(None), url, whole)


def test_an_endpoint_is_where_aws_s_own_clients_look(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", LOCAL)
    assert planned().target.full_url == f"{LOCAL}/endpoints/real-estate/invocations"


def test_the_service_s_own_variable_comes_first(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", LOCAL)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", RUNTIME)
    assert planned().target.full_url.startswith(RUNTIME)


def test_a_url_beats_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", LOCAL)
    assert planned(RUNTIME).target.full_url.startswith(RUNTIME)


def test_without_any_it_is_aws():
    whole = planned(i_own="runtime.sagemaker.us-east-1.amazonaws.com")
    assert whole.target.host == "runtime.sagemaker.us-east-1.amazonaws.com"


def test_a_route_is_not_looked_for_in_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", RUNTIME)
    assert planned(endpoint=None).target.full_url == f"{LOCAL}/evaluate"
