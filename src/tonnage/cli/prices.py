"""``tonnage prices``."""

from datetime import UTC, datetime
from pathlib import Path

import click

from tonnage.domain import ConfigurationError
from tonnage.planning import (
    price_list_client,
    prices_document,
    prices_table,
    read_prices,
    refresh_prices,
    write_prices,
)

from ._options import emit_json, json_option

__all__ = ["command"]

_prices_option = click.option(
    "--prices",
    "file",
    type=click.Path(path_type=Path),
    help="Prices that override the packaged ones.",
)


@click.group("prices", invoke_without_command=True, epilog="Example: tonnage prices --json")
@_prices_option
@json_option
@click.pass_context
def command(context: click.Context, *, file: Path | None, as_json: bool) -> None:
    """Show the prices that plans rest on: each with its date, source and confidence."""
    if context.invoked_subcommand is not None:
        context.obj = file
        return
    book = read_prices(file)
    today = datetime.now(UTC).date()
    if as_json:
        emit_json(prices_document(book, today))
    else:
        click.echo(prices_table(book, today))


@command.command("refresh", epilog="Example: tonnage prices refresh -o prices.toml")
@_prices_option
@click.option("--type", "types", metavar="TYPE", multiple=True, help="Only this type; repeatable.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="The file to write."
)
@json_option
@click.pass_obj
def refresh(
    outer: Path | None, *, file: Path | None, types: tuple[str, ...], output: Path, as_json: bool
) -> None:
    """Ask the AWS Price List API, with your credentials, for the hourly prices of hosting."""
    book = read_prices(file or outer)
    unknown = [name for name in types if name not in book.types]
    if unknown:
        raise ConfigurationError(
            f"{book.origin} does not know {unknown[0]}",
            hint="add it there first, with its vcpu and memory_gib",
        )
    refreshed = refresh_prices(
        book, price_list_client(), today=datetime.now(UTC).date(), types=types or None
    )
    written = write_prices(refreshed.book, output)
    if as_json:
        emit_json(
            {
                "file": str(written),
                "changed": {
                    name: {"from": str(old), "to": str(new)}
                    for name, (old, new) in refreshed.changed.items()
                },
                "missing": list(refreshed.missing),
            }
        )
        return
    for name, (old, new) in refreshed.changed.items():
        click.echo(f"{name}: {old} -> {new} dollars an hour")
    for name in refreshed.missing:
        click.echo(f"note: the Price List does not name {name}: its price stays", err=True)
    click.echo(f"wrote {written}: use it with --prices {written}", err=True)
