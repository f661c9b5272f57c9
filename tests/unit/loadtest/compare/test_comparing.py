"""
Better, worse or no difference, on virtual services and on recorded noise.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

from tonnage.domain import ConfigurationError, RecordError, RunRecord, Samples
from tonnage.loadtest.compare import (
    Blocks,
    ComparePlan,
    Comparison,
    MeasuredLine,
    Slots,
    compare_lines,
    compare_records,
    paired_difference,
)
from tonnage.loadtest.compare.signed_rank import least_pairs

RATE = 300.0
SECONDS = 30.0


def service(
    side: str,
    seed: int,
    *,
    factor: float = 1.0,
    failing: float = 0.0,
    silent: bool = False,
    run: str | None = "one",
) -> RunRecord:
    """A service whose latency walks slowly, as a machine's does: both sides see the same walk."""
    shared = np.random.default_rng(seed)
    count = int(RATE * SECONDS)
    moments = np.arange(count) / RATE
    walk = np.exp(0.3 * np.cumsum(shared.standard_normal(60)) / 8)
    own = np.random.default_rng((seed, side == "head"))
    latency = 0.004 * factor * walk[(moments / SECONDS * 60).astype(int)]
    latency = latency * own.lognormal(0.0, 0.3, count)
    status = np.where(own.random(count) < failing, 503, 200).astype(np.uint16)
    if silent:
        status[:] = 0
    plan = ComparePlan(rate_per_second=RATE, duration_seconds=SECONDS, seed=seed)
    slots = Slots.dealt(plan, plan.slot_seconds(0.004))
    blocks = Blocks(run=run or "", side=side, units=slots.windows(side))
    return RunRecord(
        name=side,
        title=side,
        started_at_epoch_seconds=0.0,
        duration_seconds=SECONDS,
        samples=Samples(
            intended_seconds=moments,
            sent_seconds=moments,
            done_seconds=moments + latency,
            status=status,
        ),
        settings={"comparison": blocks.shown()} if run else {},
        generator={"model": "open loop", "verdict": "VALID"},
    )


def answers(comparison: Comparison) -> dict[str, str]:
    return {each.metric: each.answer for each in comparison.differences}


@pytest.mark.parametrize("seed", range(20))
def test_a_version_is_not_told_from_itself(seed: int):
    compared = compare_records(service("base", seed), service("head", seed))
    assert compared.answer == "no difference"
    assert set(answers(compared).values()) == {"no difference"}


@pytest.mark.parametrize("seed", range(10))
def test_a_slow_down_of_a_tenth_is_caught_with_its_size(seed: int):
    compared = compare_records(service("base", seed), service("head", seed, factor=1.1))
    assert compared.answer == "worse"
    p50 = compared.differences[0]
    assert p50.interval[0] < p50.change < p50.interval[1]
    assert p50.change == pytest.approx(0.1, abs=0.03)


def test_what_is_faster_is_better():
    compared = compare_records(service("base", 1, factor=1.2), service("head", 1))
    assert compared.answer == "better"


def test_errors_alone_make_it_worse():
    compared = compare_records(service("base", 1), service("head", 1, failing=0.02))
    assert answers(compared)["errors"] == "worse"
    assert answers(compared)["p50"] == "no difference"


def test_a_head_that_answers_nothing_is_worse():
    compared = compare_records(service("base", 1), service("head", 1, silent=True))
    assert compared.answer == "worse"
    assert answers(compared) == dict.fromkeys(("p50", "p99", "errors", "throughput"), "worse")


def test_separate_runs_say_that_they_were():
    compared = compare_records(
        service("base", 1, run=None), service("head", 1, factor=2.0, run=None)
    )
    assert compared.answer == "worse"
    assert "separate" in compared.notes[0]


def test_a_smaller_difference_can_be_asked_for():
    base, head = service("base", 1, run=None), service("head", 1, factor=1.1, run=None)
    assert answers(compare_records(base, head))["p50"] == "no difference"
    assert answers(compare_records(base, head, relevant={"p50": 0.05}))["p50"] == "worse"


def quick(record: RunRecord, factor: float, *, cores: dict[str, list[int]] | None) -> RunRecord:
    """The same service with its latencies multiplied, on cores of its own or left alone."""
    from dataclasses import replace

    samples = record.samples
    done = samples.sent_seconds + factor * (samples.done_seconds - samples.sent_seconds)
    return replace(
        record,
        samples=replace(samples, done_seconds=done),
        settings={**record.settings, "load": {"cores": cores}},
    )


def test_services_left_alone_differ_by_where_they_run_and_those_on_the_same_cores_do_not():
    base, head = service("base", 1), service("head", 1)
    apart = {"generators": [0], "services": [1]}
    for cores, answer in ((None, "no difference"), (apart, "worse")):
        compared = compare_records(
            quick(base, 0.1, cores=cores), quick(head, 0.12, cores=cores), relevant={"p99": 9.0}
        )
        assert compared.answer == answer
        assert any("150 us" in note or "0.15 ms" in note for note in compared.notes) == (not cores)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"generator": {"model": "closed loop"}}, "not asked for the same"),
        ({"duration_seconds": 60.0}, "asked for 300/s, the other for 150/s"),
        ({"samples": Samples.empty()}, "no request to compare"),
    ],
)
def test_what_cannot_be_compared_is_refused(changed: dict[str, object], said: str):
    from dataclasses import replace

    base = service("base", 1, run=None)
    with pytest.raises(ConfigurationError, match=said):
        compare_records(base, replace(base, **changed))


