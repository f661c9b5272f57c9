"""
The code blocks of the documentation's pages, and how a block's output is compared.

HTML comments above a fence say what is to be done with it; a reader of the site does not see them.

    <!-- file: NAME -->           it is written to this file
    <!-- figures vary -->         any number may stand for any other
    <!-- exit code: 3 -->         its last command ends with 3; ``any`` is any
    <!-- a measurement -->        a load test, whose verdict is the machine's: it may miss its
                                  objective or doubt itself, and only its last line is compared
    <!-- begins with: STATE -->   what the page's directory holds at first, anywhere on the page

A block that cannot be executed here stands in ``tests/docs/not_run.toml``, with the reason.
"""

import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parents[1] / "docs"
LIST_OF_NOT_RUN = Path(__file__).with_name("docs") / "not_run.toml"
RUNNABLE = ("console", "python")
READABLE = ("toml", "yaml", "json")
SHOWN = ("", "text", "http", "sql", "mermaid")
"""What is there to be looked at: output, pictures in letters."""

_FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,})(?P<language>\w*)[^`]*$")
_ORDER = re.compile(r"^<!-- (?P<name>[a-z][a-z ]*[a-z])(?:: (?P<value>.+?))? -->$")
_CHAPTER = re.compile(r"^\| (?P<title>\d+\. )\[(?P<name>.+?)\]\((?P<file>[\w-]+\.md)\) \|")


class Listed(NamedTuple):
    """How the list of what is not run names a block."""

    page: str
    first_line: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Chapter:
    """A page of the tutorial."""

    page: str
    title: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A fenced block."""

    page: str
    line: int
    language: str
    text: str
    orders: Mapping[str, str]

    @property
    def first_line(self) -> str:
        return self.text.partition("\n")[0]

    @property
    def is_code(self) -> bool:
        """Whether it is something to run or to read by a program."""
        return self.language not in SHOWN

    def __str__(self) -> str:
        return f"docs/{self.page}:{self.line}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A command of a console block, and the output that the page shows."""

    command: str
    output: Sequence[str] = field(default_factory=list)


def pages() -> list[str]:
    """Return the pages' paths below ``docs``, the decisions left out: they are history."""
    found = (path.relative_to(DOCS) for path in DOCS.rglob("*.md"))
    return sorted(path.as_posix() for path in found if path.parts[0] != "decisions")


def blocks_of(page: str) -> list[Block]:
    """Return a page's blocks, in order."""
    return list(_blocks(page, (DOCS / page).read_text(encoding="utf-8").splitlines()))


def chapters() -> list[Chapter]:
    """Return the tutorial's chapters in the order of its index, which is the first of them."""
    index = "tutorial/index.md"
    lines = (DOCS / index).read_text(encoding="utf-8").splitlines()
    found = [match for match in map(_CHAPTER.match, lines) if match]
    numbered = [
        Chapter(page=f"tutorial/{match['file']}", title=match["title"] + match["name"])
        for match in found
    ]
    return [Chapter(page=index, title=lines[0].removeprefix("# ")), *numbered]


def not_run() -> dict[Listed, str]:
    """Return the blocks that no test executes, and why."""
    entries = tomllib.loads(LIST_OF_NOT_RUN.read_text(encoding="utf-8"))["block"]
    return {Listed(entry["page"], entry["first_line"]): entry["reason"] for entry in entries}


def start_of(page: str) -> str:
    """Return what a page's directory begins with."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.search(r"^<!-- begins with: (.+?) -->$", text, re.MULTILINE)
    return found[1] if found else "the packed example"


def steps_of(block: Block) -> list[Step]:
    """Return the commands of a console block; lines without ``$`` are output."""
    steps: list[Step] = []
    open_command: list[str] = []
    for line in block.text.splitlines():
        if open_command:
            open_command.append(line)
        elif line.startswith("$ "):
            open_command = [line[2:]]
        elif steps:
            steps[-1] = Step(command=steps[-1].command, output=[*steps[-1].output, line])
        else:
            raise AssertionError(f"{block} begins with output: {line}")
        if open_command and _is_whole("\n".join(open_command)):
            steps.append(Step(command="\n".join(open_command)))
            open_command = []
    assert not open_command, f"{block} ends within a command"
    return steps


def mismatch(expected: Sequence[str], seen: str, *, figures_vary: bool = False) -> str | None:
    """Say how the output differs from the page's; None when it does not."""
    if not expected:
        return None
    pattern = "".join(_line_pattern(line, figures_vary=figures_vary) for line in expected)
    lines = [line.rstrip() for line in seen.strip("\n").splitlines()]
    if re.fullmatch(pattern, "".join(f"{line}\n" for line in lines)):
        return None
    return "\n".join(["the page has", *expected, "but it is", *lines])


def _line_pattern(line: str, *, figures_vary: bool) -> str:
    if line.strip() in {"...", "…"}:
        return r"(?:.*\n)*?"
    parts = re.split(r"(\.\.\.|…| {2,}|\d[\d,]*(?:\.\d+)?(?:e[-+]\d+)?)", line.rstrip())
    return "".join(_part_pattern(part, figures_vary=figures_vary) for part in parts) + r"\n"


def _part_pattern(part: str, *, figures_vary: bool) -> str:
    if part in {"...", "…"}:
        return ".*"
    if part.startswith("  "):
        return r"[ \t]+"
    if figures_vary and part[:1].isdigit():
        return r"[\d,.]+(?:e[-+]\d+)?"
    return re.escape(part)


def _is_whole(command: str) -> bool:
    if command.endswith("\\"):
        return False
    try:
        shlex.split(command, comments=True)
    except ValueError:
        return False
    return True


def _blocks(page: str, lines: Sequence[str]) -> Iterator[Block]:
    orders: dict[str, str] = {}
    rest = iter(enumerate(lines, start=1))
    for number, line in rest:
        fence = _FENCE.match(line)
        order = _ORDER.match(line)
        if fence:
            closing = fence["indent"] + fence["ticks"]
            body = []
            for _, inside in rest:
                if inside == closing:
                    break
                body.append(inside.removeprefix(fence["indent"]))
            yield Block(
                page=page,
                line=number,
                language=fence["language"],
                text="\n".join(body),
                orders=orders,
            )
            orders = {}
        elif order:
            orders[order["name"]] = order["value"] or ""
        elif line.strip():
            orders = {}
