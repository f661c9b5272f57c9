"""
The locustfile without users that ``tonnage load`` puts beside every other: it starts the recorder.
"""

from tonnage.loadtest._orders import Orders
from tonnage.loadtest.in_locust.recorder import Recorder

Recorder(Orders.of_this_process()).install()
