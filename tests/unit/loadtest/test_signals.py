"""
A signal while a record is put down is noted, and loses nothing.
"""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from tonnage.loadtest.signals import HeldSignals


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_noted_and_their_handlers_are_back_afterwards(kind: signal.Signals):
    before = signal.getsignal(kind)
    with HeldSignals().hold() as signals:
        os.kill(os.getpid(), kind)
        os.kill(os.getpid(), signal.SIGINT)
        assert signals.name == kind.name
    assert signal.getsignal(kind) is before


def test_nothing_is_held_before_it_is_asked_for():
    before = signal.getsignal(signal.SIGINT)
    with HeldSignals():
        assert signal.getsignal(signal.SIGINT) is before


def test_in_another_thread_it_leaves_signals_alone():
    before = signal.getsignal(signal.SIGINT)

    def hold() -> object:
        with HeldSignals().hold():
            return signal.getsignal(signal.SIGINT)

    with ThreadPoolExecutor(max_workers=1) as beside:
        assert beside.submit(hold).result() is before
