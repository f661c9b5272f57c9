"""
What runs inside Locust's process, and nowhere else: importing Locust replaces ``socket.socket``.

A locustfile may import ``PacedUser`` from ``tonnage.loadtest.in_locust.users``; it then runs under
plain ``locust`` as well as under ``tonnage load``.
"""
