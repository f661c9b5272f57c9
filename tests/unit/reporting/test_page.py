import base64
import dataclasses
import hashlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from tonnage.reporting import Section
from tonnage.reporting.elements import asset
from tonnage.reporting.page import Page, PageFigure, render_page

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&amp;<!--"


@pytest.fixture
def page() -> Page:
    return Page(
        title="What & why",
        notes=Section(title="Read this first", lines=["A cap, not this machine."]),
        outcome=Section(title="Results", columns=("", "A"), rows=[("Requests", "240")]),
        sections=[Section(title="In words", lines=["It failed.", "Then it did not."])],
        background=[Section(title="Meanings", columns=("Number", "Meaning"), rows=[("p99", "…")])],
        caption="How to read it.",
        figures=[
            PageFigure(
                title="A",
                description="A: 240 requests.",
                specification={"vconcat": []},
                rows=[{"start": 0, "offered": 20, "p99": 23.25, "users": None}],
            )
        ],
        themes={"light": {}, "dark": {}},
        margin=88,
        picture=b"png",
    )


def hostile_page() -> Page:
    section = Section(
        title=HOSTILE, lines=[HOSTILE], columns=(HOSTILE, HOSTILE), rows=[(HOSTILE, HOSTILE)]
    )
    figure = PageFigure(
        title=HOSTILE,
        description=HOSTILE,
        specification={"vconcat": [{"title": HOSTILE}]},
        rows=[{"start": 0}],
    )
    return Page(
        title=HOSTILE,
        notes=section,
        outcome=section,
        sections=[section],
        background=[section],
        caption=HOSTILE,
        figures=[figure],
        themes={},
        margin=88,
        picture=b"",
    )


class Elements(HTMLParser):
    """Collects what a browser would make of the page: elements, attributes, script texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.scripts and self.cdata_elem == "script":
            self.scripts[-1] += data


def test_the_page_is_as_it_was(page: Page, golden: Callable[[str, str], bool]):
    """The skeleton, without style, script and their digests; ``UPDATE_GOLDEN=1`` writes it anew."""
    text = render_page(page, bundle="/* bundle */")
    text = text.replace(asset("page.css"), "/* style */\n").replace(
        asset("page.js"), "/* script */\n"
    )
    assert golden("page.html", re.sub(r"sha256-[\w+/=]+", "sha256-…", text))


def test_texts_from_records_stay_texts():
    parsed = Elements(render_page(hostile_page(), bundle=""))
    tags = [tag for tag, _ in parsed.elements]
    assert tags.count("script") == 3
    assert tags.count("img") == 1
    assert not [
        name for _, attributes in parsed.elements for name in attributes if name[:2] == "on"
    ]
    assert json.loads(parsed.scripts[0])["specs"][0]["vconcat"][0]["title"] == HOSTILE


def test_the_policy_allows_the_pages_own_scripts_and_no_other(page: Page):
    parsed = Elements(render_page(page, bundle="const t = 1;"))
    policy = next(
        attributes["content"] for _, attributes in parsed.elements if "http-equiv" in attributes
    )
    allowed = re.findall(r"'sha256-([^']+)'", policy)
    digests = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in parsed.scripts[1:]
    ]
    assert allowed == digests
    assert "default-src 'none'" in policy


def test_nothing_is_loaded_from_anywhere(page: Page):
    for _, attributes in Elements(render_page(page, bundle="")).elements:
        assert "href" not in attributes
        assert (attributes.get("src") or "data:").startswith("data:")


def test_what_lies_beside_it_is_linked_and_not_loaded(page: Page):
    files = [("../run 1/series.csv", "each second"), (f"{HOSTILE}.csv", HOSTILE)]
    parsed = Elements(render_page(dataclasses.replace(page, files=files), bundle=""))
    links = [attributes["href"] for tag, attributes in parsed.elements if tag == "a"]
    assert links[0] == "../run%201/series.csv"
    assert len(links) == 2
    tags = [tag for tag, _ in parsed.elements]
    assert (tags.count("script"), tags.count("img")) == (3, 1)


def test_tables_name_their_rows_and_columns(page: Page):
    scopes = [
        attributes.get("scope")
        for tag, attributes in Elements(render_page(page, bundle="")).elements
        if tag == "th"
    ]
    assert set(scopes) == {"row", "col"}


def test_without_notes_there_is_no_notice(page: Page):
    silent = dataclasses.replace(page, notes=Section(title="Read this first"))
    assert "<aside" not in render_page(silent, bundle="")


def test_a_number_that_json_does_not_know_is_refused(page: Page):
    broken = dataclasses.replace(page, themes={"light": float("nan")})
    with pytest.raises(ValueError, match="Out of range"):
        render_page(broken, bundle="")
