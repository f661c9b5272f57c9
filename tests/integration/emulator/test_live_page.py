"""
The live page in a real browser: the model answers, the figures move, nothing is said or fetched.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from support import PATIENCE_SECONDS, Clients, ask, post, tonnage, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from sagemaker_clients import Sagemaker
    from support import Up
    from tonnage.emulator import BackgroundEndpoint

ROW = {"distance": 150}
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
expect.set_options(timeout=PATIENCE_SECONDS * 1000)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def url(example_project: Path, packed_artefact: Path) -> Iterator[str]:
    """The reference service as ``tonnage up`` runs it, a minute of AWS's in a fifth of a second."""
    assert packed_artefact.exists()
    local = ("local.time_scale=300", "local.provisioning_delay=60s", "scaling.target_value=600")
    flags = [flag for setting in local for flag in ("--set", setting)]
    with tonnage("up", "--port", "0", *flags, cwd=example_project) as command:
        yield command.until_line("live page").split()[-1].rstrip("/")


class Opened:
    """The page in a browser, and all that it said and asked for."""

    def __init__(self, browser: Browser, url: str, **context: Any) -> None:  # noqa: ANN401 (Playwright's)
        self.page: Page = browser.new_page(**context)
        self.page.set_default_timeout(PATIENCE_SECONDS * 1000)
        self.said: list[str] = []
        self.asked: set[str] = set()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.add(urlsplit(request.url).netloc))
        self.page.goto(url)

    def until_drawn(self) -> None:
        self.page.wait_for_selector("html[data-drawn]")

    def tile(self, name: str) -> str:
        tile = self.page.locator("#summary > div").filter(has_text=re.compile(f"^{name}"))
        return tile.locator(".value").inner_text()


@pytest.fixture
def opened(browser: Browser, url: str) -> Iterator[Opened]:
    opened = Opened(browser, url, viewport={"width": 1100, "height": 900})
    yield opened
    assert opened.said == []
    assert opened.asked == {urlsplit(url).netloc}
    opened.page.close()


def test_the_price_of_a_distance_appears_on_the_curve(opened: Opened):
    opened.until_drawn()
    page = opened.page
    expect(page.locator("#answer .value")).to_have_text("50.3 10000 TWD/ping")
    page.get_by_label("distance").fill("1000")
    page.get_by_role("button", name="Predict").click()
    price = post(f"{page.url}evaluate", {"distance": 1000}).json["cost"]
    expect(page.locator("#answer .value")).to_have_text(f"{price} 10000 TWD/ping")
    expect(page.locator("#calls")).to_contain_text("'{\"distance\": 1000}'")
    chart = page.locator("[data-chart=curve]")
    expect(chart.locator(".mark-line path")).to_have_count(1)
    expect(chart.locator(".mark-text.role-mark text")).to_have_text([str(price)])


def test_a_row_at_fault_is_refused_in_words_that_name_the_field(opened: Opened):
    opened.page.get_by_label("distance").fill("-3")
    opened.page.get_by_role("button", name="Predict").click()
    expect(opened.page.locator("#answer")).to_contain_text("Refused with 400")
    expect(opened.page.locator("#answer")).to_contain_text("distance: Input should be greater")


def test_figures_alarms_and_activities_move_under_load(opened: Opened, url: str):
    opened.until_drawn()
    page = opened.page
    page.evaluate("document.querySelector('#recent').closest('details').open = true")
    with Clients(f"{url}/evaluate", ROW, count=4).running():
        expect(page.locator("#activities")).to_contain_text("Setting desired instance count to")
        expect(page.locator("#activities")).to_contain_text("in state ALARM triggered policy")
        until(lambda: float(opened.tile("Requests").replace(",", "")) > 10, "requests per second")
        until(lambda: opened.tile("Latency p99").endswith("ms"), "a latency")
        until(lambda: int(opened.tile("Instances").split()[0]) > 1, "instances in service")
        expect(page.locator("#alarms")).to_contain_text("▲ ALARM")
        assert page.locator("#instances tbody tr").count() > 1
        assert page.locator("#recent tbody tr").count() > 1
        for chart in ("requests", "latency", "instances", "load"):
            lines = page.locator(f"[data-chart={chart}] .mark-line path[d]")
            until(lambda lines=lines: lines.count() >= 1, f"lines of {chart}")
        bars = page.locator("[data-chart=alarms] .mark-rect path")
        until(lambda: bars.count() >= 2, "bars of the alarms")
    until(lambda: opened.tile("Requests") == "0", "quiet")


def test_a_fault_stands_among_the_activities_and_in_the_charts(opened: Opened, url: str):
    opened.until_drawn()
    slow = {"action": "slow", "for_seconds": 60.0, "factor": 1.0}
    assert post(f"{url}/_tonnage/faults", slow).status == 202
    page = opened.page
    expect(page.locator("#activities .status.fault").first).to_have_text("Fault")
    expect(page.locator("#activities")).to_contain_text("slow of i-")
    for chart in ("requests", "instances"):
        marks = page.locator(f"[data-chart={chart}] .mark-text.role-mark text")
        expect(marks.first).to_contain_text("slow of i-")
        assert page.locator(f"[data-chart={chart}] .mark-rule.role-mark line").count() >= 1


