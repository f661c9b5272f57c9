"""
The command line of the child that runs Locust.
"""

import sys
from pathlib import Path
from typing import Final

from ._orders import STOP_TIMEOUT_SECONDS
from .plan import LoadPlan

__all__ = ["locust_command"]

_IN_LOCUST: Final = Path(__file__).parent / "in_locust"


def locust_command(plan: LoadPlan) -> list[str]:
    """
    Return the command that runs a plan in Locust with Tonnage's recorder beside it.

    The duration is not on it: the recorder keeps it, to the fraction of a second and from the
    moment the first user starts.
    """
    locustfile = plan.locustfile or _IN_LOCUST / "service_locustfile.py"
    return [
        sys.executable,
        "-P",  # a file called locust.py in the working directory is not Locust
        *("-m", "locust"),
        *("-f", f"{_IN_LOCUST / 'tonnage_recorder.py'},{locustfile.absolute()}"),
        *("--host", plan.locust_host),
        *("--users", str(plan.users)),
        *("--spawn-rate", repr(float(plan.spawn_rate_per_second))),
        *("--stop-timeout", str(STOP_TIMEOUT_SECONDS)),
        *("--exit-code-on-error", "0"),
        "--only-summary",
        "--skip-log-setup",  # warnings and errors then go to stderr as they are, the rest nowhere
        *_mode(plan),
    ]


def _mode(plan: LoadPlan) -> list[str]:
    if plan.web_port is None:
        return ["--headless"]
    return ["--autostart", "--web-host", "127.0.0.1", "--web-port", str(plan.web_port)]
