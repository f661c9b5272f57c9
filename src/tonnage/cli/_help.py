"""
Help that fits a screen: a verb of many options shows the common ones, and all on request.
"""

from collections.abc import Collection
from typing import Any, Final

import click

__all__ = ["ALL", "LongVerb"]

ALL: Final = "--help-all"
"""The flag that lists every option."""

_WANTED: Final = f"{__name__}.all"


class LongVerb(click.Command):
    """
    A verb whose ``--help`` lists its common options, and whose ``--help-all`` lists all.

    Args:
        common: The names of the parameters that ``--help`` lists.

    Raises:
        ValueError: If a name is no parameter of the verb.
    """

    def __init__(self, *args: Any, common: Collection[str], **options: Any) -> None:  # noqa: ANN401 (click's own)
        super().__init__(*args, **options)
        unknown = set(common) - {parameter.name for parameter in self.params}
        if unknown:
            raise ValueError(f"{self.name} has no parameter {', '.join(sorted(unknown))}")
        self._common = frozenset(common)
        left_out = sum(
            isinstance(parameter, click.Option) and not self._is_common(parameter)
            for parameter in self.params
        )
        self.params.append(
            click.Option(
                [ALL],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_show_all,
                help=f"List all options: {left_out} more.",
            )
        )

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options that were asked for."""
        shown = [
            record
            for parameter in self.get_params(ctx)
            if ctx.meta.get(_WANTED) or self._is_common(parameter)
            if (record := parameter.get_help_record(ctx)) is not None
        ]
        with formatter.section("Options"):
            formatter.write_dl(shown)

    def _is_common(self, parameter: click.Parameter) -> bool:
        return parameter.name in self._common or bool({ALL, "--help"} & {*parameter.opts})


def _show_all(ctx: click.Context, parameter: click.Parameter, wanted: bool) -> None:  # noqa: ARG001 (click's signature)
    if wanted and not ctx.resilient_parsing:
        ctx.meta[_WANTED] = True
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()
