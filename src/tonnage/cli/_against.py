"""
A service by its URL or by the command that starts it, and another one to compare it with.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from tonnage.config import Settings
from tonnage.domain import ConfigurationError
from tonnage.loadtest.placement import Placement, on_cores
from tonnage.loadtest.services import is_url, started_service

from ._options import DEFAULT_URL, route_of

__all__ = ["against_options", "compared_services", "placement_of", "service_under_test"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def against_options(function: _Function) -> _Function:
    """Add ``--head`` and ``--against`` to a verb."""
    options = (
        click.option(
            "--head",
            "head",
            metavar="COMMAND",
            help="Start the service under test by this command; {port} in it and in URL is a free"
            " port.",
        ),
        click.option(
            "--against",
            metavar="COMMAND|URL",
            help="Compare with this base, in turn: a URL or a command.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


@contextmanager
def service_under_test(settings: Settings, url: str | None, head: str | None) -> Iterator[str]:
    """Give the URL of the service under test, started first when a command says how."""
    if head is None:
        if url is not None and "{port}" in url:
            raise ConfigurationError(
                f"{url} has a {{port}} that no command is given", hint="add --head COMMAND"
            )
        yield route_of(settings.service.route, url)
        return
    with _started(settings, head, url) as running:
        yield running


@contextmanager
def compared_services(
    settings: Settings,
    url: str | None,
    head: str | None,
    against: str,
    *,
    placement: Placement | None = None,
) -> Iterator[tuple[str, str]]:
    """Give the URLs of base and head, each started first when a command says how."""
    with ExitStack() as stack:
        with on_cores(placement.services if placement else None):
            if is_url(against):
                base_url = route_of(settings.service.route, against)
            else:
                base_url = stack.enter_context(_started(settings, against, url))
            head_url = stack.enter_context(service_under_test(settings, url, head))
        if base_url == head_url:
            raise ConfigurationError(
                f"base and head are both {base_url}", hint="name two services, or use {port}"
            )
        yield base_url, head_url


def placement_of(head: str | None, against: str, processes: int) -> Placement | None:
    """Return who has which cores where both services are started here; else None."""
    if head is None or is_url(against):
        return None
    return Placement.of_this_machine(processes)


@contextmanager
def _started(settings: Settings, command: str, url: str | None) -> Iterator[str]:
    place = url if url is not None and "{port}" in url else _free_port_at(url)
    click.echo(f"starting {command}", err=True)
    with started_service(command, url=route_of(settings.service.route, place)) as running:
        yield running


def _free_port_at(url: str | None) -> str:
    """Return where a started service is: the path is the given URL's, host and port are ours."""
    path = urlsplit(url or DEFAULT_URL).path
    return f"http://127.0.0.1:{{port}}{path}"
