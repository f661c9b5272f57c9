"""
The load swarm: a master and its workers on ECS Fargate, for more than one machine sends.

``SwarmOptions`` takes a plan of ``tonnage.loadtest``, closed or open loop, and says how many share
it; ``swarm.stack.SwarmStack`` is where (it is not imported from here: importing the CDK starts
Node.js); ``swarm.task`` runs in each container.
Nothing runs, and nothing but stored results is billed, while no test does: an execution of the
stack's state machine starts the tasks, and they end with it, or at their time to live.

``run_swarm`` does all of it: it deploys the stack, runs the test, fetches the results as one run
record, and takes the stack down. ``swarm_cost`` says before what that costs.
"""

from .context import write_swarm_context
from .costs import SwarmCost, swarm_cost
from .options import SwarmOptions
from .place import SwarmPlace, synthesise_swarm
from .results import collect_swarm
from .running import SwarmRun, run_swarm

__all__ = [
    "SwarmCost",
    "SwarmOptions",
    "SwarmPlace",
    "SwarmRun",
    "collect_swarm",
    "run_swarm",
    "swarm_cost",
    "synthesise_swarm",
    "write_swarm_context",
]
