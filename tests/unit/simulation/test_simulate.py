"""
The fleet over its traffic: against a period-by-period walk, against itself, against its bounds.
"""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation_oracles import instances_period_by_period, serve_requests
from tonnage.domain import ConfigurationError, PiecewiseRate, parse_profile
from tonnage.scaling import AlarmState, Reason, ScalableTarget, TargetTrackingPolicy
from tonnage.simulation import (
    EmpiricalDelay,
    FleetModel,
    LognormalDelay,
    Simulation,
    UniformDelay,
    simulate,
)

RAMP = parse_profile("ramp(0/s, 1000/s, 1000s)")


def policy(target_value: Any = 60, **values: Any) -> TargetTrackingPolicy:  # noqa: ANN401
    cooldowns = {"scale_in_cooldown_seconds": 60, "scale_out_cooldown_seconds": 60}
    return TargetTrackingPolicy.of(target_value=target_value, **(cooldowns | values))


def bounds(low: Any = 1, high: Any = 10) -> ScalableTarget:  # noqa: ANN401
    return ScalableTarget.of(min_capacity=low, max_capacity=high)


def fleet(**values: Any) -> FleetModel:  # noqa: ANN401
    return FleetModel(**({"line_per_second": 600} | values))


@st.composite
def traffic(draw: st.DrawFn, longest: int = 1500) -> PiecewiseRate:
    """Up to three hours that rise and fall, by steps and ramps, with a gap now and then."""
    pieces = draw(
        st.lists(st.tuples(st.integers(20, longest), st.integers(0, 3000)), min_size=2, max_size=9)
    )
    knots = np.concatenate(([0.0], np.cumsum([float(span) for span, _ in pieces])))
    start = np.array([float(rate) for _, rate in pieces])
    is_ramp = draw(st.booleans())
    end = np.append(start[1:], 0.0) if is_ramp else start
    gap = draw(st.sampled_from([None, (120.0, 300.0)]))
    return PiecewiseRate(
        knots_seconds=knots,
        start_per_second=start,
        end_per_second=end,
        gaps_seconds=np.array([gap] if gap else [], dtype=np.float64).reshape(-1, 2),
    )


@st.composite
def settings_of_a_policy(draw: st.DrawFn) -> dict[str, Any]:
    low = draw(st.integers(1, 3))
    high = low + draw(st.integers(0, 12))
    return {
        "target_value": draw(st.sampled_from([60, 900, 3000, 18_000, 30_000])),
        "scale_in_cooldown_seconds": draw(st.sampled_from([0, 60, 300, 900])),
        "scale_out_cooldown_seconds": draw(st.sampled_from([0, 60, 300])),
        "disable_scale_in": draw(st.booleans()),
        "low": low,
        "high": high,
        "initial": draw(st.integers(1, 14)),
        "delay": draw(st.sampled_from([0.0, 37.0, 60.0, 150.0, 300.0, 480.0])),
    }


def run(profile: PiecewiseRate, settings: list[dict[str, Any]], **values: Any) -> Simulation:  # noqa: ANN401
    def column(name: str) -> list[Any]:
        return [setting[name] for setting in settings]

    return simulate(
        profile,
        TargetTrackingPolicy.of(
            **{
                name: column(name)
                for name in (
                    "target_value",
                    "scale_in_cooldown_seconds",
                    "scale_out_cooldown_seconds",
                    "disable_scale_in",
                )
            }
        ),
        bounds(column("low"), column("high")),
        fleet(
            **(
                {
                    "provisioning_delay_seconds": column("delay"),
                    "initial_instance_count": column("initial"),
                }
                | values
            )
        ),
        keep_timeline=False,
    )


@given(
    profile=traffic(),
    settings=settings_of_a_policy(),
    metric_delay=st.sampled_from([0.0, 13.0, 60.0, 120.0]),
    drain=st.sampled_from([0.0, 30.0, 200.0]),
)
def test_looking_ahead_decides_what_one_period_after_another_does(
    profile: PiecewiseRate, settings: dict[str, Any], metric_delay: float, drain: float
):
    simulation = run(profile, [settings], metric_delay_seconds=metric_delay, drain_seconds=drain)
    expected = instances_period_by_period(
        profile,
        policy(
            settings["target_value"],
            scale_in_cooldown_seconds=settings["scale_in_cooldown_seconds"],
            scale_out_cooldown_seconds=settings["scale_out_cooldown_seconds"],
            disable_scale_in=settings["disable_scale_in"],
        ),
        bounds(settings["low"], settings["high"]),
        initial=settings["initial"],
        delay_seconds=settings["delay"],
        metric_delay_seconds=metric_delay,
        drain_seconds=drain,
    )
    assert simulation.instances() == expected


