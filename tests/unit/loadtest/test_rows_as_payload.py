"""
Rows that are sent in turn: text and whole numbers, which no range can draw.
"""

import json
from pathlib import Path

import pytest

from tonnage.cli._convert import drawn_from
from tonnage.domain import ConfigurationError
from tonnage.loadtest import LoadPlan, Payload, Target
from tonnage.loadtest._orders import Orders
from tonnage.loadtest.open_loop.messages import messages_for
from tonnage.loadtest.open_loop.orders import Setup

ROWS = ({"kind": "a", "rooms": 1}, {"kind": "b", "rooms": 2})
URL = "http://127.0.0.1:8000/evaluate"


def test_an_open_loop_sends_each_row_as_it_is() -> None:
    messages = messages_for(Target(url=URL, payload=Payload(bodies=ROWS)), seed=0).all

    sent = [json.loads(message.partition(b"\r\n\r\n")[2]) for message in messages]
    assert sent == list(ROWS)


def test_rows_reach_the_generators_processes_whole(tmp_path: Path) -> None:
    target = Target(url=URL, payload=Payload(bodies=ROWS, directory=tmp_path))
    setup = Setup(
        target=target, address=("127.0.0.1", 8000), seed=3, max_outstanding=5, warm_connections=2
    )
    assert Setup.from_line(setup.to_line()) == setup

    plan = LoadPlan(url=URL, users=1, spawn_rate_per_second=1, duration_seconds=1, bodies=ROWS)
    orders = Orders.of(plan, report_to=1, samples_in=tmp_path)
    assert [json.loads(body) for body in orders.bodies] == list(ROWS)


@pytest.mark.parametrize(
    "also", [{"body": {}}, {"ranges": {"a": (0, 1)}}, {"function": "module:function"}]
)
def test_rows_and_anything_else_are_refused(also: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="a payload is a body, or"):
        Payload(bodies=ROWS, **also)  # type: ignore[arg-type]


def test_a_row_that_json_cannot_hold_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="not a JSON value"):
        Payload(bodies=[{"a": float("nan")}])


def test_numbers_with_a_range_are_drawn_from_it(packed_artefact: Path) -> None:
    assert drawn_from(packed_artefact) == {"ranges": {"distance": (1, 6500)}}
