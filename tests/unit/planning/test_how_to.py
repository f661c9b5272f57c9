"""
The how-to's examples run as they stand.
"""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "choose-a-scaling-target.md"


def test_the_notebook_examples_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The one that writes a trace, and the one that plans."""
    monkeypatch.chdir(tmp_path)
    trace, example = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    exec(trace, {})
    assert (tmp_path / "week.csv").read_text().startswith("time_seconds,rate_per_second\n0,100\n")
    exec(example, {})
    assert "'max_capacity': 2" in capsys.readouterr().out