@given(
    profile=traffic(),
    settings=st.lists(settings_of_a_policy(), min_size=2, max_size=6),
    values=st.sampled_from(
        [
            {},
            {"metric_delay_seconds": 60.0},
            {"provisioning_delay_seconds": UniformDelay(100, 500)},
            {"provisioning_delay_seconds": LognormalDelay(240, 1.5)},
            {"provisioning_delay_seconds": EmpiricalDelay([200.0, 300.0, 700.0])},
            {"launch_failure_fraction": 0.3},
            {"launch_failure_fraction": 0.3, "provisioning_delay_seconds": UniformDelay(9, 99)},
            {"max_available_instances": 4},
            {"queue_seconds": 5.0},
        ]
    ),
)
def test_each_policy_of_many_does_what_it_does_alone(
    profile: PiecewiseRate, settings: list[dict[str, Any]], values: dict[str, Any]
):
    together = run(profile, settings, **values)
    for index, setting in enumerate(settings):
        alone = run(profile, [setting], **values)
        assert alone.instances() == together.instances(index)
        assert alone.activities_of() == together.activities_of(index)
        assert alone.failed[0] == pytest.approx(together.failed[index], rel=1e-9, abs=1e-6)
        assert alone.instance_seconds[0] == pytest.approx(together.instance_seconds[index])


@given(profile=traffic(), settings=st.lists(settings_of_a_policy(), min_size=1, max_size=4))
def test_counts_stay_within_bounds_and_totals_add_up(
    profile: PiecewiseRate, settings: list[dict[str, Any]]
):
    simulation = run(profile, settings)
    for index, setting in enumerate(settings):
        counts = [count for _, count in simulation.instances(index)][1:]
        outside = [count for count in counts if not setting["low"] <= count <= setting["high"]]
        assert not outside
        spans = np.diff([at for at, _ in simulation.instances(index)] + [profile.duration_seconds])
        total = sum(spans * [count for _, count in simulation.instances(index)])
        assert simulation.instance_seconds[index] == pytest.approx(total)
    total = float(profile.arrivals_by(profile.duration_seconds))
    assert simulation.offered == pytest.approx(np.full(len(settings), total))
    assert (simulation.served + simulation.failed) == pytest.approx(simulation.offered)
    assert (simulation.failed >= 0).all()


@given(profile=traffic(), counts=st.integers(1, 8), line=st.floats(50, 900))
def test_more_instances_or_a_higher_line_never_fail_more(
    profile: PiecewiseRate, counts: int, line: float
):
    def failed(count: int, each: float) -> float:
        fixed = fleet(line_per_second=each, initial_instance_count=count, arrivals="poisson")
        result = simulate(profile, None, bounds(1, 20), fixed, keep_timeline=False)
        return float(result.failed[0])

    base = failed(counts, line)
    assert failed(counts + 1, line) <= base + 1e-6
    assert failed(counts, line * 1.1) <= base + 1e-6


@pytest.mark.parametrize("queue_seconds", [0.07, 7.0])
@given(profile=traffic(longest=120), settings=settings_of_a_policy())
def test_the_timeline_adds_up_to_the_totals(
    profile: PiecewiseRate, settings: dict[str, Any], queue_seconds: float
):
    low, high = settings["low"], settings["high"]
    kept, bare = (
        simulate(
            profile,
            policy(settings["target_value"]),
            bounds(low, high),
            fleet(initial_instance_count=low, queue_seconds=queue_seconds),
            keep_timeline=keep,
        )
        for keep in (True, False)
    )
    timeline = kept.timeline
    assert timeline is not None
    assert bare.timeline is None
    assert kept.failed[0] == pytest.approx(bare.failed[0], rel=1e-9, abs=1e-6)
    assert timeline.offered.sum() == pytest.approx(bare.offered[0])
    assert (timeline.served[:, 0] + timeline.failed[:, 0]) == pytest.approx(timeline.offered)
    assert ((timeline.utilisation >= 0) & (timeline.utilisation <= 1)).all()
    assert (timeline.pending >= 0).all()
    longest = (600 * queue_seconds + 1) / 600 + 1 / 600
    assert (timeline.latency_seconds <= longest * (1 + 1e-9)).all()


@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
@pytest.mark.parametrize("seconds", [0.07, 7.0])
def test_a_long_overload_fails_what_is_above_the_line(arrivals: str, seconds: float):
    """The fluid limit: what cannot be served is refused, but for what the queue takes up once."""
    simulation = simulate(
        parse_profile("constant(1800/s, 10m)"),
        None,
        bounds(),
        fleet(initial_instance_count=2, queue_seconds=seconds, arrivals=arrivals),
    )
    room = 2 * 600 * seconds if seconds > 1 else 0
    assert simulation.failed[0] == pytest.approx(600 * 600 - room, rel=0.01)