def test_failures_are_counted_as_such(opened: Opened, url: str):
    """The front turns bad rows away; the runtime passes them on, and the container refuses."""
    runtime = f"{url}/endpoints/real-estate-evaluation/invocations"
    with Clients(runtime, {"distance": -1}, count=1).running():
        until(lambda: opened.tile("Failures") not in {"0", "–"}, "failures per second")  # noqa: RUF001 (the page's own dash)


def test_the_page_works_by_keyboard_alone(opened: Opened):
    page = opened.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to what happens now"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "row-distance"
    page.keyboard.press("Control+A")
    page.keyboard.type("150")
    page.keyboard.press("Enter")
    expect(page.locator("#answer .value")).to_have_text("50.3 10000 TWD/ping")
    assert page.evaluate("document.activeElement.id") == "row-distance", "it keeps the focus"
    page.locator("#activities").focus()
    seconds = page.locator("#recent tbody")
    before = seconds.text_content()
    until(lambda: seconds.text_content() != before, "a new second")
    assert page.evaluate("document.activeElement.id") == "activities", "a new second takes none"


def test_every_control_has_a_role_and_a_name(opened: Opened):
    """The accessibility tree as the browser gives it to a screen reader."""
    client = opened.page.context.new_cdp_session(opened.page)
    nodes = client.send("Accessibility.getFullAXTree")["nodes"]
    named = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node["ignored"]
    ]
    roles = ("button", "combobox", "link", "spinbutton", "textbox", "region", "figure", "heading")
    assert [pair for pair in named if pair[0] in roles and not pair[1].strip()] == []
    assert ("spinbutton", "distance (m)") in named
    assert ("button", "Predict") in named
    assert ("combobox", "Endpoint and variant") in named
    assert ("status", "The answer") in named
    headings = [name for role, name in named if role == "heading"]
    assert headings[0] == "real-estate-evaluation"
    assert "Scaling activities" in headings
    assert opened.page.evaluate("document.documentElement.lang") == "en"
    live = opened.page.locator("[role=status], [role=alert], [aria-live]")
    told = {element or "" for element in live.evaluate_all("all => all.map((one) => one.id)")}
    assert told == {"news", "answer", "trouble"}, "figures that move each second are not read out"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_contrast_enough(browser: Browser, url: str, scheme: str):
    """4.5 to 1 at least, as WCAG 2 asks of text, on the paper that is really behind it."""
    opened = Opened(browser, url, color_scheme=scheme)
    opened.until_drawn()
    poor = opened.page.evaluate(_CONTRAST)
    assert poor == []
    assert opened.page.evaluate(_PAPER) < 60 if scheme == "dark" else True
    opened.page.emulate_media(color_scheme="light" if scheme == "dark" else "dark")
    until(lambda: opened.page.evaluate(_CONTRAST) == [], "the charts in the other colours")
    assert opened.said == []
    opened.page.close()


def test_the_page_fits_a_small_screen(browser: Browser, url: str):
    opened = Opened(browser, url, viewport={"width": 360, "height": 700})
    opened.until_drawn()
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert opened.said == []
    opened.page.close()


def test_the_first_paint_needs_no_script(browser: Browser, url: str):
    opened = Opened(browser, url, java_script_enabled=False)
    page = opened.page
    expect(page.locator("#answer .value")).to_have_text("50.3 10000 TWD/ping")
    page.get_by_label("distance").fill("1000")
    page.get_by_role("button", name="Predict").click()
    price = post(f"{url}/evaluate", {"distance": 1000}).json["cost"]
    expect(page.locator("#answer .value")).to_have_text(f"{price} 10000 TWD/ping")
    expect(page.get_by_label("distance")).to_have_value("1000")
    expect(page.locator("#alarms tbody tr")).to_have_count(2)
    expect(page.locator("#instances tbody tr")).not_to_have_count(0)
    page.get_by_text("The curve as numbers").click()
    assert page.locator("#curve-numbers tbody tr").count() > 50
    opened.page.close()


def test_a_browser_gets_the_page_and_a_program_the_index(url: str):
    page = ask(f"{url}/", headers=HTML)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["vary"] == "Accept"
    assert "unsafe" not in page.headers["content-security-policy"]
    assert ask(f"{url}/", headers={"Accept": "*/*"}).body[:15] == b"<!doctype html>"
    for headers in ({}, {"Accept": "application/json"}):
        assert ask(f"{url}/", headers=headers).json["predict"] == "POST /evaluate"
    head = ask(f"{url}/", "HEAD", headers=HTML)
    assert (head.status, head.body) == (200, b"")
    assert ask(f"{url}/", "POST", headers=HTML).status == 405


