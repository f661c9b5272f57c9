"""
Fleets with steps, schedules, several policies and other metrics, against a walk on a clock.
"""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling_targets import stepping, tracking
from simulation_oracles import arrive, instances_moment_by_moment, serve_requests
from tonnage.domain import ConfigurationError, PiecewiseRate, parse_profile
from tonnage.scaling import (
    CONCURRENT_REQUESTS_PER_MODEL,
    HIGH_RESOLUTION,
    AttachedPolicy,
    ComparisonOperator,
    Reason,
    ScalableTarget,
    ScheduledAction,
    Statistic,
    SuspendedState,
    TargetTrackingPolicy,
    TrackedMetric,
)
from tonnage.simulation import FleetModel, simulate

QUICK = TrackedMetric(name="InvocationsPerInstance", statistic=Statistic.SUM, rule=HIGH_RESOLUTION)
LESS = ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD
COOLDOWNS = st.sampled_from([0, 60, 300])


def bounds(low: Any = 1, high: Any = 10) -> ScalableTarget:  # noqa: ANN401
    return ScalableTarget.of(min_capacity=low, max_capacity=high)


def fleet(**values: Any) -> FleetModel:  # noqa: ANN401
    return FleetModel(**({"line_per_second": 600} | values))


@st.composite
def traffic(draw: st.DrawFn) -> PiecewiseRate:
    """Up to two hours by steps, with a gap now and then."""
    pieces = draw(
        st.lists(st.tuples(st.integers(20, 1200), st.integers(0, 1500)), min_size=2, max_size=6)
    )
    gap = draw(st.sampled_from([None, (120.0, 300.0)]))
    return PiecewiseRate.held(
        np.concatenate(([0.0], np.cumsum([float(span) for span, _ in pieces]))),
        np.array([float(rate) for _, rate in pieces]),
        np.array([gap] if gap else [], dtype=np.float64).reshape(-1, 2),
    )


@st.composite
def policy_sets(draw: st.DrawFn) -> tuple[AttachedPolicy, ...]:
    missing = draw(st.sampled_from(["missing", "ignore", "breaching", "notBreaching"]))
    both = {"scale_in_cooldown_seconds": draw(COOLDOWNS), "scale_out_cooldown_seconds": 60}
    kinds: dict[str, AttachedPolicy] = {
        "plain": tracking(draw(st.sampled_from([900.0, 18_000.0])), name="plain", **both),
        "quick": tracking(3000.0, name="quick", metric=QUICK, **both),
        "steps": stepping(
            (0, 20_000, 1),
            (20_000, None, draw(st.integers(2, 5))),
            threshold=20_000.0,
            name="steps",
            cooldown_seconds=draw(COOLDOWNS),
            alarm={"evaluation_periods": 2, "treat_missing_data": missing},
        ),
        "down": stepping(
            (None, 0, -1),
            threshold=20_000.0,
            comparison=LESS,
            name="down",
            cooldown_seconds=draw(COOLDOWNS),
            alarm={"metric_name": "Invocations", "period_seconds": 300.0},
        ),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(kinds)), max_size=3, unique=True))
    return tuple(kinds[name] for name in chosen)


ACTIONS = (
    ScheduledAction.of("more", "cron(0/25 * * * ? *)", min_capacity=4, max_capacity=12),
    ScheduledAction.of("less", "cron(10/25 * * * ? *)", min_capacity=1, max_capacity=3),
)


