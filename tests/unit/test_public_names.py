"""
What the package offers at its top is the same thing that its rooms have, imported when first used.
"""

import subprocess
import sys
from importlib import import_module

import pytest

import tonnage

NOTEBOOK = ["init", "pack", "up_in_background", "load", "line", "simulate", "plan", "rehearse"]
"""The story's verbs, as functions."""


@pytest.mark.parametrize("name", sorted(tonnage._ROOMS))
def test_a_name_at_the_top_is_its_rooms_own(name: str) -> None:
    room = import_module(f"tonnage.{tonnage._ROOMS[name]}")
    assert name in room.__all__
    assert getattr(tonnage, name) is getattr(room, name)


@pytest.mark.parametrize("name", NOTEBOOK)
def test_each_verb_of_the_story_is_a_function(name: str) -> None:
    assert name in tonnage.__all__
    assert callable(getattr(tonnage, name))
    assert (getattr(tonnage, name).__doc__ or "").strip()


def test_all_names_are_shown_to_who_looks_for_them() -> None:
    assert dir(tonnage) == sorted(tonnage.__all__)


def test_using_every_name_replaces_no_socket_and_imports_no_model_library() -> None:
    """In a process of its own; a notebook's sockets are its kernel's."""
    script = (
        "import socket, sys, tonnage; plain = socket.socket;"
        "[getattr(tonnage, name) for name in tonnage.__all__];"
        "assert socket.socket is plain;"
        "print(*{'sklearn', 'locust', 'gevent', 'aws_cdk', 'skl2onnx'} & set(sys.modules))"
    )
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.split() == []
