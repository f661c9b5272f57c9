"""
The built-in user: it POSTs what the orders say to the path they name.
"""

import json
import random
from typing import Any, Final

from locust import task
from locust.env import Environment

from tonnage.loadtest._orders import Orders
from tonnage.loadtest.in_locust.users import PacedUser

ORDERS: Final = Orders.of_this_process()
HEADERS: Final = {"Content-Type": "application/json", "Accept": "application/json"}
DRAWS: Final = random.Random(ORDERS.seed)  # noqa: S311 (repeatable, not secret)


class ServiceUser(PacedUser):
    """One caller of the service; an answer that is not 2xx, a redirect too, is a failure."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        agent: Any = self.client.client
        agent.redirect_response_codes = frozenset()
        agent.valid_response_codes = frozenset(range(200, 300))

    @task
    def call(self) -> None:
        """Send one request."""
        self.client.post(ORDERS.path, data=_payload(), headers=HEADERS)


def _payload() -> str:
    if ORDERS.body is not None:
        return ORDERS.body
    if ORDERS.bodies:
        return DRAWS.choice(ORDERS.bodies)
    return json.dumps(
        {name: DRAWS.uniform(low, high) for name, (low, high) in ORDERS.ranges.items()}
    )
