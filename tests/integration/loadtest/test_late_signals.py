"""A Ctrl-C that comes when a trial has sent all it had to, and only waits for answers."""

import os
import signal
import sys
import threading
from pathlib import Path

from tonnage.loadtest import OpenLoopSession, Payload
from tonnage.loadtest.line import EngineTrials, Trial
from tonnage.loadtest.services import started_service
from tonnage.loadtest.signals import HeldSignals

SERVICE = Path(__file__).with_name("delayed_service.py")
ANSWERS_AFTER_SECONDS = 2.0
TRIAL = Trial(
    purpose="bracket",
    rate_per_second=100.0,
    settle_seconds=0.0,
    warm_up_seconds=0.0,
    window_seconds=0.2,
)


def test_it_ends_the_search_that_the_trial_belongs_to():
    command = f"'{sys.executable}' '{SERVICE}' {{port}} {ANSWERS_AFTER_SECONDS}"
    late = threading.Timer(1.2, os.kill, (os.getpid(), signal.SIGINT))
    with (
        started_service(command) as url,
        HeldSignals() as signals,
        OpenLoopSession.start(f"{url}/", Payload(body={}), timeout_seconds=10.0) as session,
    ):
        trials = EngineTrials(session=session, signals=signals.hold())
        late.start()
        trials.run(TRIAL, seed=0)
        late.join()
        assert trials.run(TRIAL, seed=1).interrupted_by == "SIGINT"
