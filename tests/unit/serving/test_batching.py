"""
Slow models in the thread, full queues, deadlines, and what a call is believed to cost.
"""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.serving import BatchLimits, Instance
from tonnage.serving._costs import CallCosts, measure_costs

from .conftest import Caller, expected_cost

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tonnage.artefact import LoadedModel

    from .conftest import Run


@dataclass
class Gate:
    """A real model that predicts only when it is let, and notes where and how much."""

    model: Any
    is_open: threading.Event = field(default_factory=threading.Event)
    has_begun: threading.Event = field(default_factory=threading.Event)
    batches: list[int] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)
    fails_on_distance: float = -1.0

    def predict(self, features: NDArray[Any]) -> NDArray[Any]:
        self.batches.append(len(features))
        self.threads.add(threading.current_thread().name)
        self.has_begun.set()
        assert self.is_open.wait(20)
        if self.fails_on_distance > 0 and np.log(self.fails_on_distance) in features:
            raise ValueError("a row that the model cannot take")
        predictions: NDArray[Any] = self.model.predict(features)
        return predictions


def slow(seconds_a_call: float = 0.1, seconds_a_row: float = 0.0) -> CallCosts:
    costs = CallCosts()
    for rows in (1, 8) * 20:
        costs.observe(rows, seconds_a_call + seconds_a_row * rows)
    return costs


@pytest.fixture
def gate(model: LoadedModel) -> Gate:
    return Gate(model.predictor)


@pytest.fixture
def make_slow(model: LoadedModel, gate: Gate) -> Callable[..., Instance]:
    def make(costs: CallCosts | None = None, **limits: Any) -> Instance:  # noqa: ANN401
        gated = replace(model, predictor=gate)
        return Instance(gated, costs=costs or slow(), limits=BatchLimits(**limits))

    return make


async def begun(gate: Gate) -> None:
    assert await asyncio.to_thread(gate.has_begun.wait, 20)


async def answered(caller: Caller, count: int) -> None:
    while len(caller.answered) < count:  # noqa: ASYNC110 (what is waited for is the instance's)
        await asyncio.sleep(0.001)


def by_index(caller: Caller) -> dict[int, Any]:
    return {index: answer for _, index, answer in caller.answered}


def test_while_a_slow_model_predicts_pings_and_faults_are_answered(
    run: Run, make_slow: Callable[..., Instance], gate: Gate, caller: Caller
):
    async def story() -> None:
        instance = make_slow()
        caller.call(instance, {"distance": 150})
        await begun(gate)
        caller.call(instance, b"", method="GET", target="/ping")
        caller.call(instance, {"distance": -1})
        caller.call(instance, b"", method="GET", target="/metrics")
        assert [answer.status for _, _, answer in caller.answered] == [200, 400, 200]
        gate.is_open.set()
        await answered(caller, 4)
        assert caller.last.json == {"cost": 50.3}
        assert threading.current_thread().name not in gate.threads

    run(story())


def test_what_arrives_while_the_thread_is_at_work_is_the_next_batch(
    run: Run, make_slow: Callable[..., Instance], gate: Gate, caller: Caller
):
    distances = [float(distance) for distance in range(100, 3100, 100)]

    async def story() -> None:
        instance = make_slow(batch_seconds=10.0, queue_seconds=10.0)
        caller.call(instance, {"distance": distances[0]})
        await begun(gate)
        for distance in distances[1:]:
            caller.call(instance, {"distance": distance})
        await asyncio.sleep(0)
        gate.is_open.set()
        await answered(caller, len(distances))
        assert gate.batches == [1, len(distances) - 1]
        costs = [answer.json["cost"] for _, answer in sorted(by_index(caller).items())]
        assert costs == [expected_cost(distance) for distance in distances]

    run(story())


