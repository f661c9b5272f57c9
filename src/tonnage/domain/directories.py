"""
Results that are directories: there whole or not at all.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["replacing_directory"]


@contextmanager
def replacing_directory(directory: Path) -> Iterator[Path]:
    """
    Give a new directory to write into, and put it in the place of ``directory`` in one step.

    When the block raises, what was there before stays, and nothing of the new one does.

    Args:
        directory: What is replaced, whatever it holds: ask before whether it may be.

    Yields:
        The new directory, beside it.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        fresh.chmod(0o755)
        yield fresh
        if directory.exists():
            shutil.rmtree(directory)
        fresh.replace(directory)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
