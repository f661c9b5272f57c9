"""
Which workers are held to stand still.
"""

from hypothesis import given
from hypothesis import strategies as st

from tonnage.serving._metrics import Scoreboard
from tonnage.serving._watch import Watch


def test_a_worker_that_stands_still_is_told_after_its_patience():
    scoreboard = Scoreboard(2)
    watch = Watch(scoreboard, 60.0)
    for slot in range(2):
        scoreboard.tally(slot).set_ready(is_ready=True)
    told = []
    for second in range(100):
        scoreboard.tally(0).beat()
        told += [(second, slot) for slot in watch.look([0, 1], float(second))]
    assert told[0] == (60, 1)
    assert {slot for _, slot in told} == {1}


def test_a_worker_that_does_not_serve_yet_may_take_its_time():
    watch = Watch(Scoreboard(1), 5.0)
    assert [watch.look([0], float(second)) for second in range(100)] == [[]] * 100


def test_a_worker_that_takes_anothers_place_has_as_long_to_serve_as_it_may_stand_still():
    watch = Watch(Scoreboard(1), 60.0)
    watch.bound_starts(0.3)
    told = [second for second in range(100) if watch.look([0], float(second))]
    assert told[0] == 60


def test_where_the_first_workers_took_long_so_may_the_next():
    watch = Watch(Scoreboard(1), 60.0)
    watch.bound_starts(40.0)
    told = [second for second in range(0, 600, 4) if watch.look([0], float(second))]
    assert told[0] == 408  # the first look from 400 s on: it looks each 12 s


def test_a_worker_is_not_blamed_for_the_one_before_it():
    watch = Watch(Scoreboard(1), 5.0)
    watch.bound_starts(0.1)
    for second in range(5):
        assert watch.look([0], float(second)) == []
    watch.begin(0)
    assert [watch.look([0], float(second)) for second in range(5, 12)] == [[]] * 5 + [[0]] * 2


def test_a_pause_of_the_whole_machine_counts_as_one_look():
    scoreboard = Scoreboard(1)
    scoreboard.tally().set_ready(is_ready=True)
    watch = Watch(scoreboard, 60.0)
    assert watch.look([0], 0.0) == []
    for _ in range(3):
        assert watch.look([0], 100_000.0) == []


@given(st.lists(st.booleans(), max_size=60))
def test_whoever_beats_between_two_of_the_last_five_looks_is_left_alone(beats: list[bool]):
    scoreboard = Scoreboard(1)
    tally = scoreboard.tally()
    tally.set_ready(is_ready=True)
    watch = Watch(scoreboard, 5.0)
    watch.look([0], 0.0)
    for number, beaten in enumerate(beats, 1):
        if beaten:
            tally.beat()
        still = watch.look([0], number * watch.look_seconds)
        assert bool(still) == (number >= 5 and not any(beats[number - 5 : number]))