@pytest.mark.parametrize("path", ["page.js", "page.css", "icon.svg", "vega.js"])
def test_what_a_browser_has_is_not_sent_again(url: str, path: str):
    first = ask(f"{url}/_tonnage/{path}")
    assert first.status == 200
    again = ask(f"{url}/_tonnage/{path}", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?since=x&watch=%2F&have=%00",
        "?since=99999999999999999999",
        "?" + "a=1&" * 1500,
        "?row.distance=1e999&ask=1",
        "?row.distance=%3Cscript%3E&ask=1&watch=%22%3E%3Cscript%3E",
    ],
)
def test_no_query_breaks_the_page(url: str, query: str):
    page = ask(f"{url}/{query}", headers=HTML)
    assert page.status == 200
    assert b"<script>" not in page.body
    assert ask(f"{url}/_tonnage/page.json{query}").json["watch"]
    assert ask(f"{url}/_tonnage/curve.json{query}").json["points"]
    answer = ask(f"{url}/_tonnage/answer.json{query}").json
    assert "Refused with 400" in answer["html"]
    assert "<script>" not in answer["html"] + answer["calls"]


def invocations(url: str) -> list[float]:
    lines = ask(f"{url}/metrics").body.decode().splitlines()
    counted = [line for line in lines if line.startswith("tonnage_invocations_total{")]
    return [float(line.rpartition(" ")[2]) for line in counted]


def test_looking_is_not_counted(start_up: Up, packed_artefact: Path):
    """Curve and example are nobody's invocations: they must not scale what is only looked at."""
    with start_up(artefact=packed_artefact) as endpoint:
        assert b"50.3" in ask(f"{endpoint.url}/", headers=HTML).body
        assert len(ask(f"{endpoint.url}/_tonnage/curve.json").json["points"]) > 50
        assert invocations(endpoint.url) == []
        asked = ask(f"{endpoint.url}/_tonnage/answer.json?row.distance=150").json
        assert asked["value"] == {"cost": 50.3}
        assert invocations(endpoint.url) == [1.0]


def test_without_charts_the_page_shows_tables_and_says_what_to_install(
    browser: Browser, start_up: Up, packed_artefact: Path
):
    with start_up(artefact=packed_artefact) as endpoint:
        opened = Opened(browser, endpoint.url)
        page = opened.page
        expect(page.locator("main")).to_contain_text("pip install 'tonnage[report]'")
        expect(page.locator("#recent tbody tr").first).to_be_visible()
        expect(page.locator("#curve-numbers tbody tr").first).to_be_visible()
        expect(page.locator("#charts")).to_be_hidden()
        assert opened.said == []
        page.close()


def test_an_endpoint_that_comes_later_can_be_chosen(
    browser: Browser,
    start_up: Up,
    packed_artefact: Path,
    sagemaker_at: Callable[[BackgroundEndpoint], Sagemaker],
):
    with start_up(artefact=packed_artefact) as endpoint:
        opened = Opened(browser, endpoint.url)
        chooser = opened.page.get_by_label("Endpoint and variant")
        expect(chooser.locator("option")).to_have_count(1)
        sagemaker = sagemaker_at(endpoint)
        variants = [
            {
                "VariantName": name,
                "ModelName": "real-estate-evaluation",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": count,
            }
            for name, count in (("blue", 1), ("green", 2))
        ]
        sagemaker.endpoint("other", sagemaker.config("two", *variants))
        expect(chooser.locator("option")).to_have_count(3)
        chooser.select_option("other/green")
        until(lambda: opened.tile("Instances") == "2 of 2", "the other's instances")
        expect(opened.page.locator("#summary")).to_contain_text("ml.m5.large")
        expect(opened.page.locator("#alarms")).to_contain_text("No alarm watches")
        opened.page.reload()
        expect(chooser).to_have_value("other/green")
        assert opened.said == []
        opened.page.close()


def test_a_poll_is_told_only_what_is_new(url: str):
    until(lambda: ask(f"{url}/_tonnage/page.json").json["samples"], "a sample")
    whole = ask(f"{url}/_tonnage/page.json?since=0").json
    assert set(whole["parts"]) == {"summary", "alarms", "activities", "instances", "recent"}
    held = ",".join(f"{name}.{part['version']}" for name, part in whole["parts"].items())
    number = whole["samples"][-1]["number"]
    news = ask(f"{url}/_tonnage/page.json?since={number}&have={held}").json
    assert all(sample["number"] > number for sample in news["samples"])
    assert "activities" not in news["parts"]


_CONTRAST = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b]
    .map((one) => one / 255)
    .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
    .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
  const paper = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
    if (!text || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const ink = parse(element.closest("svg") ? style.fill : style.color);
    const [high, low] = [light(ink), light(paper(element))].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) poor.push(`${element.tagName} ${element.textContent.trim()}: ${ratio}`);
  }
  return poor;
}"""
_PAPER = "() => Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])"
