"""
One way of running the service: what it is, what came of it, what it costs.
"""

from dataclasses import dataclass
from typing import Any

from .costs import Front, MonthlyCost
from .lines import LoadLine
from .policies import PolicySettings
from .serverless import ServerlessSettings

__all__ = ["Option"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """
    One candidate.

    Attributes:
        what: What sets it apart, in a few words.
        line: The instance type and what one carries; for serverless, the type whose line its
            processing time comes from.
        policy: How instances scale; None for serverless.
        serverless: The serverless endpoint; None for instances.
        front: What stands before it.
        offered: Requests of the trace.
        failed: Those that were not served.
        failed_fraction_with_margin: Of the same traffic raised by the margin; None if not tried.
        slow_fraction: Those that waited for a cold start.
        instance_seconds: Billed, on the trace.
        serverless_seconds: Billed, of processing, on the trace; 0 for instances.
        cost: A month of it.
        meets: Whether it meets the objective on the trace.
        keeps_margin: Whether it meets it on the raised traffic, too.
        assumed: What it takes for granted that nobody has confirmed, beside its line.
        is_vouched: Whether the user vouches for a serverless endpoint's times, which follow from
            an instance's line.
        held_out_failed_fraction: What its schedule fails where it was not made; None without one.
    """

    what: str
    line: LoadLine
    policy: PolicySettings | None
    serverless: ServerlessSettings | None
    front: Front
    offered: float
    failed: float
    failed_fraction_with_margin: float | None
    slow_fraction: float
    instance_seconds: float
    serverless_seconds: float = 0.0
    cost: MonthlyCost
    meets: bool
    keeps_margin: bool
    assumed: str = ""
    is_vouched: bool = False
    held_out_failed_fraction: float | None = None

    @property
    def failed_fraction(self) -> float:
        """Failed ÷ offered, 0 without requests."""
        return self.failed / self.offered if self.offered else 0.0

    @property
    def instance_hours(self) -> float:
        """Hours of instances on the trace."""
        return self.instance_seconds / 3600

    @property
    def is_assumed(self) -> bool:
        """Whether it rests on what nobody has measured or confirmed: it is not chosen."""
        takes_times = self.serverless is not None and not self.is_vouched
        return self.line.is_assumed or takes_times or bool(self.assumed)

    @property
    def name(self) -> str:
        """What runs: the type and how many, or the serverless size."""
        if self.serverless is not None:
            return f"serverless {self.serverless.memory_mb} MB"
        assert self.policy is not None
        low, high = self.policy.min_capacity, self.policy.max_capacity
        count = f"{low}" if low == high else f"{low} to {high}"
        return f"{count} x {self.line.kind.name}"

    def settings(self) -> dict[str, dict[str, Any]]:
        """Return its sections of ``tonnage.toml``, what kind of endpoint it is among them."""
        front = {"api": {"front": str(self.front)}}
        if self.serverless is not None:
            return {
                "deployment": {
                    "kind": "serverless",
                    "memory_size_mb": self.serverless.memory_mb,
                    "max_concurrency": self.serverless.max_concurrency,
                },
                **front,
            }
        assert self.policy is not None
        return {
            "deployment": {"kind": "instances"},
            "endpoint": {
                "instance_type": self.line.kind.name,
                "initial_instance_count": self.policy.min_capacity,
            },
            "scaling": {
                "enabled": self.policy.scales,
                "min_capacity": self.policy.min_capacity,
                "max_capacity": self.policy.max_capacity,
                **self.policy.kind.settings(),
                "target_value": _plain(self.policy.target_value),
                "scale_in_cooldown": f"{self.policy.scale_in_cooldown_seconds:g}s",
                "scale_out_cooldown": f"{self.policy.scale_out_cooldown_seconds:g}s",
            },
            **front,
        }

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values; costs are numbers with two decimals."""
        serverless = self.serverless
        return {
            "what": self.what,
            "name": self.name,
            "settings": self.settings(),
            "serverless": {
                "memory_mb": serverless.memory_mb,
                "max_concurrency": serverless.max_concurrency,
            }
            if serverless
            else None,
            "line_per_second": self.line.rate_per_second,
            "line": "assumed" if self.line.is_assumed or serverless else "measured",
            "assumed": self.assumed or None,
            "line_scaled_from": self.line.scaled_from,
            "cost_usd_month": float(self.cost.cents),
            "cost_usd_month_split": {
                part: float(dollars) for part, dollars in self.cost.split().items()
            },
            "prices_not_confirmed": [
                price.name for price in self.cost.prices if price.confidence != "confirmed"
            ],
            "offered": self.offered,
            "failed": self.failed,
            "failed_fraction": self.failed_fraction,
            "attainment": 1 - self.failed_fraction,
            "failed_fraction_with_margin": self.failed_fraction_with_margin,
            "held_out_failed_fraction": self.held_out_failed_fraction,
            "slow_fraction": self.slow_fraction,
            "instance_hours": self.instance_hours,
            "meets_objective": self.meets,
            "keeps_margin": self.keeps_margin,
        }


def _plain(value: float) -> float | int:
    """Return a whole number as one: 3000, not 3000.0."""
    return int(value) if value == int(value) else value
