"""When a user sends, in numbers: no Locust here."""

from hypothesis import given
from hypothesis import strategies as st

from tonnage.loadtest.in_locust.pacing import Pacer


def pacer(*, keeps_phase: bool, pacing_seconds: float = 1.0) -> Pacer:
    return Pacer(pacing_seconds=pacing_seconds, keeps_phase=keeps_phase, tick_seconds=10.25)


def test_a_user_in_time_sends_at_its_ticks():
    for keeps_phase in (True, False):
        user = pacer(keeps_phase=keeps_phase)
        assert [user.next_send_seconds(now) for now in (10.3, 11.9, 12.25)] == [11.25, 12.25, 13.25]


def test_a_late_user_sends_at_once_and_keeps_its_phase():
    user = pacer(keeps_phase=True)
    assert user.next_send_seconds(16.5) == 16.5
    assert user.next_send_seconds(16.6) == 17.25


def test_a_late_user_in_lockstep_starts_its_pace_anew():
    user = pacer(keeps_phase=False)
    assert user.next_send_seconds(16.5) == 16.5
    assert user.next_send_seconds(16.6) == 17.5


def test_without_a_pace_a_user_sends_on_each_answer():
    user = pacer(keeps_phase=True, pacing_seconds=0.0)
    assert [user.next_send_seconds(now) for now in (11.0, 11.5)] == [11.0, 11.5]


@given(
    durations=st.lists(st.floats(0, 7), max_size=40),
    pacing_seconds=st.floats(0.01, 5),
    keeps_phase=st.booleans(),
)
def test_no_user_ever_sends_early_or_catches_up(
    durations: list[float], pacing_seconds: float, keeps_phase: bool
):
    """Whatever the answers take, sends never outnumber the ticks that have passed."""
    user = Pacer(pacing_seconds=pacing_seconds, keeps_phase=keeps_phase, tick_seconds=0.0)
    now = 0.0
    for number, duration in enumerate(durations, start=1):
        done = now + duration
        now = user.next_send_seconds(done)
        assert now >= done
        assert number <= now / pacing_seconds + 1e-6
