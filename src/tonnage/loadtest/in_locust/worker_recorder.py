"""
The locustfile without users that a worker runs beside every other: it starts its recorder.
"""

from tonnage.loadtest._orders import Orders
from tonnage.loadtest.in_locust.remote import WorkerRecorder

WorkerRecorder(Orders.of_this_process()).install()