def test_a_row_that_fails_in_the_thread_fails_alone(
    run: Run, make_slow: Callable[..., Instance], gate: Gate, caller: Caller
):
    async def story() -> None:
        instance = make_slow()
        gate.fails_on_distance = 300.0
        gate.is_open.set()
        for distance in range(100, 1000, 100):
            caller.call(instance, {"distance": distance})
        await answered(caller, 9)
        statuses = [answer.status for _, answer in sorted(by_index(caller).items())]
        assert statuses == [200, 200, 500, 200, 200, 200, 200, 200, 200]

    run(story())


def test_rows_beyond_what_the_queue_may_cost_are_refused_at_once(
    run: Run, make_slow: Callable[..., Instance], gate: Gate, caller: Caller
):
    """10 ms a row and half a second of queue: fifty wait beside the one in hand."""

    async def story() -> None:
        instance = make_slow(slow(0.0, 0.01), queue_seconds=0.5, batch_seconds=0.1)
        caller.call(instance, {"distance": 150})
        await begun(gate)
        for _ in range(80):
            caller.call(instance, {"distance": 150})
        refused = [answer for _, _, answer in caller.answered]
        assert 25 <= len(refused) <= 35, "30, but for the estimate"
        for answer in refused:
            assert answer.status == 503
            assert answer.headers["retry-after"] == "1"
            assert answer.error["code"] == "over_capacity"
        gate.is_open.set()
        await answered(caller, 81)
        assert [answer.status for _, _, answer in caller.answered].count(200) == 81 - len(refused)
        assert 9 <= gate.batches[1] <= 11, "a batch has its own bound"

    run(story())


def test_a_model_that_costs_the_same_for_many_rows_lets_many_wait(
    run: Run, make_slow: Callable[..., Instance], gate: Gate, caller: Caller
):
    """A second a call whatever its rows: all of them fit the next call."""

    async def story() -> None:
        instance = make_slow(slow(1.0, 0.0))
        for _ in range(200):
            caller.call(instance, {"distance": 150})
        await begun(gate)
        assert caller.answered == []
        gate.is_open.set()
        await answered(caller, 200)
        assert {answer.status for _, _, answer in caller.answered} == {200}

    run(story())


def test_what_was_not_answered_in_time_is_refused_and_not_computed(
    run: Run, make_slow: Callable[..., Instance], gate: Gate, caller: Caller
):
    """One is in the model's hands and one waits when both their deadlines pass."""

    async def story() -> None:
        instance = make_slow(deadline_seconds=0.05)
        caller.call(instance, {"distance": 150})
        await begun(gate)
        caller.call(instance, {"distance": 150})
        await answered(caller, 2)
        assert [answer.status for _, _, answer in caller.answered] == [503, 503]
        assert caller.last.error["code"] == "deadline_exceeded"
        assert caller.last.headers["retry-after"] == "1"
        gate.is_open.set()
        caller.call(instance, {"distance": 150})
        await answered(caller, 3)
        assert (caller.last.status, gate.batches) == (200, [1, 1])

    run(story())


def test_a_call_that_outlives_the_deadline_is_a_stuck_model_and_can_be_given_up(
    run: Run, make_slow: Callable[..., Instance], gate: Gate, caller: Caller
):
    async def story() -> None:
        instance = make_slow(deadline_seconds=0.05)
        assert not instance.is_stuck
        caller.call(instance, {"distance": 150})
        await begun(gate)
        await answered(caller, 1)
        for _ in range(3):
            caller.call(instance, {"distance": 150})
        while not instance.is_stuck:  # noqa: ASYNC110 (it is a matter of time alone)
            await asyncio.sleep(0.001)
        instance.give_up()
        codes = [answer.error["code"] for _, _, answer in caller.answered]
        assert codes == ["deadline_exceeded"] * 4
        gate.is_open.set()
        caller.call(instance, {"distance": 150})
        await answered(caller, 5)
        assert (caller.last.status, instance.is_stuck) == (200, False)

    run(story())


