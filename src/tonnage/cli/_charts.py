"""
The script that draws the live page's charts, printed by a process of its own.

Making it takes seconds that nothing interrupts, and a JavaScript engine's memory: both would be
felt by the endpoint that serves it.
"""

import sys
from importlib.util import find_spec
from typing import Final

__all__ = ["charts_command"]

_NEEDED: Final = ("altair", "vl_convert")


def charts_command() -> tuple[str, ...]:
    """Return the command that prints the script; empty when the report extra is not installed."""
    if not all(map(find_spec, _NEEDED)):
        return ()
    return sys.executable, "-m", __name__


def _main() -> None:
    import os

    from tonnage.reporting.figures import browser_bundle

    os.nice(10)  # whatever load is on the machine goes first
    # Enclosed, so that the bundle's short names stay out of the page's way.
    sys.stdout.write(f"(() => {{{browser_bundle()}\n}})();")


if __name__ == "__main__":
    _main()
