"""
A fixed budget of the fuzz that ``make fuzz`` runs for longer: almost-HTTP, read by two parsers.
"""

import random

import pytest

from fuzz.differential import LIMITS, SEEDS, check, read_with_h11
from tonnage.http import Request
from tonnage.http._heads import KnownHeads
from tonnage.http._reader import RequestReader

PARTS = (
    *(b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b",", b";", b"\x00", b"\xff", b"0", b"-1", b"+"),
    *(b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"HTTP/1.0", b"chunked"),
    *(b"GET ", b"Host: a\r\n", b"Content-Length: 5, 5\r\n", b"Transfer-Encoding:\tchunked\r\n"),
)
MESSAGES = 10_000


def mangled(chance: random.Random) -> bytes:
    data = bytearray(chance.choice(SEEDS) + chance.choice((b"", b"", *SEEDS)))
    for _ in range(chance.randint(0, 4)):
        at = chance.randrange(len(data))
        data[at : at + chance.randint(0, 4)] = chance.choice(
            (chance.choice(PARTS), chance.randbytes(1), b"")
        )
    return bytes(data)


def test_whatever_both_parsers_accept_they_read_alike():
    chance, heads = random.Random(20220416), KnownHeads()
    compared = 0
    for _ in range(MESSAGES):
        data = mangled(chance)
        check(data, chance.randint(1, 30), heads)
        compared += bool(RequestReader(LIMITS).feed(data) and read_with_h11(data))
    assert compared > MESSAGES / 5, "else nothing was held against anything"


def test_the_check_tells_a_table_that_lies():
    heads, data = KnownHeads(), SEEDS[1]
    heads.remember(data, Request("PUT", "/", {"content-length": "5"}, b"hello"))
    with pytest.raises(AssertionError):
        check(data, 7, heads)
