"""
The console script ``serve``: what ``docker run IMAGE serve`` starts.

It is no verb of ``tonnage``: it takes no options, because SageMaker gives none, and reads the
environment instead.
"""

import gc
import logging
import os
import signal
import sys
from typing import Final

from . import limit_threads

__all__ = ["main"]

logger = logging.getLogger(__name__)

_MISUSE: Final = 2


def main(arguments: list[str] | None = None) -> None:
    """
    Serve as SageMaker's contract has it, and exit.

    Args:
        arguments: Nothing or ``serve``, which SageMaker adds to an image's entry point.
    """
    # A container's first process does not end on a signal that it has no handler for: the kernel
    # drops it. One that is held back waits until the supervisor looks.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    given = sys.argv[1:] if arguments is None else arguments
    if given not in ([], ["serve"]):
        print(  # noqa: T201 (a command's own words)
            f"error: this image serves; its one argument is `serve`, not `{' '.join(given)}`",
            file=sys.stderr,
        )
        sys.exit(_MISUSE)
    limit_threads()
    sys.exit(_serve())


def _serve() -> int:
    gc.disable()  # imports make objects that stay; ``serve`` enables it when all is loaded
    # All of these import numpy.
    from tonnage.domain import TonnageError
    from tonnage.serving.container import run_container

    try:
        run_container(os.environ)
    except TonnageError as error:
        from ._faults import exit_code  # here: it needs click, and who serves does not

        logger.error(error.message, extra={"hint": error.hint})  # noqa: TRY400 (a known fault)
        return exit_code(error) or 1
    except Exception:
        logger.exception("the container failed")
        return 1
    return 0
