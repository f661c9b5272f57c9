"""
What must hold for every policy, load and fleet.
"""

from dataclasses import dataclass, fields

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tonnage.scaling import (
    Observation,
    Reason,
    ScalableTarget,
    ScalingState,
    TargetTrackingPolicy,
    decide,
    evaluate,
    scaling_succeeded,
)

untimed = settings(deadline=None)
"""How long an example takes is the machine's affair."""

SECONDS = st.sampled_from([0.0, 30.0, 60.0, 150.0, 300.0, 1800.0])


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """N policies over one load, as a fleet whose capacity takes a while to settle."""

    policy: TargetTrackingPolicy
    target: ScalableTarget
    initial: NDArray[np.int64]
    provisioning_seconds: float
    requests_per_minute: list[float]


@dataclass(frozen=True, kw_only=True)
class Step:
    now_seconds: float
    state: ScalingState
    observation: Observation
    reason: NDArray[np.int8]
    desired: NDArray[np.int64]
    settled: NDArray[np.bool_]


@st.composite
def scenarios(draw: st.DrawFn, count: int | None = None) -> Scenario:
    n = draw(st.integers(1, 4)) if count is None else count
    low = draw(st.lists(st.integers(1, 4), min_size=n, max_size=n))
    spare = draw(st.lists(st.integers(0, 16), min_size=n, max_size=n))
    high = np.add(low, spare)
    levels = st.one_of(st.floats(0, 20_000), st.integers(0, 30).map(lambda k: 60.0 * k))
    stretches = draw(
        st.lists(st.tuples(levels | st.just(np.nan), st.integers(1, 20)), min_size=1, max_size=8)
    )
    return Scenario(
        policy=TargetTrackingPolicy.of(
            target_value=draw(
                st.lists(st.sampled_from([1.0, 60.0, 333.3, 3000.0]), min_size=n, max_size=n)
            ),
            scale_in_cooldown_seconds=draw(st.lists(SECONDS, min_size=n, max_size=n)),
            scale_out_cooldown_seconds=draw(st.lists(SECONDS, min_size=n, max_size=n)),
            disable_scale_in=draw(st.lists(st.booleans(), min_size=n, max_size=n)),
        ),
        target=ScalableTarget.of(min_capacity=low, max_capacity=high),
        initial=np.array(
            [draw(st.integers(int(a), int(b))) for a, b in zip(low, high, strict=True)]
        ),
        provisioning_seconds=draw(st.sampled_from([0.0, 45.0, 60.0, 240.0])),
        requests_per_minute=[rate for rate, minutes in stretches for _ in range(minutes)],
    )


def play(scenario: Scenario, *, time_factor: float = 1.0) -> list[Step]:
    """Run the scenario with all times multiplied."""
    policy = TargetTrackingPolicy(
        target_value=scenario.policy.target_value,
        scale_in_cooldown_seconds=scenario.policy.scale_in_cooldown_seconds * time_factor,
        scale_out_cooldown_seconds=scenario.policy.scale_out_cooldown_seconds * time_factor,
        disable_scale_in=scenario.policy.disable_scale_in,
    )
    state = ScalingState.initial(len(scenario.initial))
    desired = in_service = scenario.initial
    ready_at = np.full(len(desired), np.inf)
    steps = []
    for minute, rate in enumerate(scenario.requests_per_minute, start=1):
        now = 60.0 * minute * time_factor
        settled = ready_at <= now * (1 + 1e-12)
        state = scaling_succeeded(state, np.where(settled, ready_at, now), which=settled)
        in_service = np.where(settled, desired, in_service)
        ready_at = np.where(settled, np.inf, ready_at)
        observation = Observation(
            metric_value=rate / in_service,
            desired_instance_count=desired,
            in_service_instance_count=in_service,
            is_updating=np.isfinite(ready_at),
        )
        state, decision = evaluate(policy, scenario.target, state, observation, now)
        desired = decision.desired_instance_count
        delay = scenario.provisioning_seconds * time_factor
        ready_at = np.where(decision.acts, now + delay, ready_at)
        steps.append(
            Step(
                now_seconds=now,
                state=state,
                observation=observation,
                reason=decision.reason,
                desired=desired,
                settled=settled,
            )
        )
    return steps


