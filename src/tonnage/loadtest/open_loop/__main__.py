"""``python -m tonnage.loadtest.open_loop``: a generator's process; its parent is a session."""

from .process import main

main()
