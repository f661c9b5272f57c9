"""
The command lines of the children that run Locust.
"""

import sys
from pathlib import Path
from typing import Final

from ._orders import STOP_TIMEOUT_SECONDS
from .plan import LoadPlan

__all__ = ["locust_command", "master_command", "worker_command"]

WORKERS_JOIN_SECONDS: Final = 60
"""How long a master waits for its workers."""

_IN_LOCUST: Final = Path(__file__).parent / "in_locust"


def locust_command(plan: LoadPlan) -> list[str]:
    """
    Return the command that runs a plan in Locust with Tonnage's recorder beside it.

    The duration is not on it: the recorder keeps it, to the fraction of a second and from the
    moment the first user starts.
    """
    return [*_common(plan, "tonnage_recorder.py"), *_users(plan), *_mode(plan)]


def master_command(plan: LoadPlan, *, bind: str, port: int) -> list[str]:
    """Return the command of the master that workers join; it makes no request of its own."""
    return [
        *_common(plan, "master_recorder.py"),
        *_users(plan),
        *_mode(plan),
        "--master",
        *("--master-bind-host", bind, "--master-bind-port", str(port)),
        *("--expect-workers", str(plan.workers + plan.hosts)),
        *("--expect-workers-max-wait", str(WORKERS_JOIN_SECONDS)),
    ]


def worker_command(plan: LoadPlan, *, host: str, port: int) -> list[str]:
    """Return the command of a worker; how many users, and when, its master says."""
    joins = ["--worker", "--master-host", host, "--master-port", str(port)]
    return [*_common(plan, "worker_recorder.py"), *joins]


def _common(plan: LoadPlan, recorder: str) -> list[str]:
    locustfile = plan.locustfile or _IN_LOCUST / "service_locustfile.py"
    return [
        sys.executable,
        "-P",  # a file called locust.py in the working directory is not Locust
        *("-m", "locust"),
        *("-f", f"{_IN_LOCUST / recorder},{locustfile.absolute()}"),
        *("--host", plan.locust_host),
        *("--stop-timeout", str(STOP_TIMEOUT_SECONDS)),
        *("--exit-code-on-error", "0"),
        "--only-summary",
        "--skip-log-setup",  # warnings and errors then go to stderr as they are, the rest nowhere
    ]


def _users(plan: LoadPlan) -> list[str]:
    rate = repr(float(plan.spawn_rate_per_second))
    return ["--users", str(plan.users), "--spawn-rate", rate]


def _mode(plan: LoadPlan) -> list[str]:
    if plan.web_port is None:
        return ["--headless"]
    return ["--autostart", "--web-host", "127.0.0.1", "--web-port", str(plan.web_port)]
