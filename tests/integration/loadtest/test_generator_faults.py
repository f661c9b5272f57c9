"""A generator that was harmed says so; the whole campaign is in benchmarks/loadtest."""

import os
import resource
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tonnage.domain import PiecewiseRate
from tonnage.loadtest import (
    ConstantTarget,
    LoadProgress,
    OpenLoopSession,
    Payload,
    constant_target,
)

BODY = Payload(body={"distance": 150})
SECONDS = PiecewiseRate.constant(300, 2.0)

HOLDS_THE_LOCK = """
import threading, time

def make(random):
    if threading.active_count() == 1:
        threading.Thread(target=hold, daemon=True).start()
    return 1

def hold():
    while True:
        time.sleep(0.1)
        sorted(range(3_000_000), key=float)
"""


@pytest.fixture
def slow() -> Iterator[ConstantTarget]:
    """A target with a queue: 300/s need more than a few connections."""
    with constant_target(250) as target:
        yield target


def test_one_that_was_stopped_for_a_while():
    with constant_target() as target, OpenLoopSession.start(target.url, BODY) as session:
        process_id = session.process_ids[0]
        resume = threading.Timer(0.5, os.kill, (process_id, signal.SIGCONT))

        def stop(_progress: LoadProgress) -> None:
            if resume.ident is None:
                os.kill(process_id, signal.SIGSTOP)
                resume.start()

        trial = session.trial(SECONDS, on_progress=stop)
        resume.join()
    assert trial.verdict.word != "VALID"
    assert len(trial.samples) == 600


def test_one_whose_interpreter_is_held_by_a_payloads_thread(tmp_path: Path):
    (tmp_path / "holding_payload.py").write_text(HOLDS_THE_LOCK)
    payload = Payload(function="holding_payload:make", directory=tmp_path)
    with constant_target() as target, OpenLoopSession.start(target.url, payload) as session:
        trial = session.trial(SECONDS)
    assert trial.verdict.word != "VALID"


def test_one_that_runs_out_of_descriptors(slow: ConstantTarget):
    with OpenLoopSession.start(slow.url, BODY) as session:
        process_id = session.process_ids[0]
        in_use = len(list(Path(f"/proc/{process_id}/fd").iterdir()))
        resource.prlimit(process_id, resource.RLIMIT_NOFILE, (in_use + 4, in_use + 4))
        trial = session.trial(SECONDS)
    assert trial.unanswered["no_descriptor"] > 0
    assert (trial.verdict.word, trial.verdict.cause) == ("INVALID", "descriptors")


def test_one_that_may_not_have_enough_outstanding(slow: ConstantTarget):
    with OpenLoopSession.start(slow.url, BODY, max_outstanding=4) as session:
        trial = session.trial(SECONDS)
    assert trial.unanswered["not_sent"] > 0
    assert len(trial.samples) == 600
    assert trial.verdict.word != "VALID"
    # What was not sent counts as failed: the target was not asked, and is not praised either.
    assert int(trial.samples.failed.sum()) == trial.unanswered["not_sent"]


def test_one_that_is_asked_for_more_than_it_can():
    with constant_target() as target, OpenLoopSession.start(target.url, BODY) as session:
        trial = session.trial(PiecewiseRate.constant(100_000, 1.0), drain_seconds=0.5)
    assert trial.verdict.word != "VALID"
