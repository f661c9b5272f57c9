"""
The requests as bytes, made before they are due.
"""

import importlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import numpy as np

from tonnage.domain import ConfigurationError
from tonnage.http import encode_request
from tonnage.loadtest.open_plan import Target
from tonnage.loadtest.payload import Payload

from .signing import Signer

__all__ = ["DISTINCT", "Messages", "SignedMessages", "messages_for"]

DISTINCT: Final = 8192
"""So many different payloads are made and sent in turn."""

_DISTINCT_SIGNED: Final = 256
_SIGNATURE_AGE_SECONDS: Final = 120.0
"""AWS takes a signature for five minutes; it is renewed well before."""


class Messages(Protocol):
    """Whole requests to send in turn."""

    @property
    def all(self) -> Sequence[bytes]:
        """The requests; the k-th send takes the k-th modulo their number."""
        ...

    def renew(self, now_seconds: float) -> None:
        """Do what has to be done about once a second."""
        ...


class _Fixed:
    def __init__(self, messages: Sequence[bytes]) -> None:
        self.all = messages

    def renew(self, now_seconds: float) -> None:
        """Nothing: they do not age."""


class SignedMessages:
    """
    Requests whose signatures age: a few are signed anew each second, none gets two minutes old.

    A signature costs some 0.2 ms, which would be the generator's limit if each request had its
    own. AWS accepts the same signed request again while it is fresh.
    """

    def __init__(self, bodies: Sequence[bytes], sign: Callable[[bytes], bytes]) -> None:
        self._bodies = bodies
        self._sign = sign
        self._next = 0
        self._renewed_seconds = time.monotonic()
        self.all = [sign(body) for body in bodies]

    def renew(self, now_seconds: float) -> None:
        """Sign the oldest anew, as many as the time since the last call asks for."""
        share = (now_seconds - self._renewed_seconds) / _SIGNATURE_AGE_SECONDS
        count = min(len(self.all), int(share * len(self.all)))
        if count == 0:
            return
        self._renewed_seconds = now_seconds
        for _ in range(count):
            self.all[self._next] = self._sign(self._bodies[self._next])
            self._next = (self._next + 1) % len(self.all)


def messages_for(target: Target, *, seed: int) -> Messages:
    """
    Return the requests to a target.

    Raises:
        ConfigurationError: If the payload's function cannot be found, or fails.
    """
    payload = target.payload
    distinct = _DISTINCT_SIGNED if target.sagemaker else DISTINCT
    bodies = _bodies(payload, 1 if payload.is_constant else distinct, seed)
    if target.sagemaker is not None:
        signer = Signer(target)
        return SignedMessages(bodies, signer.message)
    host = f"[{target.host}]" if ":" in target.host else target.host
    headers = {"Content-Type": payload.content_type} if bodies[0] else {}
    return _Fixed(
        [
            encode_request(
                payload.method,
                target.request_target,
                host=f"{host}:{target.port}",
                headers=headers,
                body=body,
            )
            for body in bodies
        ]
    )


def _bodies(payload: Payload, count: int, seed: int) -> list[bytes]:
    random = np.random.default_rng([seed, 1])  # not the stream that drew the arrivals
    if payload.function is not None:
        make = _function(payload)
        return [_made(payload.function, make, random) for _ in range(count)]
    if payload.bodies:
        return [_json(body) for body in payload.bodies]
    if not payload.ranges:
        return [b"" if payload.body is None else _json(payload.body)]
    fixed = payload.body or {}
    columns = {name: random.uniform(*span, count) for name, span in payload.ranges.items()}
    return [
        _json({**fixed, **{name: float(column[row]) for name, column in columns.items()}})
        for row in range(count)
    ]


def _function(payload: Payload) -> Callable[[np.random.Generator], Any]:
    assert payload.function is not None
    module, _, name = payload.function.partition(":")
    sys.path.insert(0, str(payload.directory.absolute()))
    try:
        found: Callable[[np.random.Generator], Any] = getattr(importlib.import_module(module), name)
    except Exception as error:
        raise ConfigurationError(
            f"the payload function {payload.function} cannot be had: {error}",
            hint="it is looked for beside tonnage.toml, or in the working directory",
        ) from error
    return found


def _made(
    name: str, make: Callable[[np.random.Generator], Any], random: np.random.Generator
) -> bytes:
    try:
        value = make(random)
        return value if isinstance(value, bytes) else _json(value)
    except Exception as error:
        raise ConfigurationError(
            f"the payload function {name} failed: {type(error).__name__}: {error}"
        ) from error


def _json(value: object) -> bytes:
    return json.dumps(value, allow_nan=False).encode()
