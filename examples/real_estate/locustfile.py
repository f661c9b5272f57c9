"""
The load of the story: visitors who each ask for the price at one distance a second.

    locust -f locustfile.py --host http://127.0.0.1:8000

``tonnage load`` and ``tonnage rehearse`` run the same file.
"""

import random

from locust import task

from tonnage.loadtest.in_locust.users import PacedUser


class Visitor(PacedUser):
    """Somebody who looks for a house between 1 m and 6.5 km from a station."""

    @task
    def evaluate(self) -> None:
        """Ask for one price."""
        self.client.post("/evaluate", json={"distance": random.uniform(1, 6500)})