def test_an_invalid_generator_is_not_believed():
    from dataclasses import replace

    head = replace(
        service("head", 1), generator={"model": "open loop", "verdict": "INVALID", "reason": "late"}
    )
    compared = compare_records(service("base", 1), head)
    assert not compared.is_believed
    assert "late" in compared.reason


def test_damaged_blocks_are_refused():
    with pytest.raises(RecordError, match="blocks of a comparison"):
        Blocks.of({"comparison": {"run": "x", "side": "head", "units": [[1]]}})


def test_a_comparison_shows_itself_with_everything_escaped():
    from dataclasses import replace

    compared = replace(
        compare_records(service("base", 1), service("head", 1)), head_title="<script>"
    )
    assert "&lt;script&gt;" in compared._repr_html_()


def test_each_side_has_two_slots_of_each_unit_and_the_same_mean_place():
    plan = ComparePlan(rate_per_second=RATE, duration_seconds=SECONDS)
    slots = Slots.dealt(plan, 0.2)
    taken = [
        place for unit in range(len(slots.heads_first)) for place in slots.places(unit, "head")
    ]
    others = [
        place for unit in range(len(slots.heads_first)) for place in slots.places(unit, "base")
    ]
    assert sorted(taken + others) == list(range(4 * len(slots.heads_first)))
    assert sum(taken) == sum(others)
    assert 0 < sum(slots.heads_first) < len(slots.heads_first)
    offered = slots.profile("head", RATE)
    assert offered.arrivals_by(offered.duration_seconds) == pytest.approx(
        RATE * 0.2 * 2 * len(slots.heads_first)
    )


def test_a_slow_service_gets_longer_slots_and_still_enough_of_them():
    plan = ComparePlan(rate_per_second=RATE, duration_seconds=SECONDS)
    assert plan.slot_seconds(0.004) == pytest.approx(0.2)
    assert plan.slot_seconds(0.05) == pytest.approx(0.5)
    assert len(Slots.dealt(plan, plan.slot_seconds(9.0)).heads_first) >= 12


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"duration_seconds": 5.0}, "at least 10 s"), ({"rate_per_second": 1.0}, "too little")],
)
def test_a_comparison_that_cannot_decide_is_refused(changed: dict[str, float], said: str):
    with pytest.raises(ConfigurationError, match=said):
        ComparePlan(**{"rate_per_second": RATE, **changed})


def test_the_rank_interval_holds_the_truth_as_often_as_it_says():
    draw = np.random.default_rng(0)
    intervals = [paired_difference(draw.standard_t(2, 12)).interval(0.95) for _ in range(2000)]
    held = np.mean([low <= 0 <= high for low, high in intervals])
    assert 0.94 <= held <= 0.975


def test_few_pairs_decide_nothing():
    assert paired_difference(np.ones(5)).interval(0.95) == (-np.inf, np.inf)
    assert least_pairs(0.95) == 6
    assert np.isnan(paired_difference(np.array([np.nan])).estimate)


def measured(line: float | None, low: float | None, high: float | None) -> MeasuredLine:
    return MeasuredLine(
        title="t", verdict="FOUND", line=line, interval=(low, high), level=0.95, objective="o"
    )


@pytest.mark.parametrize(
    ("base", "head", "answer"),
    [
        ((600, 590, 610), (602, 592, 612), "no difference"),
        ((600, 590, 610), (540, 531, 549), "worse"),
        ((600, 590, 610), (660, 649, 671), "better"),
        ((600, 540, 660), (540, 490, 590), "no difference"),  # too wide to say
        ((600, 590, 610), (900, 900, None), "better"),  # a bound from below is enough
        ((600, 600, None), (900, 890, 910), "no difference"),  # and here it is not
    ],
)
def test_two_lines_are_compared_by_their_intervals(
    base: tuple[float, float, float | None], head: tuple[float, float, float | None], answer: str
):
    assert compare_lines(measured(*base), measured(*head)).answer == answer


def test_a_missing_line_is_no_data():
    compared = compare_lines(measured(600, 590, 610), measured(None, None, None))
    assert (compared.answer, compared.is_believed) == ("no data", False)


def test_recorded_noise_hardly_raises_an_alarm_and_hides_no_slow_down(
    monkeypatch: pytest.MonkeyPatch,
):
    """A glimpse of the campaign: the same code, noise and seeds, the first of its runs."""
    directory = Path(__file__).parents[4] / "benchmarks" / "loadtest"
    monkeypatch.setattr(sys, "path", [str(directory), *sys.path])
    import compare_campaign

    conditions = compare_campaign.noise(directory / "results" / "noise.npz")
    same = compare_campaign.campaign(conditions, compare_campaign.interleaved, 60.0, 1.0, 30)
    slower = compare_campaign.campaign(conditions, compare_campaign.interleaved, 60.0, 1.1, 30)
    assert same["answers"]["no difference"] >= 29
    assert slower["answers"] == {"worse": 30}
