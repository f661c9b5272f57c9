"""
An update: how the instances of one endpoint config replace those of another, losing nothing.

Blue/green brings up all new instances beside the old, moves the traffic in one step, in two
(canary) or in several (linear), and lets the old ones drain at the end. Rolling brings up a batch
at a time and retires as many. If an instance of the new config does not come up, or ends by itself
before the update is over, the old config takes everything again.
"""

import asyncio
import math
from collections.abc import Iterator, Mapping
from itertools import pairwise

from tonnage.domain import CapacityError

from ._hosting import Hosted, Hosting, Surroundings
from .specs import DeploymentPlan, Traffic

__all__ = ["Replacement"]


class Replacement:
    """
    One update under way.

    Args:
        outgoing: The hosting in force.
        incoming: What is to replace it.
        plan: How.
        counts: Instances that variants of the new one have, where they are not the config's own.
        surroundings: What all endpoints share.
        started_epoch_seconds: When it began.

    Attributes:
        share: Of the traffic, what goes to the new instances.
        stage: How far it is, as ``PendingDeploymentSummary`` tells it.
    """

    def __init__(
        self,
        outgoing: Hosting,
        incoming: Hosting,
        plan: DeploymentPlan,
        counts: Mapping[str, int],
        surroundings: Surroundings,
        started_epoch_seconds: float,
    ) -> None:
        self.outgoing = outgoing
        self.incoming = incoming
        self.plan = plan
        self.share = 0.0
        self.stage = "Creating"
        self.started_epoch_seconds = started_epoch_seconds
        self._counts = {
            name: counts.get(name, hosted.initial_count) for name, hosted in incoming.hosted.items()
        }
        self._old_counts = {
            name: hosted.fleet.desired_count for name, hosted in outgoing.hosted.items()
        }
        self._surroundings = surroundings

    @property
    def target_counts(self) -> Mapping[str, int]:
        """How many instances each variant is to have in the end."""
        return self._counts

    def side(self) -> Hosting:
        """Return the hosting that the next invocation goes to."""
        if self.share >= 1.0 or (
            self.share > 0.0 and self._surroundings.chance.random() < self.share
        ):
            return self.incoming
        return self.outgoing

    def opposite(self, hosted: Hosted) -> Hosted | None:
        """Return the variant of the same name on the other side."""
        name = hosted.spec.variant_name
        is_new = self.incoming.hosted.get(name) is hosted
        return (self.outgoing if is_new else self.incoming).hosted.get(name)

    async def run(self) -> None:
        """
        Do it.

        Raises:
            ArtefactError: If a new model cannot be served.
            CapacityError: If a new instance does not come up, or does not stay, or it takes longer
                than it may.
        """
        limit = self.plan.execution_timeout_seconds
        real_seconds = limit and limit / self._surroundings.clock.time_scale
        try:
            async with asyncio.timeout(real_seconds):
                await (self._roll() if self.plan.traffic is Traffic.ROLLING else self._shift())
        except TimeoutError as error:
            raise CapacityError(f"the deployment took longer than {limit:g} s") from error

    async def roll_back(self) -> None:
        """Give everything back to the old instances; those that were retired come again."""
        await asyncio.gather(
            *(
                hosted.fleet.grow(self._old_counts[name])
                for name, hosted in self.outgoing.hosted.items()
                if hosted.fleet.desired_count < self._old_counts[name]
            )
        )
        self.share = 0.0

    async def _shift(self) -> None:
        await self.incoming.start(self._counts)
        shares = list(self._shares())
        for share, following in pairwise([*shares, None]):
            assert share is not None
            self.share = share
            if following is not None:
                await self._bake(self.plan.wait_seconds)
        await self._bake(self.plan.termination_wait_seconds)

    async def _roll(self) -> None:
        is_started = False
        for share in self._shares():
            counts = {name: math.ceil(n * share) for name, n in self._counts.items()}
            if is_started:
                await asyncio.gather(
                    *(hosted.fleet.grow(counts[n]) for n, hosted in self.incoming.hosted.items())
                )
            else:
                await self.incoming.start(counts)
                is_started = True
            self.share = share
            await self._bake(self.plan.wait_seconds)
            for name, hosted in self.outgoing.hosted.items():
                hosted.fleet.set_desired(math.floor(self._old_counts[name] * (1.0 - share)))

    def _shares(self) -> Iterator[float]:
        """Yield the new instances' share of the traffic after each step."""
        step = self.plan.step.fraction_of(max(self._counts.values(), default=1))
        if self.plan.traffic is Traffic.ALL_AT_ONCE:
            yield 1.0
        elif self.plan.traffic is Traffic.CANARY:
            yield from (step, 1.0)
        else:
            steps = math.ceil(1.0 / step - 1e-9)
            yield from (min(1.0, step * number) for number in range(1, steps + 1))

    async def _bake(self, seconds: float) -> None:
        """Wait, and see whether the new instances stay."""
        clock = self._surroundings.clock
        self.stage = "Baking"
        until = clock.now_seconds() + seconds
        await asyncio.sleep(0)
        while True:
            lost = sum(hosted.fleet.lost_count for hosted in self.incoming.hosted.values())
            if lost:
                raise CapacityError(f"{lost} of the new instances ended by themselves")
            self._check_alarms()
            left = clock.real_seconds_until(until)
            if not left:
                return
            await asyncio.sleep(min(left, 0.05))

    def _check_alarms(self) -> None:
        for name in self.plan.rollback_alarms:
            if self._surroundings.alarm_state(name) == "ALARM":
                raise CapacityError(f"the alarm {name} went off during the deployment")
