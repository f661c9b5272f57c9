"""
A front as plain values, and which of them go together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from tonnage.domain import ConfigurationError
from tonnage.planning import Front

__all__ = ["Auth", "FrontOptions"]

Auth = Literal["iam", "api_key", "none"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FrontOptions:
    """
    What stands before an endpoint on AWS.

    Attributes:
        front: Which of the four.
        name: The service's name.
        route: Where predictions are asked for, as on the local port.
        artefact: The packed model whose service it fronts.
        auth: Who may call: those whom IAM lets (signed requests), holders of a key, or anybody.
        cors_origins: Where browsers may call from; ``*`` is anywhere.
        throttle_per_second: The steady rate from which on it answers 429; None leaves the
            account's own limit, 10,000 per second and region for all APIs together.
        throttle_burst: How many may come at once above that; None with the rate.
        stage: The stage of a REST API and of Chalice, a part of the URL.
        log_retention_days: How long access logs are kept.
        example_body: A request body that the service takes, for the ready ``curl`` line.

    Raises:
        ConfigurationError: If they do not go together.
    """

    front: Front
    name: str
    route: str
    artefact: Path
    auth: Auth = "iam"
    cors_origins: Sequence[str] = ()
    throttle_per_second: float | None = None
    throttle_burst: int | None = None
    stage: str = "prod"
    log_retention_days: int = 30
    example_body: str = "{}"

    def __post_init__(self) -> None:
        if self.front is Front.HTTP and self.auth == "api_key":
            raise ConfigurationError(
                'an HTTP API has no API keys, so front = "http" cannot have auth = "api_key"',
                hint='choose front = "rest" or "chalice" for a key (which meters, and is no'
                ' authentication), or auth = "iam"',
            )
        if self.front is Front.NONE and self.auth != "iam":
            raise ConfigurationError(
                f'front = "none" is the endpoint itself, which takes signed requests only, not'
                f' auth = "{self.auth}"',
                hint='choose auth = "iam", or a front',
            )
        if (self.throttle_per_second is None) != (self.throttle_burst is None):
            raise ConfigurationError(
                "throttling is a rate and a burst; one of them is missing",
                hint="give both, or none for the account's own limit",
            )
        for origin in self.cors_origins:
            _check_origin(origin)


def _check_origin(origin: str) -> None:
    parts = urlsplit(origin)
    whole = f"{parts.scheme}://{parts.netloc}"
    if origin != "*" and (parts.scheme not in {"http", "https"} or whole != origin):
        raise ConfigurationError(
            f"{origin!r} is no origin of web pages",
            hint="write it as browsers send it: https://shop.example.com, without a path",
        )
