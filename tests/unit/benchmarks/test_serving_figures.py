"""The benchmark's own arithmetic, and the page that is rendered from its results."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
Load = Callable[[str], ModuleType]
SERVING = ROOT / "benchmarks" / "serving"


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Import a module of the benchmark, which is scripts in a folder and no package."""
    monkeypatch.syspath_prepend(str(SERVING))
    before = set(sys.modules)

    def load_module(name: str) -> ModuleType:
        return importlib.import_module(name)

    yield load_module
    for name in set(sys.modules) - before:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(SERVING)):
            del sys.modules[name]


def sample(server: str, number: int, rate: float, dropped: str | None = None) -> dict[str, Any]:
    return {
        "phase": "linear",
        "server": server,
        "case": "linear",
        "workers": 1,
        "connections": 64,
        "round": number,
        "requests_per_second": rate,
        "server_us_per_request": 1e6 / rate,
        "dropped": dropped,
    }


def record(*samples: dict[str, Any]) -> dict[str, Any]:
    return {"samples": list(samples), "starts": [], "ready": []}


def test_a_ratio_is_taken_within_each_round(load: Load) -> None:
    """A machine that is slow for one round moves both servers, not their ratio."""
    figures = load("figures")
    measured = record(
        sample("tonnage", 1, 30_000),
        sample("nginx", 1, 60_000),
        sample("tonnage", 2, 10_000),
        sample("nginx", 2, 20_000),
    )
    cells = [
        figures.Cell(phase="linear", server=name, case="linear") for name in ("tonnage", "nginx")
    ]
    seen = figures.ratio(measured, *cells)
    assert (seen.median, seen.low, seen.high, seen.count) == (0.5, 0.5, 0.5, 2)


def test_a_dropped_sample_gives_way_to_the_one_taken_again(load: Load) -> None:
    figures = load("figures")
    cell = figures.Cell(phase="linear", server="tonnage", case="linear")
    measured = record(sample("tonnage", 1, 1, "steal"), sample("tonnage", 1, 30_000))
    assert figures.spread(measured, cell, "requests_per_second").median == 30_000


def test_a_goal_without_samples_is_not_said_to_be_met(load: Load) -> None:
    verdicts = {goal.verdict for goal in load("goals").goals(record())}
    assert verdicts == {"not measured"}


def test_the_page_is_what_its_results_render_to(load: Load) -> None:
    results = json.loads((SERVING / "results.json").read_text())
    page = ROOT / "docs" / "explanation" / "serving-benchmarks.md"
    assert page.read_text() == load("render").page(results)
