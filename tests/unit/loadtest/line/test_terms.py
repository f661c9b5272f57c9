"""Each term says whether it holds for a window, and all must."""

from collections.abc import Callable

import numpy as np
import pytest

from tonnage.domain import ConfigurationError, Samples
from tonnage.loadtest.line import parse_terms
from tonnage.loadtest.line.terms import longest_threshold_seconds

Make = Callable[..., Samples]


def test_a_percentile_must_stay_below_its_threshold(samples: Make):
    (term,) = parse_terms(["p90 < 100ms"])
    assert term.judge(samples([0.05] * 9 + [9.0])).holds
    assert not term.judge(samples([0.05] * 8 + [0.11, 0.11])).holds


def test_a_request_without_an_answer_is_slow(samples: Make):
    (term,) = parse_terms(["p50 < 100ms"])
    result = term.judge(samples([0.01] * 4, status=[0, 0, 0, 200]))
    assert not result.holds
    assert result.seen == "p50 unanswered"


def test_errors_must_stay_below_their_fraction(samples: Make):
    (term,) = parse_terms(["errors < 25%"])
    assert term.judge(samples([0.01] * 8, status=[503, *[200] * 7])).holds
    assert not term.judge(samples([0.01] * 4, status=[503, 200, 200, 200])).holds


def test_goodput_counts_answers_that_were_good_and_in_time(samples: Make):
    _, term = parse_terms(["p99 < 100ms", "goodput > 70%"])
    latency, status = [0.05, 0.05, 0.05, 0.5], [200, 200, 200, 200]
    assert term.judge(samples(latency, status=status)).holds
    assert not term.judge(samples(latency, status=[200, 200, 503, 200])).holds


def test_terms_say_themselves():
    terms = parse_terms(["p99 < 250ms", "p50<20ms", "errors < 0.1%", "goodput >= 99.5%"])
    assert [str(term) for term in terms] == [
        "p99 < 250 ms",
        "p50 < 20 ms",
        "errors < 0.1 %",
        "goodput >= 99.5 %",
    ]
    assert longest_threshold_seconds(terms, default=1.0) == 0.25
    assert longest_threshold_seconds(terms[2:], default=1.0) == 1.0


@pytest.mark.parametrize("text", ["p99 > 250ms", "goodput < 3", "speed", "", "p0 < 1s"])
def test_what_is_no_objective_is_refused(text: str):
    with pytest.raises(ConfigurationError):
        parse_terms([text])


def test_no_term_at_all_is_refused():
    with pytest.raises(ConfigurationError, match="at least one"):
        parse_terms([])


def test_a_percentile_is_exact(samples: Make):
    (term,) = parse_terms(["p99 < 250ms"])
    latency = np.full(1000, 0.01)
    latency[:10] = 1.0  # the 991st smallest is slow, the 990th is not
    assert term.judge(samples(latency)).holds
    latency[10] = 1.0
    assert not term.judge(samples(latency)).holds