@settings(max_examples=50, deadline=None)
@given(
    profile=traffic(),
    policies=policy_sets(),
    actions=st.sampled_from([(), ACTIONS]),
    switches=st.sampled_from([{}, {"dynamic_scaling_in_suspended": True}]),
    metric_delay=st.sampled_from([0, 13, 60]),
    delay=st.sampled_from([0.0, 150.0, 300.0]),
    drain=st.sampled_from([0.0, 200.0]),
    start=st.sampled_from([300.0, 1740.0]),
)
def test_looking_ahead_decides_what_a_clock_does(
    profile: PiecewiseRate,
    policies: tuple[AttachedPolicy, ...],
    actions: tuple[ScheduledAction, ...],
    switches: dict[str, bool],
    metric_delay: int,
    delay: float,
    drain: float,
    start: float,
):
    suspended = SuspendedState.of(**switches)
    simulation = simulate(
        profile,
        policies,
        bounds(),
        fleet(
            metric_delay_seconds=metric_delay,
            provisioning_delay_seconds=delay,
            drain_seconds=drain,
            initial_instance_count=2,
        ),
        keep_timeline=False,
        scheduled_actions=actions,
        suspended=suspended,
        starts_at_seconds=start,
    )
    expected = instances_moment_by_moment(
        profile,
        policies,
        bounds(),
        initial=2,
        delay_seconds=delay,
        metric_delay_seconds=metric_delay,
        drain_seconds=drain,
        actions=actions,
        suspended=suspended,
        starts_at_seconds=start,
    )
    assert simulation.instances() == expected


@settings(max_examples=25, deadline=None)
@given(profile=traffic(), policies=policy_sets(), actions=st.sampled_from([(), ACTIONS]))
def test_each_fleet_of_many_does_what_it_does_alone(
    profile: PiecewiseRate,
    policies: tuple[AttachedPolicy, ...],
    actions: tuple[ScheduledAction, ...],
):
    lines = [300.0, 600.0, 900.0]
    low = [1, 2, 3]
    together = simulate(
        profile,
        policies,
        bounds(low),
        fleet(line_per_second=lines),
        keep_timeline=False,
        scheduled_actions=actions,
    )
    for index in range(3):
        alone = simulate(
            profile,
            policies,
            bounds(low[index]),
            fleet(line_per_second=lines[index]),
            keep_timeline=False,
            scheduled_actions=actions,
        )
        assert alone.instances() == together.instances(index)
        assert alone.activities_of() == together.activities_of(index)
        assert alone.failed[0] == pytest.approx(together.failed[index], rel=1e-9, abs=1e-6)


def test_one_attached_policy_is_the_policy_itself():
    plain = TargetTrackingPolicy.of(target_value=[900, 18_000], scale_in_cooldown_seconds=60)
    ramp = parse_profile("ramp(0/s, 1000/s, 1000s) then ramp(1000/s, 0/s, 1h)")
    attached = tracking([900, 18_000], scale_in_cooldown_seconds=60, scale_out_cooldown_seconds=300)
    one, other = (
        simulate(ramp, each, bounds(), fleet(), keep_timeline=False)
        for each in (plain, (attached,))
    )
    assert one.instances(0) == other.instances(0)
    assert one.instances(1) == other.instances(1)
    assert one.activities_of(1)[0].cause.endswith("triggered policy TargetTracking")
    assert other.activities_of(1)[0].cause.endswith("triggered policy tracking")


def test_a_schedule_is_ready_before_a_known_rise():
    """What a policy meets too late, an action at half past eight has there at nine."""
    nine = datetime(2026, 3, 2, 8, 0, tzinfo=UTC).timestamp()
    rise = parse_profile("constant(100/s, 1h) then constant(3000/s, 1h)")
    early = ScheduledAction.of("open", "cron(30 8 ? * MON-FRI *)", min_capacity=6, max_capacity=10)
    policy = tracking(18_000.0, scale_out_cooldown_seconds=60)
    late, ready = (
        simulate(
            rise,
            (policy,),
            bounds(),
            fleet(),
            scheduled_actions=actions,
            starts_at_seconds=nine,
        )
        for actions in ((), (early,))
    )
    assert late.failed_fraction[0] > 0.1
    assert ready.failed_fraction[0] < 0.001
    first = ready.activities_of()[0]
    assert (first.at_seconds, first.cause) == (1800.0, "minimum capacity was set to 6")
    assert ready.activities.reason[0] == Reason.BROUGHT_WITHIN_BOUNDS


