"""
The synthetic targets of the line campaign, and the rate that is true for each.

The truth is the rate at which a full trial (the search's own window and warm-up, a fresh target,
the same arrivals) meets the objective with probability one half. It is found by trials alone, some
2,000 a target, with no part of the search's model but a straight line through the log-odds.
"""

from dataclasses import dataclass

import numpy as np

from tonnage.loadtest.line import (
    LinePlan,
    TargetShape,
    Trial,
    VirtualTarget,
    parse_terms,
    read_trial,
)

TERMS = parse_terms(["p99 < 250ms", "errors < 0.1%"])
BISECTIONS = 11
VOTES = 25
SPREAD_TRIALS = 1500


@dataclass(frozen=True, kw_only=True)
class Case:
    """A target, how requests arrive, and its family in the table."""

    name: str
    family: str
    arrivals: str
    shape: TargetShape

    def target(self, seed: int, patience_seconds: float) -> VirtualTarget:
        """Return a fresh target."""
        return VirtualTarget(
            shape=self.shape, arrivals=self.arrivals, seed=seed, patience_seconds=patience_seconds
        )


def _case(name: str, family: str, arrivals: str, rate: float, **shape: object) -> Case:
    return Case(
        name=name,
        family=family,
        arrivals=arrivals,
        shape=TargetShape(rate_per_second=rate, **shape),
    )


CASES = (
    _case("1 server, 70 ms queue", "constant service", "constant", 600, queue_seconds=0.07),
    _case("1 server, 70 ms queue", "constant service", "poisson", 600, queue_seconds=0.07),
    _case("1 server, any queue", "constant service", "constant", 400),
    _case("2 servers, any queue", "constant service", "poisson", 500, servers=2),
    _case(
        "4 servers, 70 ms queue", "constant service", "poisson", 800, servers=4, queue_seconds=0.07
    ),
    _case("8 servers, any queue", "constant service", "constant", 1200, servers=8),
    _case(
        "1 server, 70 ms queue",
        "random service",
        "constant",
        600,
        service="exponential",
        queue_seconds=0.07,
    ),
    _case("1 server, any queue", "random service", "constant", 600, service="exponential"),
    _case("1 server, any queue", "random service", "poisson", 600, service="exponential"),
    _case(
        "2 servers, 100 ms queue",
        "random service",
        "constant",
        800,
        service="exponential",
        servers=2,
        queue_seconds=0.1,
    ),
    _case(
        "4 servers, any queue", "random service", "poisson", 1000, service="exponential", servers=4
    ),
    _case(
        "8 servers, 50 ms queue",
        "random service",
        "constant",
        1500,
        service="exponential",
        servers=8,
        queue_seconds=0.05,
    ),
    _case(
        "8 servers, any queue", "random service", "poisson", 400, service="exponential", servers=8
    ),
    _case(
        "4 servers, heavy tail", "random service", "constant", 800, service="lognormal", servers=4
    ),
    _case(
        "8 servers, heavy tail",
        "random service",
        "constant",
        1000,
        service="lognormal",
        servers=8,
        queue_seconds=0.1,
    ),
    _case(
        "100 ms of each second",
        "stalls",
        "constant",
        600,
        stall_every_seconds=1.0,
        stall_seconds=0.1,
    ),
    _case(
        "50 ms of each 0.7 s",
        "stalls",
        "poisson",
        900,
        service="exponential",
        servers=4,
        stall_every_seconds=0.7,
        stall_seconds=0.05,
    ),
    _case(
        "150 ms of each 2 s",
        "stalls",
        "constant",
        600,
        service="exponential",
        servers=2,
        stall_every_seconds=2.0,
        stall_seconds=0.15,
    ),
    _case(
        "twice as slow from 60 ms",
        "a cliff",
        "constant",
        600,
        service="exponential",
        cliff_seconds=0.06,
        cliff_factor=2.0,
    ),
    _case(
        "half as slow from 40 ms",
        "a cliff",
        "poisson",
        800,
        service="exponential",
        servers=4,
        cliff_seconds=0.04,
        cliff_factor=1.5,
    ),
    _case(
        "3 % of trials spoilt",
        "a noisy neighbour",
        "constant",
        600,
        queue_seconds=0.07,
        noisy_share=0.03,
    ),
    _case(
        "3 % of trials spoilt",
        "a noisy neighbour",
        "poisson",
        700,
        servers=4,
        service="exponential",
        noisy_share=0.03,
    ),
)


def full_trial(plan: LinePlan, rate: float) -> Trial:
    """Return the trial that the search calls *refine*."""
    window = plan.window_at(rate)
    return Trial(
        purpose="refine",
        rate_per_second=rate,
        settle_seconds=0.0,
        warm_up_seconds=max(0.05 * window, 0.2),
        window_seconds=window,
    )


def is_met(case: Case, plan: LinePlan, rate: float, seed: int) -> bool:
    """Run one full trial against a fresh target."""
    trial = full_trial(plan, rate)
    run = case.target(seed, plan.patience_seconds).run(trial, seed=seed)
    return read_trial(trial, run, TERMS).met


def true_line(case: Case, plan: LinePlan, seed: int = 1_000_003) -> tuple[float, float]:
    """Return the rate that is met half of the time, and the standard error of its logarithm."""
    low, high = np.log(case.shape.rate_per_second / 4), np.log(case.shape.rate_per_second * 1.3)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        votes = sum(is_met(case, plan, float(np.exp(middle)), seed + n) for n in range(VOTES))
        seed += VOTES
        low, high = (middle, high) if votes > VOTES / 2 else (low, middle)
    return _fitted(case, plan, (low + high) / 2, seed)


def _fitted(case: Case, plan: LinePlan, guess: float, seed: int) -> tuple[float, float]:
    width = 0.002
    while width < 0.2:
        share = [
            np.mean(
                [
                    is_met(case, plan, float(np.exp(guess + side * width)), seed + n)
                    for n in range(60)
                ]
            )
            for side in (-1, 1)
        ]
        seed += 60
        if share[0] > 0.8 and share[1] < 0.2:
            break
        width *= 1.5
    x = np.random.default_rng(seed).uniform(-width, width, SPREAD_TRIALS)
    y = np.array(
        [is_met(case, plan, float(np.exp(guess + d)), seed + n) for n, d in enumerate(x)],
        dtype=float,
    )
    intercept, slope, covariance = _logistic(x / width, y)
    root = -intercept / slope
    gradient = np.array([-1 / slope, intercept / slope**2])
    error = float(np.sqrt(gradient @ covariance @ gradient)) * width
    return float(np.exp(guess + root * width)), error


def _logistic(x: np.ndarray, y: np.ndarray) -> tuple[float, float, np.ndarray]:
    """Fit log-odds = a + b x by Newton's method, with a light ridge for perfect separation."""
    design = np.column_stack([np.ones_like(x), x])
    beta = np.zeros(2)
    ridge = np.diag([0.0, 1e-3])
    hessian = np.eye(2)
    for _ in range(60):
        p = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        hessian = design.T @ (design * (p * (1 - p))[:, None]) + ridge
        step = np.linalg.solve(hessian, design.T @ (y - p) - ridge @ beta)
        beta = beta + np.clip(step, -2, 2)
    return float(beta[0]), float(beta[1]), np.linalg.inv(hessian)
