"""
Colour is for terminals, and only for those that want it.
"""

import os
import pty
import subprocess
from pathlib import Path

import pytest

from support import TONNAGE


def shown_on_a_terminal(directory: Path, *arguments: str, no_color: str) -> str:
    """Run the command with a terminal as its output, and return what reaches it."""
    ours, theirs = pty.openpty()
    try:
        subprocess.run(
            [TONNAGE, *arguments],
            cwd=directory,
            env={**os.environ, "NO_COLOR": no_color, "TERM": "xterm"},
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            timeout=60,
            check=False,
        )
        return os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("arguments", [("init",), ("doctor", "serve", "image")])
def test_no_color_is_respected_by_faults_and_verbs(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    plain = shown_on_a_terminal(tmp_path, *arguments, no_color="1")
    coloured = shown_on_a_terminal(tmp_path, *arguments, no_color="")

    assert "\x1b[" not in plain
    assert "\x1b[" in coloured
    assert plain.split()[0] == ("error:" if arguments == ("init",) else "tonnage")
