"""
What AWS refuses is refused, with what is allowed.
"""

import pytest

from tonnage.domain import ConfigurationError
from tonnage.planning import (
    CallShape,
    Front,
    Limits,
    check_capacity,
    check_front,
    check_real_time,
    check_serverless,
    find_type,
    load_lines,
    read_prices,
)

BOOK = read_prices()


def test_an_unknown_type_is_refused_with_the_nearest():
    with pytest.raises(
        ConfigurationError, match=r"unknown instance type ml\.c5\.large1:"
    ) as raised:
        find_type("ml.c5.large1", BOOK)
    assert raised.value.hint == "did you mean ml.c5.large?"


@pytest.mark.parametrize("name", ["ml.t3.medium", "ml.t4g.large", "ml.m7g.large"])
def test_a_type_that_endpoints_do_not_run_on_is_named_as_such(name: str):
    with pytest.raises(ConfigurationError, match=r"is not a hosting type") as raised:
        find_type(name, BOOK)
    assert "did you mean ml." in str(raised.value.hint)


def test_burstable_types_do_not_scale_but_run_at_a_fixed_count():
    kind = BOOK.types["ml.t2.medium"]
    with pytest.raises(ConfigurationError, match=r"ml\.t2\.medium cannot be scaled"):
        check_capacity(kind, min_capacity=1, max_capacity=2, scales=True, limits=Limits())
    check_capacity(kind, min_capacity=2, max_capacity=2, scales=False, limits=Limits())


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [(0, 2, "at least 1, not 0"), (3, 2, "2 is below min_capacity 3"), (1, 9, "quota of 4")],
)
def test_bounds_that_aws_refuses_are_refused(low: int, high: int, says: str):
    with pytest.raises(ConfigurationError, match=says):
        check_capacity(
            BOOK.types["ml.c5.large"],
            min_capacity=low,
            max_capacity=high,
            scales=True,
            limits=Limits(instances=4),
        )


@pytest.mark.parametrize(
    ("memory", "concurrency", "size", "says"),
    [
        (1500, 5, 100, "in steps of 1024, not 1500"),
        (7168, 5, 100, "not 7168"),
        (2048, 0, 100, "between 1 and 200, not 0"),
        (2048, 201, 100, "between 1 and 200, not 201"),
        (2048, 20, 100, "quota of 10"),
        (2048, 5, 5_000_000, "up to 4 MB"),
    ],
)
def test_serverless_limits(memory: int, concurrency: int, size: int, says: str):
    with pytest.raises(ConfigurationError, match=says):
        check_serverless(
            memory,
            concurrency,
            CallShape(request_bytes=size),
            Limits(serverless_concurrency=10 if concurrency == 20 else 1000),
        )


def test_payloads_above_a_real_time_endpoints_are_refused():
    check_real_time(CallShape(request_bytes=25_000_000))
    with pytest.raises(ConfigurationError, match="up to 25 MB"):
        check_real_time(CallShape(response_bytes=25_000_001))


def test_a_front_is_refused_above_its_quotas_and_none_never():
    calls = CallShape(lambda_seconds=0.2)
    with pytest.raises(ConfigurationError, match=r"API Gateway's quota of 10000/s"):
        check_front(Front.REST, 10_001, calls, Limits())
    with pytest.raises(ConfigurationError, match="1200 Lambda functions"):
        check_front(Front.HTTP, 6_000, calls, Limits())
    check_front(Front.REST, 6_000, calls, Limits())
    check_front(Front.NONE, 10**6, CallShape(request_bytes=10**8), Limits())


def test_a_load_line_of_zero_is_refused():
    with pytest.raises(ConfigurationError, match=r"ml\.c5\.large must be above 0/s, not 0/s"):
        load_lines({"ml.c5.large": 0.0}, BOOK)
    with pytest.raises(ConfigurationError, match="needs a load line"):
        load_lines({}, BOOK)


def test_types_without_a_line_carry_as_much_per_vcpu_and_say_so():
    lines = {line.kind.name: line for line in load_lines({"ml.c5.large": 600.0}, BOOK)}
    assert not lines["ml.c5.large"].is_assumed
    assert lines["ml.c5.2xlarge"].rate_per_second == 2400
    assert lines["ml.c5.2xlarge"].scaled_from == "ml.c5.large"
    assert "ml.t2.medium" not in lines, "on CPU credits a line holds for a while only"


def test_a_line_is_scaled_from_the_measured_type_that_is_most_alike():
    lines = load_lines(
        {"ml.c5.large": 600.0, "ml.m5.large": 500.0}, BOOK, types=["ml.m5.xlarge", "ml.c5.xlarge"]
    )
    scaled = {line.kind.name: (line.scaled_from, line.rate_per_second) for line in lines[2:]}
    assert scaled == {
        "ml.m5.xlarge": ("ml.m5.large", 1000.0),
        "ml.c5.xlarge": ("ml.c5.large", 1200.0),
    }
