"""
Handlers as users write them, and a process that may be changed.
"""

import builtins
import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

WriteModel = Callable[..., Path]


@pytest.fixture
def write_model(tmp_path: Path) -> WriteModel:
    """Writes a model's directory: file name → text."""

    def write(**code: str) -> Path:
        (tmp_path / "model" / "code").mkdir(parents=True)
        for name, text in code.items():
            (tmp_path / "model" / "code" / f"{name}.py").write_text(dedent(text))
        return tmp_path / "model"

    return write


@pytest.fixture(autouse=True)
def own_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Loading a handler changes its process, which is its own; here it is put back."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(builtins, "open", builtins.open)
    monkeypatch.setattr(io, "open", io.open)
    for name in ("open", "stat", "lstat", "access", "listdir", "scandir"):
        monkeypatch.setattr(os, name, getattr(os, name))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in {
            "inference",
            "inference_handler",
            "handler_service",
            "helper",
        } | {"sagemaker_inference"}:
            del sys.modules[name]