@pytest.mark.parametrize("instances", [1, 2, 5])
def test_a_slow_queue_agrees_with_single_requests_through_a_rise_and_fall(instances: int):
    """A queue of 7 s, as compressed time makes of 70 ms, is carried from tick to tick."""
    line, queue_seconds = 6.0, 7.0
    profile = parse_profile(
        "ramp(0/s, 8/s, 400s) then constant(8/s, 200s) then ramp(8/s, 0/s, 400s)"
    )
    profile = PiecewiseRate(
        knots_seconds=profile.knots_seconds,
        start_per_second=profile.start_per_second * instances,
        end_per_second=profile.end_per_second * instances,
    )
    arrivals = profile.time_of(np.arange(int(profile.arrivals_by(1000))) + 0.5)
    seen = [
        serve_requests(
            arrivals,
            instances=instances,
            service_seconds=1 / line,
            queue_seconds=queue_seconds,
            seed=seed,
        ).refused.sum()
        for seed in range(20)
    ]
    simulation = simulate(
        profile,
        None,
        bounds(),
        fleet(line_per_second=line, queue_seconds=queue_seconds, initial_instance_count=instances),
        keep_timeline=False,
    )
    spread = 3 * np.std(seen, ddof=1) / np.sqrt(len(seen))
    assert simulation.failed[0] == pytest.approx(np.mean(seen), rel=0.1, abs=spread)


def test_the_original_orders_all_nine_at_once_and_nothing_fails():
    """Datapoints of 1800, 5400 and 9000 at a target of 60: the third minute asks for 150."""
    simulation = simulate(RAMP, policy(), bounds(), fleet())
    assert simulation.instances() == [(0.0, 1), (480.0, 10)]
    (activity,) = simulation.activities_of()
    assert (activity.at_seconds, activity.from_count, activity.to_count) == (180.0, 1, 10)
    assert activity.in_service_at_seconds == 480.0
    assert "AlarmHigh" in activity.cause
    assert simulation.failed[0] == 0
    assert simulation.timeline is not None
    assert simulation.timeline.offered[480] == pytest.approx(480.5)


def test_at_seven_minutes_of_provisioning_the_original_is_a_knife_edge():
    at_the_edge = simulate(RAMP, policy(), bounds(), fleet(provisioning_delay_seconds=420))
    too_late = simulate(RAMP, policy(), bounds(), fleet(provisioning_delay_seconds=430))
    assert at_the_edge.instances() == [(0.0, 1), (600.0, 10)]
    assert at_the_edge.failed[0] == pytest.approx(0, abs=1)
    assert too_late.failed[0] == pytest.approx(10 * 10 / 2, rel=0.1)


def test_without_scaling_the_original_fails_above_600():
    simulation = simulate(RAMP, None, bounds(), fleet())
    assert simulation.failed[0] == pytest.approx(400 * 400 / 2, rel=1e-3)
    assert simulation.timeline is not None
    first = np.argmax(simulation.timeline.failed[:, 0] > 0)
    assert 600 <= first <= 601


def test_awss_recipe_fails_three_per_cent_of_the_ramp():
    """Its target is 600 x 0.5 x 60 = 18,000: the alarm sees 300 users only after eight minutes."""
    simulation = simulate(RAMP, policy(18_000), bounds(), fleet())
    assert simulation.failed_fraction[0] == pytest.approx(0.0324, abs=0.0005)


def test_a_target_of_3000_needs_a_quarter_of_the_originals_instance_hours():
    simulation = simulate(RAMP, policy([60, 3000]), bounds(1, [10, 2]), fleet())
    original, better = simulation.instance_hours
    assert better / original == pytest.approx(0.26, abs=0.005)
    assert simulation.failed[1] == 0


def test_the_public_report_is_met_by_late_datapoints_and_slow_updates():
    """
    A user reports more than 5 minutes from load to scale-out and more than 25 to scale-in.

    Out: 3 datapoints and a metric that is 2 minutes late make 5 minutes to the decision, whatever
    provisioning adds. In: 15 datapoints and the same 2 minutes make 17 to the decision; beyond 25
    the report is met only when the update that removes the instances takes 8 minutes more.
    """
    load = parse_profile("constant(1/s, 30m) then constant(100/s, 60m) then constant(1/s, 90m)")
    simulation = simulate(
        load,
        policy(1500, scale_in_cooldown_seconds=300, scale_out_cooldown_seconds=300),
        bounds(1, 4),
        fleet(metric_delay_seconds=120, provisioning_delay_seconds=240, drain_seconds=500),
    )
    out, *into = simulation.activities_of()
    assert out.at_seconds - 1800 == 5 * 60
    assert out.in_service_at_seconds == out.at_seconds + 240
    assert into[0].at_seconds - 5400 == 17 * 60
    assert into[0].in_service_at_seconds is not None
    assert into[0].in_service_at_seconds - 5400 > 25 * 60


