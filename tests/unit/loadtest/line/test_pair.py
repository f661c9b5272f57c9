"""
Two searches in turn, each with the budget of its own.
"""

import pytest

from tonnage.loadtest.line import (
    LinePlan,
    TargetShape,
    VirtualTarget,
    find_lines_in_turn,
    parse_terms,
)

PLAN = LinePlan(terms=parse_terms(["p99 < 250ms", "errors < 0.1%"]), budget_seconds=40.0)


def target(rate: float) -> VirtualTarget:
    return VirtualTarget(
        shape=TargetShape(rate_per_second=rate, queue_seconds=0.07),
        patience_seconds=PLAN.patience_seconds,
    )


def test_both_lines_are_found_trial_by_trial_in_turn():
    order: list[str] = []
    base, head = find_lines_in_turn(
        PLAN, target(600), target(400), on_trial=lambda side, _outcome: order.append(side)
    )
    assert base.line_per_second == pytest.approx(600, rel=0.03)
    assert head.line_per_second == pytest.approx(400, rel=0.03)
    assert order[:6] == ["base", "head"] * 3
    assert base.elapsed_seconds <= 40
    assert head.elapsed_seconds <= 40


def test_what_was_spent_before_counts():
    base, head = find_lines_in_turn(PLAN, target(600), target(400), spent_seconds=38.0)
    assert base.verdict in {"UNDECIDED", "AT_LEAST"}
    assert head.elapsed_seconds <= 40
