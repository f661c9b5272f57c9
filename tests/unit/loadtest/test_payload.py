"""What requests carry, and how it becomes bytes."""

import json
from pathlib import Path

import numpy as np
import pytest

from tonnage.domain import ConfigurationError
from tonnage.loadtest import Payload, SageMakerEndpoint, Target
from tonnage.loadtest.open_loop.messages import SignedMessages, messages_for
from tonnage.loadtest.open_loop.orders import Setup

URL = "http://127.0.0.1:8000/evaluate?v=1"


def bodies(payload: Payload, seed: int = 0) -> list[object]:
    messages = messages_for(Target(url=URL, payload=payload), seed=seed).all
    return [json.loads(message.partition(b"\r\n\r\n")[2]) for message in messages]


def test_a_body_makes_one_message():
    (message,) = messages_for(Target(url=URL, payload=Payload(body={"distance": 150})), seed=0).all
    head, _, body = message.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /evaluate?v=1 HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n")
    assert b"Content-Type: application/json" in head
    assert json.loads(body) == {"distance": 150}


def test_a_request_may_have_no_body():
    (message,) = messages_for(Target(url=URL, payload=Payload(method="GET")), seed=0).all
    assert message == b"GET /evaluate?v=1 HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n"


def test_numbers_are_drawn_from_their_ranges_by_the_seed():
    payload = Payload(ranges={"distance": (1, 6500)})
    first, again, other = bodies(payload), bodies(payload), bodies(payload, seed=1)
    assert first == again != other
    drawn = np.array([body["distance"] for body in first])  # type: ignore[index]
    assert ((drawn >= 1) & (drawn <= 6500)).all()
    assert len(np.unique(drawn)) == len(drawn)


def test_drawn_numbers_go_into_a_body():
    body = bodies(Payload(body={"kind": "flat"}, ranges={"distance": (5, 5)}))[0]
    assert body == {"kind": "flat", "distance": 5.0}


def test_a_function_makes_bodies(tmp_path: Path):
    (tmp_path / "made_payloads.py").write_text(
        "def value(random):\n    return {'n': int(random.integers(10))}\n"
        "def raw(random):\n    return b'[1]'\n"
        "def broken(random):\n    return 1 / 0\n"
        "def odd(random):\n    return object()\n"
    )
    made = bodies(Payload(function="made_payloads:value", directory=tmp_path))
    assert {body["n"] for body in made} == set(range(10))  # type: ignore[index]
    assert bodies(Payload(function="made_payloads:raw", directory=tmp_path))[0] == [1]
    for name, fault in (
        ("broken", "ZeroDivisionError"),
        ("odd", "TypeError"),
        ("absent", "absent"),
    ):
        with pytest.raises(ConfigurationError, match=fault):
            bodies(Payload(function=f"made_payloads:{name}", directory=tmp_path))


@pytest.mark.parametrize(
    "wrong",
    [
        {"body": 1, "function": "a:b"},
        {"function": "no colon"},
        {"ranges": {"distance": (2, 1)}},
        {"ranges": {"distance": (0, float("nan"))}},
        {"body": [1], "ranges": {"distance": (0, 1)}},
        {"body": float("nan")},
        {"body": object()},
    ],
)
def test_what_cannot_be_sent_is_refused(wrong: dict[str, object]):
    with pytest.raises(ConfigurationError):
        Payload(**wrong)  # type: ignore[arg-type]


def test_signed_requests_are_signed_anew_before_they_age(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("time.monotonic", lambda: 1000.0)
    signatures = iter(range(10_000))
    messages = SignedMessages([b"a"] * 240, lambda body: body + b"%d" % next(signatures))
    for second in range(1, 121):
        messages.renew(1000.0 + second)
    assert min(int(message[1:]) for message in messages.all) >= 240


def test_invoke_endpoint_is_signed_for_sagemaker(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    target = Target(
        url="http://127.0.0.1:8000",
        payload=Payload(body={"distance": 150}),
        sagemaker=SageMakerEndpoint(endpoint_name="real-estate", target_variant="linear-model"),
    )
    (message,) = messages_for(target, seed=0).all
    head = message.partition(b"\r\n\r\n")[0].decode()
    assert head.startswith("POST /endpoints/real-estate/invocations HTTP/1.1\r\n")
    assert "Host: 127.0.0.1:8000" in head
    assert "X-Amzn-SageMaker-Target-Variant: linear-model" in head
    assert "Credential=AKIDEXAMPLE/" in head
    assert "/us-east-1/sagemaker/aws4_request" in head
    assert "x-amzn-sagemaker-target-variant" in head.partition("SignedHeaders=")[2]
    assert "not-a-secret" not in head


def test_a_target_on_its_way_to_the_child_stays_what_it_is(tmp_path: Path):
    target = Target(
        url="http://127.0.0.1:8000",
        payload=Payload(ranges={"a": (1, 2)}, directory=tmp_path),
        sagemaker=SageMakerEndpoint(endpoint_name="e"),
    )
    setup = Setup(
        target=target, address=("127.0.0.1", 8000), seed=3, max_outstanding=5, warm_connections=2
    )
    assert Setup.from_line(setup.to_line()) == setup
