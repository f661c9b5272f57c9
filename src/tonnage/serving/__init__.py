"""
One instance: workers, ``/ping``, ``/invocations``, and what it does under load.

``serve`` runs it in the foreground, as the container does; ``python -m tonnage.serving.zygote``
forks instances for the emulator. Both fork the same worker from a parent that has loaded the model
once.
"""

from ._batching import BatchLimits
from ._capacity import InstanceCapacity, VirtualServer
from ._instance import Instance
from ._serving import DEFAULT_PORT, serve
from ._worker import WorkerOptions

__all__ = [
    "DEFAULT_PORT",
    "BatchLimits",
    "Instance",
    "InstanceCapacity",
    "VirtualServer",
    "WorkerOptions",
    "serve",
]
