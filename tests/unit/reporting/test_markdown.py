from collections.abc import Callable

from tonnage.domain import RunRecord
from tonnage.reporting import Section
from tonnage.reporting.markdown import render_markdown
from tonnage.reporting.writing import _page, figures


def test_the_summary_is_as_it_was(records: list[RunRecord], golden: Callable[[str, str], bool]):
    """``UPDATE_GOLDEN=1`` writes it anew."""
    own = Section(title="The margin", lines=["15 of 20 when the new instances came."])
    page = _page("Two runs", figures(records), [own], b"")
    text = render_markdown(
        page.title,
        page.notes,
        [page.outcome, *page.sections, *page.background],
        picture="overview.png",
        description="Two runs over time",
    )
    assert golden("summary.md", text)


def test_texts_from_records_cannot_break_out_of_a_cell():
    section = Section(
        title="# T",
        lines=["a\nb <script> [x](javascript:y)"],
        columns=("", "A | B"),
        rows=[("a\n| b", "`c` *d* \\")],
    )
    text = render_markdown("T", Section(title="n"), [section], picture="p.png", description="d")
    assert "| a \\| b | \\`c\\` \\*d\\* \\\\ |" in text
    assert "|  | A \\| B |" in text
    assert "a b \\<script\\> \\[x\\](javascript:y)" in text
    assert "## \\# T" in text
