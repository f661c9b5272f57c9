"""
A coverage-guided fuzz of the reader of requests; ``make fuzz`` runs it for a minute.

It needs atheris, which is not among the development tools: ``requirements/fuzz.lock``.
Arguments are libFuzzer's: ``fuzz_requests.py -max_total_time=60 [CORPUS]``. A finding is written to
``crash-…`` in the working directory and becomes a plain test.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tonnage.http", "h11"]):
    from differential import SEEDS, check

    from tonnage.http._heads import KnownHeads

_HEADS = KnownHeads()


def one_input(data: bytes) -> None:
    """Take the size of the pieces from the last byte, and the rest as what a client sends."""
    if data:
        check(data[:-1], 1 + data[-1] % 40, _HEADS)


def main() -> None:
    """Fuzz from the seeds, beside whatever corpus the arguments name."""
    with tempfile.TemporaryDirectory() as seeds:
        for number, seed in enumerate(SEEDS):
            Path(seeds, str(number)).write_bytes(seed + b"\x07")
        atheris.Setup([*sys.argv, seeds], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
