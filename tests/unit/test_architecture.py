"""
What holds for every package: its public names, and what importing it costs.
"""

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from types import ModuleType

import pytest

import tonnage

CHILD_ONLY = ("tonnage.loadtest.in_locust",)
"""Importing Locust replaces ``socket.socket``: these are imported in a child process only."""

PACKAGES = sorted(
    {
        "tonnage",
        *(
            module.name
            for module in pkgutil.walk_packages(
                tonnage.__path__, "tonnage.", onerror=lambda _: None
            )
            if module.ispkg and not module.name.startswith(CHILD_ONLY)
        ),
    }
)


def sort_key(name: str) -> tuple[int, list[tuple[int, int | str]]]:
    """As ruff's RUF022 sorts: CONSTANTS, then Classes, then the rest, numbers by value."""
    kind = 0 if name.isupper() else 1 if name[:1].isupper() else 2
    parts = re.findall(r"\d+|\D+", name)
    return kind, [(0, int(part)) if part.isdigit() else (1, part) for part in parts]


def is_foreign(value: object) -> bool:
    """Whether it is a class, a function or a word of the type system from elsewhere."""
    if inspect.isclass(value) or inspect.isroutine(value):
        return not value.__module__.startswith("tonnage")
    return type(value).__module__ == "typing"


def public_names(package: ModuleType) -> set[str]:
    return {
        name
        for name, value in vars(package).items()
        if not name.startswith("_")
        and name != "TYPE_CHECKING"
        and not inspect.ismodule(value)
        and not is_foreign(value)
    }


@pytest.mark.parametrize("name", PACKAGES)
def test_all_is_sorted_and_names_nothing_twice(name: str):
    names = list(getattr(importlib.import_module(name), "__all__", []))
    assert names == sorted(set(names), key=sort_key)


@pytest.mark.parametrize("name", PACKAGES)
def test_all_is_what_the_package_has_and_no_more(name: str):
    package = importlib.import_module(name)
    if not hasattr(package, "__all__"):
        assert not public_names(package), "it has public names, but no __all__"
        return
    for listed in package.__all__:
        assert getattr(package, listed) is not None
    assert public_names(package) <= set(package.__all__)


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_says_what_it_is(name: str):
    assert (importlib.import_module(name).__doc__ or "").strip()


def test_the_top_offers_what_it_lists():
    assert set(tonnage.__all__) == {*tonnage._ROOMS, "__version__"}
    with pytest.raises(AttributeError, match="has no attribute 'nothing_of_the_kind'"):
        _ = tonnage.nothing_of_the_kind


HEAVY = {
    "tonnage": {"numpy", "pydantic", "click"},
    "tonnage.domain": {"pydantic", "click", "httptools"},
    "tonnage.config": {"click", "httptools"},
    "tonnage.artefact": {"click", "httptools"},
    "tonnage.api": {"click", "httptools"},
    "tonnage.loadtest": {"matplotlib"},
    "tonnage.cli": {"altair"},
}
"""What importing each must not import, besides what none may."""

NEVER = {"locust", "gevent", "sklearn", "onnxruntime", "skl2onnx", "skops", "pandas", "joblib"}


@pytest.mark.parametrize("name", HEAVY)
def test_importing_a_package_imports_nothing_heavy(name: str):
    """In a process of its own; Locust above all, which replaces ``socket.socket``."""
    script = (
        f"import sys, socket, threading; plain = socket.socket; import {name};"
        "assert socket.socket is plain; assert threading.active_count() == 1;"
        "print(*sorted({module.partition('.')[0] for module in sys.modules}))"
    )
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert not (NEVER | HEAVY[name]) & set(finished.stdout.split())