def test_a_schedule_needs_no_policy():
    night = ScheduledAction.of("night", "cron(0 1 * * ? *)", max_capacity=2)
    simulation = simulate(
        parse_profile("constant(10/s, 2h)"),
        None,
        bounds(),
        fleet(initial_instance_count=5),
        scheduled_actions=(night,),
    )
    assert simulation.instances() == [(0.0, 5), (3600.0, 2)]


def test_a_suspended_schedule_does_not_run():
    simulation = simulate(
        parse_profile("constant(10/s, 2h)"),
        None,
        bounds(),
        fleet(initial_instance_count=5),
        scheduled_actions=(ScheduledAction.of("night", "cron(0 1 * * ? *)", max_capacity=2),),
        suspended=SuspendedState.of(scheduled_scaling_suspended=True),
    )
    assert simulation.instances() == [(0.0, 5)]


def test_the_concurrency_metric_orders_minutes_earlier():
    """Three datapoints of 10 s instead of three of a minute."""
    jump = parse_profile("constant(100/s, 10m) then constant(900/s, 20m)")
    fast = tracking(2.0, metric=CONCURRENT_REQUESTS_PER_MODEL, name="fast")
    slow = tracking(18_000.0, name="slow")
    at = [
        simulate(jump, (policy,), bounds(), fleet()).activities_of()[0].at_seconds
        for policy in (fast, slow)
    ]
    assert at == [630.0, 780.0]


@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
@pytest.mark.parametrize("utilisation", [0.3, 0.7, 0.9, 1.1])
@pytest.mark.parametrize("instances", [1, 2, 5])
def test_the_concurrency_metric_is_that_of_single_requests(
    arrivals: str, utilisation: float, instances: int
):
    """
    Little's law: what is in flight at an instance is its rate times its time in the system.

    Even arrivals spread over two instances are less random than the formula has it: 0.14 of a
    request too many at most.
    """
    line, count = 600.0, 40_000
    rate = instances * line * utilisation
    times = [
        (seen.wait_seconds.mean() + 1 / line) * (1 - seen.refused_fraction)
        for seed in range(2)
        for seen in [
            serve_requests(
                arrive(rate, count, poisson=arrivals == "poisson", seed=seed),
                instances=instances,
                service_seconds=1 / line,
                queue_seconds=0.07,
                seed=seed,
            )
        ]
    ]
    policy = tracking(1e6, metric=CONCURRENT_REQUESTS_PER_MODEL)
    simulation = simulate(
        parse_profile(f"constant({rate:g}/s, 60s)"),
        (policy,),
        bounds(),
        fleet(initial_instance_count=instances, arrivals=arrivals),
    )
    assert simulation.timeline is not None
    seen = simulation.timeline.metric_value[-1, 0]
    assert seen == pytest.approx(np.mean(times) * rate / instances, rel=0.1, abs=0.15)


def test_a_measured_curve_gives_the_concurrency():
    """Little's law on the measured latency: 300 a second of 20 ms are six in flight."""
    measured = fleet(latency_curve=[(0.0, 0.01), (0.5, 0.02), (1.0, 0.2)])
    policy = tracking(1e6, metric=CONCURRENT_REQUESTS_PER_MODEL)
    simulation = simulate(parse_profile("constant(300/s, 60s)"), (policy,), bounds(), measured)
    assert simulation.timeline is not None
    assert simulation.timeline.metric_value[-1, 0] == pytest.approx(6.0)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (tracking(50, metric=TrackedMetric(name="CPUUtilization")), "CPUUtilization"),
        (stepping((0, None, 1), alarm={"statistic": Statistic.AVERAGE}), "is Sum, not Average"),
    ],
)
def test_a_metric_that_is_not_simulated_is_refused(policy: AttachedPolicy, message: str):
    with pytest.raises(ConfigurationError, match=message):
        simulate(parse_profile("constant(10/s, 2h)"), (policy,), bounds(), fleet())


def test_arrays_of_policies_that_do_not_fit_are_refused():
    policies = (tracking([60, 600]), stepping((0, None, [1, 2, 3])))
    with pytest.raises(ConfigurationError, match="lengths"):
        simulate(parse_profile("constant(10/s, 2h)"), policies, bounds(), fleet())
