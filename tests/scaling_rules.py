"""
The table of the scaling law's rules, read off the tests that hold them.

A rule's test says in its docstring what the rule is and, in brackets at its end, where that is
from. The page is written again with::

    .venv/bin/python tests/scaling_rules.py
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["PAGE", "rules_page"]

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "scaling-rules.md"
TESTS = ROOT / "tests" / "unit" / "scaling"

SECTIONS = {
    "test_target_tracking.py": "Target tracking",
    "test_several_policies.py": "Metrics, several policies, bounds, suspension, busy endpoints",
    "test_step_scaling.py": "Step scaling",
    "test_metric_alarms.py": "CloudWatch alarms",
    "test_schedules.py": "Scheduled actions",
    "test_activities.py": "Words of activities",
    "test_causes.py": "Causes",
    "test_settings.py": "Settings",
}

HEAD = """# The rules of scaling, each with its source and its test

This page is written from the docstrings of the tests in `tests/unit/scaling`, and a test holds it against them.
How the rules work together is told in [How SageMaker scales](../explanation/how-sagemaker-scales.md).

Sources are named by tags.

| tag | what it is |
| --- | --- |
| AAS | Application Auto Scaling User Guide |
| BC | botocore's service models, and the API documentation in them |
| CW | CloudWatch User Guide |
| DG | SageMaker Developer Guide |
| EB | EventBridge User Guide, "Cron expressions reference" |
| ML blog | AWS Machine Learning Blog, on the high-resolution metrics, July 2024 |
| re:Post, CDK #34472, Aurora labs #3 | reports of users, which are no commitment of AWS |
| decision | AWS does not document it; the record in `docs/decisions` has the choice |
"""  # noqa: E501 (one sentence a line)

_SOURCED = re.compile(
    r"\(([^()]*(?:AAS|BC|CW|DG|EB|re:Post|CDK|Aurora|CloudWatch guide|decision|0011)[^()]*)\)"
)


def rules_page() -> str:
    """Return the page as it should be."""
    parts = [HEAD]
    for file, title in SECTIONS.items():
        parts.append(f"\n## {title}\n\n`tests/unit/scaling/{file}`\n\n")
        parts.append("| rule | source | test |\n| --- | --- | --- |\n")
        parts.extend(
            f"| {rule} | {source} | `{name}` |\n" for rule, source, name in _rules(TESTS / file)
        )
    return "".join(parts)


def _rules(file: Path) -> Iterator[tuple[str, str, str]]:
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if not (isinstance(node, ast.FunctionDef) and node.name.startswith("test_")):
            continue
        text = " ".join((ast.get_docstring(node) or "").split())
        sources = _SOURCED.findall(text)
        if text.startswith(("CW,", "AAS,")):
            sources = [text.partition(":")[0]]
        if not sources:
            continue
        rule = _SOURCED.sub("", text).strip().rstrip(".").strip()
        yield _cell(rule), _cell("; ".join(sources)), node.name


def _cell(text: str) -> str:
    return re.sub(r"\s+([;,.:])", r"\1", text).replace("``", "`").replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(rules_page(), encoding="utf-8")
