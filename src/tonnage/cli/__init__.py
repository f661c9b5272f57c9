"""
The command line: one module a verb. Each parses, converts settings, calls one function, prints.

Verbs are imported when they are called: ``tonnage serve`` starts without what the others need, and
``serve`` in a container without click.
"""

import os
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ._group import cli

__all__ = ["cli", "limit_threads", "main"]

_ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_VERBS: Final = {
    "init": "a model of your own → service.py, tonnage.toml, locustfile.py",
    "pack": "model → artefact, without a pickle, verified",
    "serve": "one instance, as SageMaker runs it",
    "up": "an endpoint on one local port: REST API, SageMaker runtime, scaling",
    "load": "one load test: users, or arrivals that wait for nobody",
    "line": "the load line: the highest open-loop rate at which the objective holds",
    "simulate": "what the scaling policy would have done on some traffic, and its cost",
    "plan": "the cheapest configuration that meets the objective, and what the others cost",
    "prices": "the dated prices that plans rest on, and their refresh",
    "image": "artefact → the container image that SageMaker runs",
    "synth": "the settings as CloudFormation templates, offline",
    "diff": "what a deployment would change",
    "deploy": "the settings on AWS; says what a month costs first",
    "verify": "a running endpoint, held against its plan",
    "swarm": "a load test by several machines on ECS Fargate; says what it costs first",
    "destroy": "deletes a deployment, and lists what could still bill",
    "rehearse": "the whole story in compressed time, ending in a report",
    "report": "run records → page, pictures, summary",
    "compare": "two runs: better, worse or no difference, with the size and interval",
    "doctor": "what is installed, and what each verb would need",
    "completion": "the script that completes verbs and flags in your shell",
}


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit."""
    limit_threads()
    sys.exit(_run(arguments))


def limit_threads() -> None:
    """Keep numpy's libraries to one thread; call it before anything imports numpy."""
    # They read these when they are first imported, and start threads. A server that forks its
    # workers must have none, and nothing here needs more than one.
    for variable in _ONE_THREAD:
        os.environ.setdefault(variable, "1")


def _run(arguments: list[str] | None) -> int:
    import click

    from ._faults import INTERRUPTED, colour_allowed, exit_code, show
    from ._group import cli

    try:
        result = cli.main(
            arguments, prog_name="tonnage", standalone_mode=False, color=colour_allowed()
        )
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except Exception as error:
        code = exit_code(error)
        if code is None:
            raise
        show(error)
        return code
    return result if isinstance(result, int) else 0


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name != "cli":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from ._group import cli

        return cli