def test_large_bodies_are_read_in_the_thread_and_answered_in_full(
    run: Run, make_slow: Callable[..., Instance], gate: Gate, caller: Caller
):
    rows = [{"distance": distance} for distance in range(1, 5001)]
    lines = b"".join(json.dumps(row).encode() + b"\n" for row in rows)

    async def story() -> None:
        gate.is_open.set()
        instance = make_slow()
        headers = {"content-type": "application/jsonlines"}
        caller.call(instance, lines, headers=headers)
        caller.call(instance, lines + b'{"distance": 0}', headers=headers)
        caller.call(instance, {"distance": 150})
        await answered(caller, 3)
        many, bad, one = (by_index(caller)[index] for index in range(3))
        costs = [json.loads(line)["cost"] for line in many.body.splitlines()]
        assert costs == [expected_cost(float(row["distance"])) for row in rows]
        assert (bad.status, bad.error["fields"][0]["field"]) == (400, "5000.distance")
        assert one.json == {"cost": 50.3}

    run(story())


@given(
    requests=st.lists(
        st.lists(st.integers(1, 5000), min_size=1, max_size=5), min_size=1, max_size=30
    ),
    rows_a_batch=st.integers(1, 8),
)
def test_whatever_the_batches_each_answer_belongs_to_its_request(
    model: LoadedModel, requests: list[list[int]], rows_a_batch: int
):
    async def story() -> None:
        caller, gate = Caller(), Gate(model.predictor)
        gate.is_open.set()
        instance = Instance(
            replace(model, predictor=gate),
            costs=slow(),
            limits=BatchLimits(max_batch_rows=rows_a_batch),
        )
        for distances in requests:
            caller.call(instance, [{"distance": distance} for distance in distances])
        await answered(caller, len(requests))
        for index, distances in enumerate(requests):
            costs = [row["cost"] for row in by_index(caller)[index].json]
            assert costs == [expected_cost(float(distance)) for distance in distances]

    asyncio.run(story())


@given(fixed=st.floats(0, 0.1), a_row=st.floats(1e-6, 0.1), factor=st.integers(2, 50))
def test_the_cost_of_a_call_and_of_a_row_are_told_apart(fixed: float, a_row: float, factor: int):
    costs = CallCosts()
    for rows in (1, factor) * 60:
        costs.observe(rows, fixed + a_row * rows)
    assert costs.row_seconds == pytest.approx(a_row, rel=0.05)
    assert costs.expected_seconds(factor) == pytest.approx(fixed + a_row * factor, rel=0.05)


def test_calls_of_one_size_do_not_wear_out_what_is_known_of_others():
    costs = slow(0.02, 0.001)
    for _ in range(10_000):
        costs.observe(1, 0.021)
    assert costs.row_seconds == pytest.approx(0.001, rel=0.05)


def test_a_stall_is_not_taken_for_the_price_of_a_row():
    costs = slow(20e-6, 1e-6)
    costs.observe(8, 0.2)
    assert costs.rows_within(0.15, 8192) >= 1000
    assert costs.recent_seconds > 0.005, "but the next call is not made on the loop"


def test_a_model_that_has_become_slow_is_believed_soon():
    costs = slow(20e-6, 1e-6)
    for _ in range(30):
        costs.observe(8, 0.4)
    assert costs.rows_within(0.15, 8192) < 10


@given(
    st.lists(st.tuples(st.integers(1, 2000), st.floats(0, 100)), max_size=200),
    st.integers(1, 10_000),
)
def test_whatever_calls_cost_the_bounds_stay_sane(calls: list[tuple[int, float]], rows: int):
    costs = CallCosts()
    for size, seconds in calls:
        costs.observe(size, seconds)
    assert 0 <= costs.row_seconds < 101
    assert costs.expected_seconds(rows) >= 0
    assert 0 <= costs.rows_within(0.15, 8192) <= 8192


def test_a_workers_self_test_tells_what_calls_cost(model: LoadedModel):
    costs = measure_costs(model)
    assert costs.calls >= 2
    assert costs.expected_seconds(1) > 0
