"""
What must hold for every set of policies on every target, load and fleet.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scaling_targets import stepping, tracking
from tonnage.scaling import (
    CONCURRENT_REQUESTS_PER_MODEL,
    AttachedPolicy,
    ComparisonOperator,
    Observation,
    Reason,
    ScalableTarget,
    ScalingState,
    StepScaling,
    SuspendedState,
    TargetObservation,
    TargetState,
    TargetTracking,
    apply_scheduled_action,
    evaluate,
    evaluate_target,
    scaling_succeeded,
    scheduled_runs,
    take,
    target_scaling_succeeded,
)
from tonnage.scaling import ScheduledAction as Action

untimed = settings(deadline=None, max_examples=30)
"""How long an example takes is the machine's affair; each is some hundred evaluations."""

SECONDS = st.sampled_from([0.0, 30.0, 60.0, 150.0, 300.0, 1800.0])
STEP_KINDS = st.sampled_from(["ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"])


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Targets with the same policies over one load: what each policy's metric makes of it."""

    policies: tuple[AttachedPolicy, ...]
    actions: tuple[Action, ...]
    bounds: ScalableTarget
    suspended: SuspendedState
    initial: NDArray[np.int64]
    provisioning_seconds: float
    loads: list[float]


@dataclass(frozen=True, kw_only=True)
class Step:
    now_seconds: float
    before: NDArray[np.int64]
    desired: NDArray[np.int64]
    reason: NDArray[np.int8]
    policy: NDArray[np.int64]
    settled: NDArray[np.bool_]
    state: TargetState


@st.composite
def trackers(draw: st.DrawFn, name: str) -> TargetTracking:
    more = {"metric": CONCURRENT_REQUESTS_PER_MODEL} if name == "fast" else {}
    return tracking(
        draw(st.sampled_from([60.0, 333.3, 3000.0])),
        name=name,
        scale_in_cooldown_seconds=draw(SECONDS),
        scale_out_cooldown_seconds=draw(SECONDS),
        disable_scale_in=draw(st.booleans()),
        **more,
    )


@st.composite
def step_policies(draw: st.DrawFn, *, upwards: bool, relative: bool = False) -> StepScaling:
    """Steps whose size grows with the breach, as anybody would set them."""
    kind = draw(STEP_KINDS) if upwards else "ChangeInCapacity"
    if relative and kind == "ExactCapacity":
        kind = "ChangeInCapacity"  # an exact count may be below what is there
    sizes = sorted(draw(st.lists(st.integers(0, 12), min_size=1, max_size=3)))
    edges = [*[0.0, 200.0, 900.0][: len(sizes)], None]
    steps: list[tuple[Any, Any, int]] = list(zip(edges, edges[1:], sizes, strict=False))
    if not upwards:
        steps = [(high and -high, -low, -size) for low, high, size in steps]
    less = ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD
    return stepping(
        *steps,
        threshold=draw(st.sampled_from([1000.0, 3000.0])) if upwards else 500.0,
        kind=kind,
        name="up" if upwards else "down",
        cooldown_seconds=draw(SECONDS),
        alarm={"evaluation_periods": draw(st.integers(1, 3))},
        **({} if upwards else {"comparison": less}),
    )


@st.composite
def loads(draw: st.DrawFn) -> list[float]:
    levels = st.one_of(st.floats(0, 20_000), st.integers(0, 30).map(lambda k: 60.0 * k))
    stretches = draw(
        st.lists(st.tuples(levels | st.just(np.nan), st.integers(1, 18)), min_size=1, max_size=4)
    )
    return [rate for rate, minutes in stretches for _ in range(minutes)]


@st.composite
def scenarios(draw: st.DrawFn, *, count: int = 1, plain: bool = False) -> Scenario:
    kinds = {
        "tracking": trackers("tracking"),
        "other": trackers("other"),
        "fast": trackers("fast"),
        "up": step_policies(upwards=True, relative=plain),
        "down": step_policies(upwards=False),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(kinds)), min_size=1, max_size=4, unique=True))
    low = draw(st.lists(st.integers(1, 4), min_size=count, max_size=count))
    high = np.add(low, draw(st.lists(st.integers(0, 16), min_size=count, max_size=count)))
    actions = () if plain else draw(st.sampled_from([(), ACTIONS]))
    switches = () if plain else draw(st.sampled_from([(), ("in",), ("out",), ("in", "out")]))
    return Scenario(
        policies=tuple(draw(kinds[kind]) for kind in chosen),
        actions=actions,
        bounds=ScalableTarget.of(min_capacity=low, max_capacity=high),
        suspended=SuspendedState.of(
            dynamic_scaling_in_suspended="in" in switches,
            dynamic_scaling_out_suspended="out" in switches,
        ),
        initial=np.array(
            [draw(st.integers(int(a), int(b))) for a, b in zip(low, high, strict=True)]
        ),
        provisioning_seconds=draw(st.sampled_from([0.0, 45.0, 60.0, 240.0])),
        loads=draw(loads()),
    )


