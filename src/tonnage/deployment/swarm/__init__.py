"""
The load swarm: a Locust master and its workers on ECS Fargate, for more than one machine sends.

``SwarmOptions`` says what is sent and by how many; ``swarm.stack.SwarmStack`` is where (it is not
imported from here: importing the CDK starts Node.js); ``swarm.task`` runs in each container.
Nothing runs, and nothing but stored results is billed, while no test does: an execution of the
stack's state machine starts the tasks, and they end with it, or at their time to live.
"""

from .context import write_swarm_context
from .options import SwarmOptions
from .results import collect_swarm

__all__ = ["SwarmOptions", "collect_swarm", "write_swarm_context"]
