"""
The cap on what one instance carries, by hand and for any arrivals.
"""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.serving import InstanceCapacity, VirtualServer


def server(rate_per_second: float = 4.0, queue_seconds: float = 0.5) -> VirtualServer:
    return VirtualServer(
        InstanceCapacity(rate_per_second=rate_per_second, queue_seconds=queue_seconds)
    )


def test_an_idle_server_answers_after_one_service_time():
    assert server().admit(10.0) == 10.25


def test_requests_are_served_one_after_the_other():
    busy = server()
    assert [busy.admit(0.0) for _ in range(3)] == [0.25, 0.5, 0.75]


def test_a_wait_of_exactly_the_queue_is_let_in_and_a_longer_one_is_not():
    busy = server()
    assert [busy.admit(0.0) for _ in range(4)] == [0.25, 0.5, 0.75, None]


def test_a_refused_request_consumes_nothing():
    busy = server()
    for _ in range(3):
        busy.admit(0.0)
    for _ in range(100):
        assert busy.admit(0.0) is None
    assert busy.free_at_seconds == 0.75
    assert busy.admit(0.25) == 1.0


def test_an_idle_server_saves_nothing_up():
    rested = server()
    rested.admit(0.0)
    assert [rested.admit(100.0), rested.admit(100.0)] == [100.25, 100.5]


def test_without_a_queue_one_request_is_served_at_a_time():
    loss = server(queue_seconds=0.0)
    assert [loss.admit(0.0), loss.admit(0.0), loss.admit(0.24), loss.admit(0.25)] == [
        0.25,
        None,
        None,
        0.5,
    ]


def test_the_queue_of_the_story_holds_42_requests_beside_the_one_in_service():
    """70 ms at 600 per second."""
    story = server(rate_per_second=600.0, queue_seconds=0.07)
    admitted = [story.admit(0.0) for _ in range(100)]
    assert sum(finish is not None for finish in admitted) == 43


@pytest.mark.parametrize("offered_per_second", [601, 1000, 5000])
def test_offered_more_it_answers_exactly_its_rate(offered_per_second: int):
    """Constant arrivals for ten seconds; after the queue has filled, one finish each 1/600 s."""
    story = server(rate_per_second=600.0, queue_seconds=0.07)
    arrivals = (index / offered_per_second for index in range(10 * offered_per_second))
    finishes = [finish for now in arrivals if (finish := story.admit(now)) is not None]
    within = [finish for finish in finishes if 5.0 < finish <= 9.0]
    assert abs(len(within) - 4 * 600) <= 1


gaps = st.lists(st.floats(min_value=0, max_value=0.5), min_size=1, max_size=300)
rates = st.floats(min_value=0.5, max_value=2000)
queues = st.floats(min_value=0, max_value=2)


@given(gaps, rates, queues)
def test_answers_leave_in_the_order_of_arrival_a_service_time_apart(
    waits: list[float], rate: float, queue: float
):
    queueing = server(rate, queue)
    now, last = 0.0, -math.inf
    for wait in waits:
        now += wait
        finish = queueing.admit(now)
        if finish is None:
            assert last - now > queue  # what is let in before it is still to be served
        else:
            assert finish == max(now, last) + 1 / rate
            assert finish - 1 / rate - now <= queue + 1e-9
            last = finish


@given(gaps, rates, queues, st.integers(0, 299), st.integers(0, 299))
def test_no_window_lets_in_more_than_its_rate_and_the_queue(
    waits: list[float], rate: float, queue: float, first: int, second: int
):
    """Over any stretch t at most rate * (t + queue) + 1 requests are let in."""
    queueing = server(rate, queue)
    now = 0.0
    admitted = []
    for wait in waits:
        now += wait
        if queueing.admit(now) is not None:
            admitted.append(now)
    start, end = sorted((first % len(waits), second % len(waits)))
    inside = admitted[start : end + 1]
    if inside:
        assert len(inside) <= rate * (inside[-1] - inside[0] + queue) * (1 + 1e-9) + 2


@given(gaps, rates, queues)
def test_two_servers_that_differ_by_refused_requests_are_the_same(
    waits: list[float], rate: float, queue: float
):
    """Leaving out what was refused changes no answer."""
    queueing = server(rate, queue)
    now = 0.0
    admitted = []
    for wait in waits:
        now += wait
        if (finish := queueing.admit(now)) is not None:
            admitted.append((now, finish))
    again = server(rate, queue)
    assert [(at, again.admit(at)) for at, _ in admitted] == admitted
