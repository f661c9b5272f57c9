"""
What a browser has is not sent again; what it is sent may load nothing from elsewhere.
"""

import asyncio
import sys

import pytest

from tonnage.emulator.page.static import ChartLibrary, StaticFile, fresh_or_unchanged
from tonnage.http import Request


def asking(tag: str = "") -> Request:
    return Request("GET", "/", {"if-none-match": tag} if tag else {}, b"")


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_a_client_that_has_it_is_told_so(form: str):
    fresh = fresh_or_unchanged(asking(), b"hello", "text/plain")
    tag = dict(fresh.headers)["ETag"]
    assert (fresh.status, fresh.body) == (200, b"hello")
    again = fresh_or_unchanged(asking(form.format(tag)), b"hello", "text/plain")
    assert (again.status, again.body) == (304, b"")
    assert dict(again.headers)["ETag"] == tag
    assert fresh_or_unchanged(asking(tag), b"hello!", "text/plain").status == 200


@pytest.mark.parametrize("name", ["page.js", "page.css", "icon.svg"])
def test_the_pages_files_name_no_other_host(name: str):
    answer = StaticFile(name, "text/plain")(asking())
    assert answer.status == 200
    body = answer.body.replace(b"http://www.w3.org/2000/svg", b"")
    assert b"://" not in body
    assert "default-src 'none'" in dict(answer.headers)["Content-Security-Policy"]


def test_the_chart_library_is_printed_once_for_all_who_ask():
    library = ChartLibrary((sys.executable, "-c", "import os; print(os.getpid())"))

    async def both() -> list[bytes]:
        answers = await asyncio.gather(library.answer(asking()), library.answer(asking()))
        return [answer.body for answer in (*answers, await library.answer(asking()))]

    assert len(set(asyncio.run(both()))) == 1


@pytest.mark.parametrize(
    ("command", "status"), [((), 404), ((sys.executable, "-c", "raise SystemExit(3)"), 500)]
)
def test_without_a_chart_library_the_answer_says_so(command: tuple[str, ...], status: int):
    answer = asyncio.run(ChartLibrary(command).answer(asking()))
    assert answer.status == status
    assert b"charts" in answer.body
