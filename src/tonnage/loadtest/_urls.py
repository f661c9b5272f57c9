"""
URLs that may be fired at.
"""

import ipaddress
from typing import Final
from urllib.parse import SplitResult, urlsplit

from tonnage.domain import ConfigurationError

__all__ = ["DEFAULT_PORTS", "check_ownership", "check_url", "is_loopback"]

DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def check_url(url: str) -> None:
    """
    Refuse what is no http or https URL, and one that holds a password.

    Raises:
        ConfigurationError: With what is wrong.
    """
    hint = "write http://127.0.0.1:8000/evaluate"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ConfigurationError(f"{url!r} is not a URL: {error}", hint=hint) from error
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or _has_gaps(url):
        raise ConfigurationError(f"{url!r} is not an http or https URL", hint=hint)
    _check_no_credentials(parts)


def check_ownership(host: str, i_own: str | None) -> None:
    """
    Refuse a host that is neither this machine nor said to be the user's own.

    Raises:
        ConfigurationError: With the flag that says so.
    """
    if not is_loopback(host) and i_own != host:
        raise ConfigurationError(
            f"{host} is not this machine, and a load test can harm whoever runs it",
            hint=f"if it is yours, say so: --i-own {host}",
        )


def is_loopback(host: str) -> bool:
    """Say whether a name or address is this machine's own by its very form."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _check_no_credentials(parts: SplitResult) -> None:
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(
            "the URL holds a user name or password, which the run record would keep",
            hint="send credentials from a locustfile",
        )


def _has_gaps(url: str) -> bool:
    return any(character.isspace() for character in url)
