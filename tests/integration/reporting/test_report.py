import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tonnage.domain import RunRecord, Samples
from tonnage.reporting import ReportFiles, Section, report

HOSTILE = "</script><script>window.broken = 1</script><img src=http://127.0.0.1:9/x>"


@pytest.fixture(scope="module")
def written(story: list[RunRecord], tmp_path_factory: pytest.TempPathFactory) -> ReportFiles:
    own = Section(title="In one line", lines=["A fails near 600/s; B holds 1,000/s."])
    return report(story, tmp_path_factory.mktemp("report"), title="The story", summary=[own])


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        yield browser
        browser.close()


class Opened:
    """A page in a browser, and all that it said and asked for."""

    def __init__(self, page: Page, path: Path) -> None:
        self.page = page
        self.said: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-drawn]")

    def texts(self, chart: int) -> list[str]:
        return self.page.locator(f"[data-chart='{chart}'] svg text").all_text_contents()


@pytest.fixture
def opened(browser: Browser, written: ReportFiles) -> Iterator[Opened]:
    page = browser.new_page(viewport={"width": 1360, "height": 900})
    yield Opened(page, written.page)
    page.close()


def size(png: Path) -> tuple[int, int]:
    header = png.read_bytes()[:24]
    assert header.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", header[16:24])
    return width, height


def test_the_page_draws_every_chart_and_says_nothing_on_the_console(opened: Opened):
    assert opened.said == []
    for chart, title in enumerate(("failures begin at", "1 → 10")):
        texts = opened.texts(chart)
        assert any(title in text for text in texts), texts
        assert opened.page.locator(f"[data-chart='{chart}'] .mark-line path").count() >= 8
        assert opened.page.locator(f"[data-chart='{chart}'] .mark-area path").count() >= 2


def test_the_page_asks_for_nothing_but_itself(opened: Opened, written: ReportFiles):
    assert opened.asked == [written.page.as_uri()]


def test_the_page_shows_notes_results_and_the_callers_own_words(opened: Opened):
    shown = opened.page.inner_text("main")
    assert "emulated cap of 600/s" in shown
    assert "A fails near 600/s; B holds 1,000/s." in shown
    assert "400" not in opened.page.title()
    results = opened.page.locator("table").first
    assert results.locator("th[scope=row]").count() >= 10


def test_pointing_at_a_second_marks_it_in_both_charts(opened: Opened):
    opened.page.locator("[data-chart='0']").scroll_into_view_if_needed()
    box = opened.page.locator("[data-chart='0'] svg").bounding_box()
    assert box is not None
    opened.page.mouse.move(box["x"] + 300, box["y"] + 100)
    for chart in (0, 1):
        shaded = opened.page.locator(f"[data-chart='{chart}'] .mark-rect path[opacity='0.25']")
        shaded.first.wait_for(state="attached")
        assert shaded.count() == 4
    tooltip = opened.page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    assert "succeeded per s" in tooltip.inner_text()


def test_charts_fit_a_narrow_and_dark_screen(browser: Browser, written: ReportFiles):
    page = browser.new_page(viewport={"width": 400, "height": 800}, color_scheme="dark")
    opened = Opened(page, written.page)
    assert opened.said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    fills = page.locator("[data-chart='0'] svg .role-title-text text").evaluate_all(
        "texts => texts.map((text) => text.getAttribute('fill'))"
    )
    assert "#e6e9ed" in fills
    page.close()


def test_one_copy_of_the_library_serves_all_charts(written: ReportFiles):
    text = written.page.read_text(encoding="utf-8")
    assert text.count("window.vegaEmbed") == 1
    assert len(text) < 2_500_000


def test_pictures_are_drawn_whole(written: ReportFiles):
    for path in (written.overview, *written.pictures):
        width, height = size(path)
        assert width > 1000
        assert height > 1200
    assert size(written.overview)[0] > 2 * size(written.pictures[0])[0] * 0.9


def test_a_report_keeps_to_its_directory(written: ReportFiles):
    names = {path.name for path in written.page.parent.iterdir()}
    assert names == {
        "report.html",
        "summary.md",
        "overview.png",
        "a-one-instance.png",
        "b-with-scaling.png",
    }


def test_a_record_of_nothing_still_renders_and_replaces_an_older_report(
    browser: Browser, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    nothing = RunRecord(
        name="nothing",
        title=HOSTILE,
        started_at_epoch_seconds=float("nan"),
        duration_seconds=float("nan"),
        samples=Samples.empty(),
        notes=[HOSTILE],
    )
    (tmp_path / "report.html").write_text("an older report")
    written = report([nothing], tmp_path)
    assert "ERROR" not in capfd.readouterr().err  # how the renderer reports what it cannot draw
    assert size(written.pictures[0])[1] > 600
    opened = Opened(browser.new_page(), written.page)
    assert opened.said == []
    assert opened.asked == [written.page.as_uri()]
    assert opened.page.evaluate("window.broken") is None
    assert opened.page.title() == HOSTILE
    assert "No request was answered." in opened.texts(0)
    opened.page.close()
