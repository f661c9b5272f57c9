"""
The queue's formulas against single requests, queueing theory and their own limits.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation_oracles import arrive, serve_requests
from tonnage.domain import parse_profile
from tonnage.scaling import ScalableTarget
from tonnage.simulation import FleetModel, InstanceQueue, simulate
from tonnage.simulation import _carried as carried
from tonnage.simulation import _tilted as tilted

LINE, QUEUE = 600.0, 0.07
REQUESTS = 150_000


def queue(instances: int = 1, arrivals: str = "constant", seconds: float = QUEUE) -> InstanceQueue:
    return InstanceQueue.of(
        line_per_second=LINE, queue_seconds=seconds, instance_count=instances, arrivals=arrivals
    )


@pytest.mark.parametrize("utilisation", [0.98, 1.0, 1.05, 1.5])
@pytest.mark.parametrize(
    ("instances", "arrivals"), [(1, "poisson"), (2, "constant"), (5, "constant"), (10, "constant")]
)
def test_what_is_refused_agrees_with_single_requests(
    instances: int, arrivals: str, utilisation: float
):
    rate = utilisation * instances * LINE
    seen = [
        serve_requests(
            arrive(rate, REQUESTS, poisson=arrivals == "poisson", seed=seed),
            instances=instances,
            service_seconds=1 / LINE,
            queue_seconds=QUEUE,
            seed=seed,
        )
        .refused[REQUESTS // 5 :]
        .mean()
        for seed in range(4)
    ]
    # Four repetitions: three standard errors of their mean, and a tenth for the formula itself.
    spread = 3 * np.std(seen, ddof=1) / 2
    expected = queue(instances, arrivals).loss_at(np.array([utilisation]))[0]
    assert np.mean(seen) == pytest.approx(expected, rel=0.1, abs=spread + 3e-4)


def test_one_instance_refuses_no_even_arrivals_up_to_its_line():
    rates = np.array([0.5, 1.0, 1.25, 4.0])
    assert queue().loss_at(rates) == pytest.approx([0, 0, 0.2, 0.75])
    seen = serve_requests(
        arrive(1.25 * LINE, REQUESTS), instances=1, service_seconds=1 / LINE, queue_seconds=QUEUE
    )
    assert seen.refused_fraction == pytest.approx(0.2, abs=2e-3)


def test_without_a_waiting_room_it_is_erlangs_loss_formula_at_full_load():
    """With one server and no queue Erlang B, insensitive to service times, is rho / (1 + rho)."""
    lost = queue(arrivals="poisson", seconds=0.0).loss_at(np.array([1.0, 2.0]))
    assert lost == pytest.approx([1 / 2, 2 / 3], rel=0.12)


@pytest.mark.parametrize("utilisation", [0.5, 0.8, 0.9, 0.95])
def test_a_wide_queue_waits_as_an_m_d_1(utilisation: float):
    """Pollaczek-Khinchine: an unbounded M/D/1's mean wait is rho / (2 (1 - rho)) services."""
    wide = queue(arrivals="poisson", seconds=60.0)
    backlog = wide.backlog(wide.tail_at(np.array([utilisation])))[0]
    assert backlog == pytest.approx(utilisation / (2 * (1 - utilisation)), rel=0.25)


def test_the_tail_of_waits_agrees_with_single_requests():
    wide = queue(arrivals="poisson", seconds=60.0)
    seen = serve_requests(
        arrive(0.9 * LINE, 200_000, poisson=True), instances=1, service_seconds=1 / LINE
    )
    expected = wide.wait_seconds(wide.tail_at(np.array([0.9])), 0.99)[0]
    assert np.quantile(seen.wait_seconds, 0.99) == pytest.approx(expected, rel=0.15)


@given(
    utilisation=st.lists(st.floats(0, 100), min_size=2, max_size=20),
    instances=st.integers(1, 100),
    arrivals=st.sampled_from(["constant", "poisson"]),
    seconds=st.floats(0, 10),
)
def test_more_load_never_means_fewer_refused(
    utilisation: list[float], instances: int, arrivals: str, seconds: float
):
    loads = np.sort(np.array(utilisation))
    lost = queue(instances, arrivals, seconds).loss_at(loads)
    assert (lost >= np.maximum(0, 1 - 1 / np.maximum(loads, 1)) - 1e-6).all()
    assert (lost <= 1).all()
    assert (np.diff(lost) >= -1e-6).all()


@given(instances=st.integers(1, 50), utilisation=st.floats(0.5, 2))
def test_independent_users_are_refused_more_than_even_arrivals(instances: int, utilisation: float):
    load = np.array([utilisation])
    even = queue(instances).loss_at(load)[0]
    assert queue(instances, "poisson").loss_at(load)[0] >= even - 1e-6


def test_littles_law_holds_for_what_is_queued():
    """Requests in the system = rate let in x time in it: both are the formulas', separately."""
    simulation = simulate(
        parse_profile("constant(570/s, 10m)"),
        None,
        ScalableTarget.of(min_capacity=1, max_capacity=1),
        FleetModel(line_per_second=LINE, queue_seconds=QUEUE, arrivals="poisson"),
    )
    assert simulation.timeline is not None
    seen = [
        serve_requests(
            arrive(570, REQUESTS, poisson=True, seed=seed),
            instances=1,
            service_seconds=1 / LINE,
            queue_seconds=QUEUE,
        )
        for seed in range(4)
    ]
    mean_wait = np.mean([answers.wait_seconds.mean() for answers in seen])
    let_in = simulation.timeline.served[0, 0]
    assert simulation.timeline.queued[0, 0] == pytest.approx(let_in * mean_wait, rel=0.15)


@given(tilt=st.floats(-1e4, 1e4))
def test_the_backlogs_density_has_its_mean_and_quantiles(tilt: float):
    points = (np.arange(200_000) + 0.5) / 200_000
    weights = np.exp(tilt * points - max(tilt, 0.0))
    weights /= weights.sum()
    t = np.array([tilt])
    assert tilted.mean(t)[0] == pytest.approx((weights * points).sum(), abs=1e-4)
    below = points[np.searchsorted(np.cumsum(weights), 0.9)]
    assert tilted.quantile(t, 0.9)[0] == pytest.approx(below, abs=1e-4)
    assert carried._mean(tilt) == pytest.approx(tilted.mean(t)[0], rel=1e-9)


@pytest.mark.parametrize("edge", [1e-3, -1e-3, 300.0, -300.0])
@pytest.mark.parametrize("name", ["_mean", "_slope_of_mean", "_upper_density"])
def test_the_densitys_formulas_meet_where_they_change(name: str, edge: float):
    function = getattr(carried, name)
    below, above = function(edge * (1 - 1e-9)), function(edge * (1 + 1e-9))
    assert below == pytest.approx(above, rel=1e-5)


@given(goal=st.floats(-50, 50), stiffness=st.floats(1e-8, 1e3))
def test_a_backlogs_step_is_solved(goal: float, stiffness: float):
    tilt = carried._solve(goal, stiffness)
    assert carried._mean(tilt) + stiffness * tilt == pytest.approx(goal, abs=1e-6)
