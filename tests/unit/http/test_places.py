"""
Who takes the next connection, and who gives some up.
"""

import os

from hypothesis import given
from hypothesis import strategies as st

from tonnage.http import Place, Places


def opened(counts: list[int]) -> tuple[Places, list[Place]]:
    places = Places(len(counts))
    all_places = [places.place(number) for number in range(len(counts))]
    for place, count in zip(all_places, counts, strict=True):
        place.open()
        place.add(count)
    return places, all_places


def turns(counts: list[int]) -> list[bool]:
    """Return for each process whether it may take the next connection."""
    return [not place.favoured() for place in opened(counts)[1]]


def test_while_there_are_few_connections_they_are_dealt_out_evenly():
    assert turns([0, 0]) == [True, True]
    assert turns([1, 0]) == [False, True]
    assert turns([3, 2]) == [False, True]
    assert turns([1, 1, 0]) == [False, False, True]


def test_among_many_connections_a_few_do_not_matter():
    assert turns([35, 32]) == [True, True]
    assert turns([36, 32]) == [False, True]


def test_a_process_that_has_left_is_waited_for_by_nobody():
    _, (first, second) = opened([5, 0])
    second.close()
    assert not first.favoured()
    second.open()
    assert first.favoured()


def test_all_processes_see_one_table():
    places = Places(2)
    process_id = os.fork()
    if process_id == 0:
        theirs = places.place(1)
        theirs.open()
        theirs.add(3)
        theirs.add(-1)
        os._exit(0)
    os.waitpid(process_id, 0)
    mine = places.place(0)
    mine.open()
    mine.add(4)
    assert places.connections() == [4, 2]
    assert mine.favoured()


def test_a_sign_of_life_is_seen_by_who_waits_for_it():
    _, (first, second, third) = opened([5, 0, 9])
    favoured = first.favoured()
    third.show()  # it has more: nobody waits for that one
    assert first.stand_still(favoured)
    second.show()
    assert not first.stand_still(favoured)


@given(
    takers=st.lists(st.integers(0, 3), max_size=300),
    processes=st.integers(2, 4),
)
def test_whoever_looks_first_the_processes_have_as_many_within_a_few(
    takers: list[int], processes: int
):
    """A connection is there until somebody takes it whose turn it is; somebody's it always is."""
    places, all_places = opened([0] * processes)
    for first in takers:
        order = [all_places[(first + step) % processes] for step in range(processes)]
        taker = next(place for place in order if not place.favoured())
        taker.add(1)
        counts = places.connections()
        assert max(counts) - min(counts) <= 4
        assert max(counts) - min(counts) <= 1 or min(counts) >= 4


def surplus(counts: list[int]) -> list[int]:
    _, all_places = opened(counts)
    for place in all_places:
        assert place.surplus() == 0, "nobody has been seen twice yet"
        place.show()
    given_up = []
    for place in all_places:
        given_up.append(place.surplus())
        place.show()
    return given_up


def test_who_has_far_more_gives_half_the_difference_up():
    assert surplus([64, 0]) == [32, 0]
    assert surplus([2, 0]) == [1, 0]
    assert surplus([30, 30, 0]) == [10, 10, 0]


def test_what_taking_in_turn_leaves_uneven_is_left_so():
    assert surplus([1, 0]) == [0, 0]
    assert surplus([35, 31]) == [0, 0]


def test_nothing_is_given_up_for_a_process_that_stands_still_or_has_left():
    _, (first, second) = opened([64, 0])
    assert first.surplus() == 0
    second.show()
    assert first.surplus() == 32
    assert first.surplus() == 0
    second.show()
    second.close()
    assert first.surplus() == 0


@given(st.lists(st.integers(0, 100), min_size=2, max_size=5))
def test_giving_up_ends_and_leaves_everybody_within_a_few(counts: list[int]):
    total = sum(counts)
    for _ in range(20):
        given_up = surplus(counts)
        counts = [count - given for count, given in zip(counts, given_up, strict=True)]
        for _ in range(sum(given_up)):
            counts[turns(counts).index(True)] += 1
        if not any(given_up):
            break
    assert not any(surplus(counts))
    assert sum(counts) == total
    assert max(counts) - min(counts) <= 5
