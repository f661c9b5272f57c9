"""
Running a plan's Locust elsewhere: what ``load`` does for its own child, for those who start one.

A container of the load swarm writes ``Orders`` where ``ORDERS_VARIABLE`` points, starts Locust with
a recorder, hands each line it reports to an ``Account``, and turns that into a run record with
``make_record``. ``locust_files`` says where recorders and users are.
"""

from pathlib import Path

from ._account import Account, make_record
from ._child import Ending
from ._orders import ORDERS_VARIABLE, STOP_TIMEOUT_SECONDS, Orders

__all__ = [
    "ORDERS_VARIABLE",
    "STOP_TIMEOUT_SECONDS",
    "Account",
    "Ending",
    "Orders",
    "locust_files",
    "make_record",
]


def locust_files() -> Path:
    """Return the directory of the modules that only a Locust process may import."""
    return Path(__file__).parent / "in_locust"
