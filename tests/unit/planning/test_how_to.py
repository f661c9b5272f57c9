"""
The how-to's example runs as it is printed.
"""

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "choose-a-scaling-target.md"


def test_the_notebook_example_runs():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(code, str(PAGE), "exec"), names)
    assert getattr(names["made"], "best", None) is not None
