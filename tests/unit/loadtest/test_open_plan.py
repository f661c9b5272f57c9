"""An open-loop plan is checked when it is made."""

from typing import Any

import pytest

from tonnage.domain import ConfigurationError, PiecewiseRate
from tonnage.loadtest import OpenLoopPlan, Payload, SageMakerEndpoint

URL = "http://127.0.0.1:8000/evaluate"
PROFILE = PiecewiseRate.constant(100, 10)


def plan(**changes: object) -> OpenLoopPlan:
    given: dict[str, Any] = {"url": URL, "profile": PROFILE, "payload": Payload(body=1), **changes}
    return OpenLoopPlan(**given)


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://127.0.0.1/"},
        {"url": "http://user:secret@127.0.0.1/"},
        {"url": "http://127.0.0.1:99999/"},
        {"arrivals": "lockstep"},
        {"timeout_seconds": 0},
        {"timeout_seconds": float("inf")},
        {"processes": 0},
        {"processes": 4, "max_outstanding": 3},
        {"start_at_monotonic_seconds": float("nan")},
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any]):
    with pytest.raises(ConfigurationError):
        plan(**wrong)


def test_another_host_must_be_said_to_be_ones_own():
    with pytest.raises(ConfigurationError, match="is not this machine") as refused:
        plan(url="http://example.com/evaluate")
    assert refused.value.hint is not None
    assert "--i-own example.com" in refused.value.hint
    assert plan(url="http://example.com/evaluate", i_own="example.com").target.port == 80


def test_aws_is_not_this_machine():
    endpoint = SageMakerEndpoint(endpoint_name="e", region="eu-west-1")
    host = "runtime.sagemaker.eu-west-1.amazonaws.com"
    with pytest.raises(ConfigurationError, match=host):
        plan(url="", sagemaker=endpoint)
    target = plan(url="", sagemaker=endpoint, i_own=host).target
    assert target.full_url == f"https://{host}/endpoints/e/invocations"
    assert (target.port, target.is_encrypted) == (443, True)


@pytest.mark.parametrize("wrong", [{"endpoint_name": "a/b"}, {"endpoint_name": "e", "region": "x"}])
def test_an_endpoint_has_a_name_and_a_region(wrong: dict[str, str]):
    with pytest.raises(ConfigurationError):
        SageMakerEndpoint(**wrong)


def test_a_record_shows_the_plan():
    shown = plan(profile_text="constant(100/s, 10s)").shown()
    assert shown["profile"] == "constant(100/s, 10s)"
    assert (shown["mean_per_second"], shown["duration_seconds"]) == (100, 10)