@untimed
@given(scenarios())
def test_capacity_stays_within_bounds(scenario: Scenario):
    for step in play(scenario):
        assert (step.desired >= scenario.target.min_capacity).all()
        assert (step.desired <= scenario.target.max_capacity).all()


@untimed
@given(scenarios())
def test_capacity_changes_only_for_a_reason_that_acts(scenario: Scenario):
    for step in play(scenario):
        before = step.observation.desired_instance_count
        assert np.array_equal(step.reason == Reason.SCALED_OUT, step.desired > before)
        assert np.array_equal(step.reason == Reason.SCALED_IN, step.desired < before)


@untimed
@given(scenarios(count=1))
def test_no_scale_in_starts_inside_its_cooldown(scenario: Scenario):
    cooldown = scenario.policy.scale_in_cooldown_seconds[0]
    blocked_until, scaling_in = -np.inf, False
    for step in play(scenario):
        if step.settled[0]:
            if scaling_in:
                settled_at = step.state.scale_in_succeeded_at_seconds[0]
                # A scale-out in this very step has already wiped the moment out.
                blocked_until = max(blocked_until, settled_at + cooldown)
            scaling_in = False
        if step.reason[0] == Reason.SCALED_OUT:
            blocked_until = -np.inf
        if step.reason[0] == Reason.SCALED_IN:
            assert step.now_seconds >= blocked_until
            scaling_in = True


@untimed
@given(scenarios(count=1))
def test_a_scale_in_cooldown_never_holds_back_a_scale_out(scenario: Scenario):
    """With the scale-in cooldown forgotten, every scale-out is the same."""
    forgotten = np.array([-np.inf])
    for step in play(scenario):
        remembered = {f.name: getattr(step.state, f.name) for f in fields(step.state)}
        state = ScalingState(**remembered | {"scale_in_succeeded_at_seconds": forgotten})
        given_state = (scenario.policy, scenario.target)
        with_it = decide(*given_state, step.state, step.observation, step.now_seconds)[1]
        without = decide(*given_state, state, step.observation, step.now_seconds)[1]
        if Reason.SCALED_OUT in (with_it.reason[0], without.reason[0]):
            assert with_it.reason[0] == without.reason[0]
            assert with_it.desired_instance_count[0] == without.desired_instance_count[0]


@untimed
@given(scenarios(count=1), st.floats(0, 20_000), st.floats(0, 20_000))
def test_a_higher_metric_never_yields_fewer_instances(scenario: Scenario, one: float, two: float):
    for step in play(scenario):
        less, more = (
            evaluate(
                scenario.policy,
                scenario.target,
                step.state,
                Observation.of(
                    metric_value=metric,
                    desired_instance_count=step.desired,
                    is_updating=step.observation.is_updating,
                ),
                step.now_seconds + 60,
            )[1].desired_instance_count[0]
            for metric in sorted((one, two))
        )
        assert less <= more


@untimed
@given(scenarios(), st.floats(1e-3, 1e3))
def test_scaling_all_times_by_a_factor_changes_nothing(scenario: Scenario, factor: float):
    for ours, scaled in zip(play(scenario), play(scenario, time_factor=factor), strict=True):
        assert ours.reason.tolist() == scaled.reason.tolist()
        assert ours.desired.tolist() == scaled.desired.tolist()


@untimed
@given(scenarios(count=4))
def test_many_policies_together_are_each_alone(scenario: Scenario):
    together = play(scenario)
    for index in range(4):
        alone = play(_only(scenario, index))
        assert [step.desired[index] for step in together] == [step.desired[0] for step in alone]
        assert [step.reason[index] for step in together] == [step.reason[0] for step in alone]


def _only(scenario: Scenario, index: int) -> Scenario:
    chosen = slice(index, index + 1)
    parts = {
        name: type(whole)(**{f.name: getattr(whole, f.name)[chosen] for f in fields(whole)})
        for name, whole in (("policy", scenario.policy), ("target", scenario.target))
    }
    return Scenario(
        **parts,
        initial=scenario.initial[chosen],
        provisioning_seconds=scenario.provisioning_seconds,
        requests_per_minute=scenario.requests_per_minute,
    )
