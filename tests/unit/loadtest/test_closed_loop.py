"""What is said before a child is started, and what is made of its reports."""

import sys

import pytest

import tonnage.loadtest
from tonnage.domain import ConfigurationError
from tonnage.loadtest import LoadPlan, LoadProgress, load
from tonnage.loadtest._account import Account

PLAN = LoadPlan(
    url="http://127.0.0.1:8000/", users=1, spawn_rate_per_second=1, duration_seconds=1, body=1
)
SECOND = {
    "event": "second",
    "elapsed_seconds": 1.0,
    "users": 3,
    "requests_per_second": 3.0,
    "failures_per_second": 1.0,
    "p99_seconds": None,
    "cpu_fraction": 0.25,
}


def test_without_locust_the_way_to_install_it_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "locust", None)
    with pytest.raises(ConfigurationError, match="Locust is not installed") as refused:
        load(PLAN)
    assert refused.value.hint == "pip install 'tonnage[load]'"


def test_a_report_of_a_second_is_progress():
    account = Account()
    progress = account.take(SECOND)
    assert progress is not None
    assert (progress.users, progress.failures_per_second) == (3, 1.0)
    assert str(progress) == "1 s  3 users  3 requests/s  1 failures/s  p99 none"
    assert account.duration_seconds == 1.0
    assert account.health.cpu_fraction_max == 0.25


def test_a_test_started_anew_replaces_the_one_before():
    account = Account()
    account.take({"event": "ready"})
    account.take(SECOND)
    account.take({"event": "ended", "duration_seconds": 1.5})
    assert account.duration_seconds == 1.5
    account.take({"event": "began", "started_at_epoch_seconds": 1.0})
    assert account.duration_seconds == 0.0
    assert account.ready


def test_progress_reads_as_one_line():
    progress = LoadProgress(
        elapsed_seconds=12.01,
        users=240,
        requests_per_second=239.7,
        failures_per_second=0.0,
        p99_seconds=0.0042,
    )
    assert str(progress) == "12 s  240 users  240 requests/s  0 failures/s  p99 4.2 ms"


def test_what_is_public_is_named_once_and_in_order():
    names = tonnage.loadtest.__all__
    assert names == sorted(names, key=lambda name: (name.islower(), name))
    assert all(hasattr(tonnage.loadtest, name) for name in names)