ACTIONS = (
    Action.of("up", "rate(25 minutes)", min_capacity=3, max_capacity=30),
    Action.of("down", "rate(40 minutes)", min_capacity=1, max_capacity=2),
)


def scaled(policy: AttachedPolicy, factor: float) -> AttachedPolicy:
    """Return a policy with its cooldowns multiplied; periods are the caller's, who counts them."""
    own = policy.policy
    if isinstance(policy, StepScaling):
        return replace(policy, policy=replace(own, cooldown_seconds=own.cooldown_seconds * factor))
    return replace(
        policy,
        policy=replace(
            own,
            scale_in_cooldown_seconds=own.scale_in_cooldown_seconds * factor,
            scale_out_cooldown_seconds=own.scale_out_cooldown_seconds * factor,
        ),
    )


def play(scenario: Scenario, *, time_factor: float = 1.0) -> list[Step]:
    """Run the scenario in steps of the shortest period, all times multiplied."""
    policies = tuple(scaled(policy, time_factor) for policy in scenario.policies)
    count = len(scenario.initial)
    state = TargetState.initial(scenario.bounds, policies, suspended=scenario.suspended)
    desired = in_service = scenario.initial
    ready_at = np.full(count, np.inf)
    steps: list[Step] = []
    shortest = min(policy.period_seconds for policy in policies)
    for tick in range(1, int(60 / shortest) * len(scenario.loads) + 1):
        seconds = shortest * tick
        now = seconds * time_factor
        settled = ready_at <= now * (1 + 1e-12)
        state = target_scaling_succeeded(state, np.where(settled, ready_at, now), which=settled)
        in_service = np.where(settled, desired, in_service)
        ready_at = np.where(settled, np.inf, ready_at)
        load = scenario.loads[int((seconds - shortest) // 60)]
        values = [
            None if seconds % policy.period_seconds else load / in_service for policy in policies
        ]
        for _, action in scheduled_runs(scenario.actions, seconds - shortest, seconds):
            state, _ = apply_scheduled_action(state, action)
        seen = TargetObservation(
            metric_values=tuple(values),
            desired_instance_count=desired,
            in_service_instance_count=in_service,
            is_updating=np.isfinite(ready_at),
        )
        state, decision = evaluate_target(policies, state, seen, now)
        before, desired = desired, decision.desired_instance_count
        delay = scenario.provisioning_seconds * time_factor
        ready_at = np.where(decision.acts, now + delay, ready_at)
        steps.append(
            Step(
                now_seconds=now,
                before=before,
                desired=desired,
                reason=decision.reason,
                policy=decision.policy,
                settled=settled,
                state=state,
            )
        )
    return steps


@untimed
@given(scenarios(count=3))
def test_capacity_is_within_bounds_whenever_the_endpoint_is_free(scenario: Scenario):
    for step in play(scenario):
        target = step.state.target
        held = step.reason == Reason.TARGET_SERVICE_PUT_RESOURCE_AS_UNSCALABLE
        within = (target.min_capacity <= step.desired) & (step.desired <= target.max_capacity)
        assert (within | held).all()


@untimed
@given(scenarios(count=3))
def test_capacity_changes_only_for_a_reason_that_acts(scenario: Scenario):
    for step in play(scenario):
        out, into = step.reason == Reason.SCALED_OUT, step.reason == Reason.SCALED_IN
        assert (step.desired > step.before)[out].all()
        assert (step.desired < step.before)[into].all()
        acts = out | into | (step.reason == Reason.BROUGHT_WITHIN_BOUNDS)
        assert np.array_equal(step.desired != step.before, acts)
        assert np.array_equal(step.policy[acts] >= 0, (out | into)[acts])


@untimed
@given(scenarios())
def test_what_is_suspended_does_not_happen(scenario: Scenario):
    suspended = scenario.suspended
    for step in play(scenario):
        if suspended.dynamic_scaling_out_suspended[0]:
            assert step.reason[0] != Reason.SCALED_OUT
        if suspended.dynamic_scaling_in_suspended[0]:
            assert step.reason[0] != Reason.SCALED_IN


@untimed
@given(scenarios())
def test_no_policy_scales_in_inside_its_cooldown(scenario: Scenario):
    done_at, is_scaling_in = -np.inf, False
    for step in play(scenario):
        if step.settled[0]:
            if is_scaling_in:
                done_at = step.state.cooldowns.scale_in_succeeded_at_seconds[0]
            is_scaling_in = False
        if step.reason[0] == Reason.SCALED_OUT:
            done_at = -np.inf
        if step.reason[0] == Reason.SCALED_IN:
            own = scenario.policies[int(step.policy[0])].policy
            cooldown = getattr(own, "scale_in_cooldown_seconds", None)
            seconds = own.cooldown_seconds if cooldown is None else cooldown  # type: ignore[union-attr]
            assert step.now_seconds >= done_at + seconds[0] * (1 - 1e-9)
        if step.reason[0] in (Reason.SCALED_IN, Reason.BROUGHT_WITHIN_BOUNDS):
            is_scaling_in = step.reason[0] == Reason.SCALED_IN


@untimed
@given(scenarios(), st.floats(1e-3, 1e3))
def test_scaling_all_times_by_a_factor_changes_nothing(scenario: Scenario, factor: float):
    for ours, theirs in zip(play(scenario), play(scenario, time_factor=factor), strict=True):
        assert ours.reason.tolist() == theirs.reason.tolist()
        assert ours.desired.tolist() == theirs.desired.tolist()


@untimed
@given(scenarios(plain=True), st.floats(0, 20_000), st.floats(0, 20_000))
def test_a_higher_metric_never_yields_fewer_instances(scenario: Scenario, one: float, two: float):
    """Of target tracking alone, of steps alone: a step's scale-in does not wait for tracking."""
    step = play(scenario)[-1]
    for kind in (TargetTracking, StepScaling):
        chosen = [i for i, policy in enumerate(scenario.policies) if isinstance(policy, kind)]
        policies = tuple(scenario.policies[i] for i in chosen)
        state = replace(step.state, memories=tuple(step.state.memories[i] for i in chosen))
        counts = [
            evaluate_target(
                policies,
                state,
                TargetObservation.of(
                    metric_values=[metric] * len(policies), desired_instance_count=step.desired
                ),
                step.now_seconds + 60,
            )[1].desired_instance_count[0]
            for metric in sorted((one, two))
        ]
        assert counts[0] <= counts[1]


@untimed
@given(scenarios(count=3))
def test_targets_together_are_each_alone(scenario: Scenario):
    together = play(scenario)
    for index in range(3):
        column = np.array([index])
        alone = play(
            replace(
                scenario,
                bounds=take(scenario.bounds, column),
                initial=scenario.initial[column],
            )
        )
        assert [step.desired[index] for step in together] == [step.desired[0] for step in alone]
        assert [step.reason[index] for step in together] == [step.reason[0] for step in alone]


@untimed
@given(trackers("tracking"), st.integers(1, 9), st.integers(0, 9), loads(), st.booleans())
def test_a_lone_policy_decides_the_same_by_either_way(
    attached: TargetTracking, low: int, spare: int, series: list[float], slow: bool
):
    """``evaluate`` is ``evaluate_target`` for one target tracking policy."""
    bounds = ScalableTarget.of(min_capacity=low, max_capacity=low + spare)
    lone, whole = ScalingState.initial(), TargetState.initial(bounds, (attached,))
    desired, ready_at = np.array([3]), np.inf
    for minute, load in enumerate(series, start=1):
        now = 60.0 * minute
        if ready_at <= now:
            lone = scaling_succeeded(lone, now)
            whole = target_scaling_succeeded(whole, now)
            ready_at = np.inf
        common = {"desired_instance_count": desired, "is_updating": np.isfinite(ready_at)}
        metric = load / int(desired[0])
        lone, one = evaluate(
            attached.policy, bounds, lone, Observation.of(metric_value=metric, **common), now
        )
        whole, other = evaluate_target(
            (attached,), whole, TargetObservation.of(metric_values=[metric], **common), now
        )
        assert one.reason.tolist() == other.reason.tolist()
        assert one.desired_instance_count.tolist() == other.desired_instance_count.tolist()
        assert one.acts.tolist() == other.acts.tolist()
        desired = one.desired_instance_count
        if one.acts[0]:
            ready_at = now + (150.0 if slow else 0.0)