def test_while_data_are_missing_nothing_scales():
    rates = np.array([10.0, 0.0, 10.0])
    gap = PiecewiseRate.held(
        np.array([0.0, 3600.0, 7200.0, 10_800.0]), rates, np.array([[3600.0, 7200.0]])
    )
    silence = PiecewiseRate.held(np.array([0.0, 3600.0, 7200.0, 10_800.0]), rates)
    slow = fleet(initial_instance_count=4)
    assert len(simulate(silence, policy(150), bounds(), slow).activities) > 0
    kept = simulate(gap, policy(150), bounds(4, 10), slow)
    assert len(kept.activities) == 0
    assert kept.timeline is not None
    assert np.isnan(kept.timeline.metric_value[60:120]).all()
    assert (kept.timeline.high_alarm[75:120] == AlarmState.INSUFFICIENT_DATA).all()


def test_what_cannot_be_had_fails_its_activity_and_is_asked_for_again():
    simulation = simulate(RAMP, policy(), bounds(), fleet(max_available_instances=4))
    assert simulation.largest_count[0] == 4
    first, second, *_ = simulation.activities_of()
    assert (first.from_count, first.to_count) == (1, 10)
    assert (second.from_count, second.to_count) == (4, 10)
    assert not simulation.activities.succeeded.any()
    assert simulation.timeline is not None
    assert simulation.timeline.desired[479, 0] == 10
    assert simulation.timeline.desired[480, 0] == 4


def test_launches_that_fail_come_later_one_by_one():
    sure = simulate(RAMP, policy(), bounds(), fleet())
    shaky = simulate(RAMP, policy(), bounds(), fleet(launch_failure_fraction=0.5), seed=3)
    assert shaky.instances()[1][0] == 480.0
    assert shaky.instances()[1][1] < 10
    assert shaky.instance_seconds[0] < sure.instance_seconds[0]
    again = simulate(RAMP, policy(), bounds(), fleet(launch_failure_fraction=0.5), seed=3)
    assert again.instances() == shaky.instances()


def test_a_count_outside_the_bounds_is_brought_within_them_at_once():
    simulation = simulate(RAMP, policy(), bounds(2, 10), fleet())
    assert simulation.activities.reason[0] == Reason.BROUGHT_WITHIN_BOUNDS
    assert simulation.activities_of()[0].cause == "minimum capacity was set to 2"


def test_a_measured_curve_gives_the_latency():
    measured = fleet(latency_curve=[(0.0, 0.01), (0.5, 0.02), (1.0, 0.2)])
    simulation = simulate(parse_profile("constant(300/s, 60s)"), None, bounds(), measured)
    assert simulation.timeline is not None
    assert simulation.timeline.latency_seconds[30, 0] == pytest.approx(0.02)


def test_a_trace_shorter_than_a_period_scales_nothing():
    simulation = simulate(parse_profile("constant(900/s, 59s)"), policy(), bounds(), fleet())
    assert simulation.instances() == [(0.0, 1)]


@pytest.mark.parametrize(
    "values",
    [
        {"line_per_second": 0},
        {"line_per_second": [600, -1]},
        {"line_per_second": np.nan},
        {"queue_seconds": -1},
        {"metric_delay_seconds": np.nan},
        {"provisioning_delay_seconds": -1},
        {"launch_failure_fraction": 1},
        {"initial_instance_count": 0},
        {"initial_instance_count": 1.5},
        {"max_available_instances": 0},
        {"arrivals": "bursty"},
        {"latency_curve": [(1.0, 0.1), (0.5, 0.2)]},
    ],
)
def test_an_impossible_fleet_is_refused(values: dict[str, Any]):
    with pytest.raises(ConfigurationError):
        fleet(**values)


def test_arrays_that_do_not_fit_and_timelines_that_do_not_either_are_refused():
    with pytest.raises(ConfigurationError, match="lengths"):
        simulate(RAMP, policy([60, 600, 6000]), bounds(1, [10, 2]), fleet())
    month = parse_profile("constant(100/s, 30d)")
    with pytest.raises(ConfigurationError, match="timeline"):
        simulate(month, policy([60, 600, 6000, 60]), bounds(), fleet())
    with pytest.raises(ConfigurationError, match="tick_seconds"):
        simulate(RAMP, policy(), bounds(), fleet(), tick_seconds=0)


@pytest.mark.parametrize("delay", [(-1, 5), (5, 1)])
def test_an_impossible_delay_is_refused(delay: tuple[float, float]):
    with pytest.raises(ConfigurationError):
        UniformDelay(*delay)
    with pytest.raises(ConfigurationError):
        EmpiricalDelay([])
    with pytest.raises(ConfigurationError):
        LognormalDelay(0, 2)
