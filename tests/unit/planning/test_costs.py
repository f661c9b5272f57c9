"""
A month's cost, recomputed by other means, to the cent.
"""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.planning import CallShape, Front, Usage, monthly_cost, read_prices

BOOK = read_prices()
MONTH = 730 * 3600
REST = ((333_000_000, 350), (1_000_000_000, 280), (20_000_000_000, 238), (None, 151))
HTTP = ((300_000_000, 100), (None, 90))
"""Tiers by hand, in dollars for a hundred million requests."""


def tiered(requests: Fraction, tiers: tuple[tuple[int | None, int], ...]) -> Fraction:
    total, below = Fraction(0), Fraction(0)
    for top, price in tiers:
        reached = requests if top is None else min(requests, Fraction(top))
        if reached > below:
            total += (reached - below) * Fraction(price, 100_000_000)
            below = reached
    return total


def cents(exact: Fraction) -> Decimal:
    """Round half up, as money is."""
    return Decimal((exact * 100 + Fraction(1, 2)).__floor__()) / 100


@given(
    front=st.sampled_from(Front),
    duration=st.integers(60, 40 * 86400),
    offered=st.integers(0, 10**9),
    instance_seconds=st.integers(0, 10**8),
    size=st.integers(0, 2 * 10**6),
)
def test_totals_recomputed_in_fractions_agree_to_the_cent(
    front: Front, duration: int, offered: int, instance_seconds: int, size: int
):
    served = offered // 10 * 9
    cost = monthly_cost(
        Usage(
            duration_seconds=duration,
            offered=offered,
            served=served,
            instance_type=BOOK.types["ml.c5.large"],
            instance_seconds=instance_seconds,
        ),
        front,
        BOOK,
        CallShape(request_bytes=size, response_bytes=512),
    )
    month = Fraction(MONTH, duration)
    requests = offered * month
    instances = instance_seconds * month / 3600 * Fraction(102, 1000)
    lambda_cost = requests * (Fraction(2, 10**7) + Fraction(2, 200) * Fraction(166667, 10**10))
    units = -(-max(size, 512) // (512 * 1024))
    gateway = {
        Front.NONE: Fraction(0),
        Front.REST: tiered(requests, REST),
        Front.CHALICE: tiered(requests, REST) + lambda_cost,
        Front.HTTP: tiered(requests * units, HTTP) + lambda_cost,
    }[front]
    out = served * month * 512 / 10**9
    data = (requests * size / 10**9 + out) * Fraction(16, 1000)
    if front is not Front.NONE:
        data += out * Fraction(9, 100)
    exact = instances + gateway + data
    # Decimal has 28 digits, a third has more.
    assert abs(Fraction(cost.total) - exact) <= exact * Fraction(1, 10**24)
    assert abs(cost.cents - cents(exact)) <= Decimal("0.01") * (
        abs(exact * 100 % 1 - Fraction(1, 2)) < Fraction(1, 10**9)
    )
    assert sum(cost.split().values()) == cost.cents
    assert all(part >= 0 for part in cost.split().values())


def test_one_c5_large_for_a_month_is_74_dollars_and_46_cents():
    usage = Usage(
        duration_seconds=MONTH,
        offered=0,
        served=0,
        instance_type=BOOK.types["ml.c5.large"],
        instance_seconds=MONTH,
    )
    assert monthly_cost(usage, Front.NONE, BOOK).cents == Decimal("74.46")


@pytest.mark.parametrize(("front", "dollars"), [(Front.REST, "919.80"), (Front.HTTP, "262.80")])
def test_a_hundred_requests_a_second_cost_at_the_gateway_what_the_reference_says(
    front: Front, dollars: str
):
    """262.8 million calls a month: REST API $919.80, HTTP API $262.80 without its Lambda."""
    usage = Usage(duration_seconds=1000, offered=100_000, served=100_000)
    cost = monthly_cost(usage, front, BOOK, CallShape(request_bytes=0, response_bytes=0))
    lambdas = Decimal(0)
    if front.has_lambda:
        calls = Decimal(262_800_000)
        lambdas = calls * Decimal("0.0000002") + calls * Decimal("0.01") * Decimal("0.0000166667")
    assert (cost.front - lambdas).quantize(Decimal("0.01")) == Decimal(dollars)


def test_tiers_are_reached_by_a_month_of_the_traffic_not_by_the_trace():
    """1,000 per second for an hour is 2.6 billion a month: most of it beyond the first tier."""
    hour = monthly_cost(
        Usage(duration_seconds=3600, offered=3_600_000, served=3_600_000), Front.REST, BOOK
    )
    month = monthly_cost(
        Usage(duration_seconds=MONTH, offered=2_628_000_000, served=2_628_000_000),
        Front.REST,
        BOOK,
    )
    assert abs(hour.total - month.total) < Decimal("1e-15")
    assert hour.front < 2_628 * Decimal("3.5")


def test_serverless_is_billed_by_memory_and_second():
    cost = monthly_cost(
        Usage(
            duration_seconds=MONTH,
            offered=1_000_000,
            served=1_000_000,
            serverless_memory_mb=2048,
            serverless_seconds=6000.0,
        ),
        Front.NONE,
        BOOK,
        CallShape(request_bytes=0, response_bytes=0),
    )
    assert cost.split() == {
        "instances": Decimal("0.00"),
        "serverless": Decimal("0.24"),
        "front": Decimal("0.00"),
        "data": Decimal("0.00"),
    }


def test_a_cost_names_the_prices_that_it_rests_on():
    usage = Usage(
        duration_seconds=60,
        offered=1,
        served=1,
        instance_type=BOOK.types["ml.c4.large"],
        instance_seconds=60,
    )
    names = [price.name for price in monthly_cost(usage, Front.HTTP, BOOK).prices]
    assert names == [
        *("instance.ml.c4.large", "gateway.http", "lambda.request", "lambda.x86_64"),
        *("data.processed", "data.egress"),
    ]
