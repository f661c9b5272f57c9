"""
The command line: one module a verb. Each parses, converts settings, calls one function, prints.

Verbs are imported when they are called: ``tonnage serve`` starts without what the others need.
"""

import importlib
import os
import sys
from typing import Final

import click

from tonnage import __version__

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


class _Verbs(click.Group):
    """The verbs, in the order of the story."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (click's signature)
        if cmd_name not in _VERBS:
            return None
        command: click.Command = importlib.import_module(f".{cmd_name}", __name__).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (click's signature)
        with formatter.section("Verbs"):
            formatter.write_dl(list(_VERBS.items()))


@click.group(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 fault, 2 misuse, 3 objective missed, 4 measurement invalid,"
    " 5 target unreachable, 130 interrupted.",
)
@click.version_option(__version__, prog_name="tonnage", message="%(prog)s %(version)s")
def cli() -> None:
    """Know the load your model carries."""


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
    from ._faults import INTERRUPTED, colour_allowed, exit_code, show

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
