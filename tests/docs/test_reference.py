"""
The generated pages are what their scripts write today, and what they say of defaults is so.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tonnage.cli._faults import EXIT_CODES, OBJECTIVE_MISSED
from tonnage.config import Settings, keys, read_settings

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[2]
DOCS, PACKAGE, SCRIPTS = ROOT / "docs", ROOT / "src", ROOT / "scripts"
OF_THE_INSIDE = {"TONNAGE_LOADTEST_ORDERS"}
"""From one of Tonnage's processes to another: nothing a person sets."""

ROW = re.compile(r"^\| `(?P<key>\w+)` \| .+ \| (?P<default>`.+`|absent|required) \| .+ \|$")


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sections_of_the_page() -> dict[str, dict[str, str]]:
    """Section → key → default, as the page has them."""
    sections: dict[str, dict[str, str]] = {}
    rows: dict[str, str] = {}
    for line in script("settings_reference").settings_reference().splitlines():
        heading = re.fullmatch(r"## `\[(\w+)\]`", line)
        if heading:
            rows = sections[heading[1]] = {}
        elif line.startswith("## "):
            rows = {}
        elif found := ROW.match(line):
            rows[found["key"]] = found["default"]
    return sections


@pytest.mark.parametrize(
    ("name", "write"),
    [("cli_reference", "cli_reference"), ("settings_reference", "settings_reference")],
)
def test_a_generated_page_is_up_to_date(name: str, write: str):
    module = script(name)
    page: Any = getattr(module, write)()
    assert module.PAGE.read_text(encoding="utf-8") == page, "run `make docs`"


def test_every_key_of_every_section_is_described():
    described = {section: sorted(rows) for section, rows in sections_of_the_page().items()}
    assert described == {section: sorted(names) for section, names in keys().items()}


def test_the_defaults_can_be_written_into_the_file_and_mean_the_same(tmp_path: Path):
    lines = []
    for section, rows in sections_of_the_page().items():
        lines.append(f"[{section}]")
        given = {key: text.strip("`") for key, text in rows.items() if text.startswith("`")}
        lines += [f"{key} = {default}" for key, default in given.items()]
    file = tmp_path / "tonnage.toml"
    file.write_text("\n".join(lines))
    assert read_settings(file, environment={}) == Settings(directory=tmp_path)


def test_every_variable_that_the_package_reads_is_described():
    page = (DOCS / "reference" / "environment.md").read_text(encoding="utf-8")
    sources = (PACKAGE / "tonnage").rglob("*.py")
    read = {
        name
        for source in sources
        for name in re.findall(r'"((?:SAGEMAKER|TONNAGE)_[A-Z_]+[A-Z])"', source.read_text())
    }
    assert {name for name in read - OF_THE_INSIDE if f"`{name}`" not in page} == set()


def test_every_exit_code_is_described():
    page = (DOCS / "reference" / "environment.md").read_text(encoding="utf-8")
    described = {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    assert {*EXIT_CODES.values(), OBJECTIVE_MISSED} <= described


def test_the_picture_and_the_pages_for_developers_know_every_room():
    rooms = {path.parent.name for path in (PACKAGE / "tonnage").glob("*/__init__.py")}
    picture = (DOCS / "pictures" / "rooms.svg").read_text(encoding="utf-8")
    page = (DOCS / "explanation" / "architecture.md").read_text(encoding="utf-8")
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert {room for room in rooms if f">{room}</text>" not in picture} == set()
    assert {room for room in rooms if f"`{room}`" not in page} == set()
    assert {room for room in rooms if f"`{room}`" not in contributing} == set()


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert {page for page in pages if not page.startswith("decisions/")} == set(
        re.findall(r"[\w-]+(?:/[\w-]+)*\.md", navigation.partition("nav:\n  - Home")[2])
    ) | {"index.md"}
