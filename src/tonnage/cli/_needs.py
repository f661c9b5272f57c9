"""
What each verb needs beyond the core, and whether it is here: looked up, never imported or run.
"""

import importlib.metadata
import importlib.util
import os
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["NEEDS", "Finding", "machine_findings", "needs_of"]

_FEW_DESCRIPTORS: Final = 4096
_FEW_CORES: Final = 2
_LOCAL_PORTS: Final = {8000: "tonnage up", 8080: "tonnage serve"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """
    One thing that was looked for.

    Attributes:
        name: What it is.
        found: Its version, place or value; None when it is missing.
        next_step: What to do about it; None when it is as it should be.
    """

    name: str
    found: str | None
    next_step: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Package:
    """A distribution that an extra installs, by the module it is imported as."""

    name: str
    module: str
    extra: str

    def look(self) -> Finding:
        if importlib.util.find_spec(self.module) is None:
            step = f"pip install 'tonnage[{self.extra}]'"
            return Finding(name=self.name, found=None, next_step=step)
        return Finding(name=self.name, found=importlib.metadata.version(self.name))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Program:
    """A program on the path."""

    name: str
    next_step: str

    def look(self) -> Finding:
        place = shutil.which(self.name)
        return Finding(name=self.name, found=place, next_step=None if place else self.next_step)


class _Credentials:
    """AWS credentials, as boto3 would find them, without asking the network for them."""

    def look(self) -> Finding:
        place = _credentials_place(os.environ)
        step = "set AWS_PROFILE or AWS_ACCESS_KEY_ID, or run `aws configure`"
        return Finding(name="AWS credentials", found=place, next_step=None if place else step)


_Need = _Package | _Program | _Credentials

_PACK: Final = (
    _Package(name="scikit-learn", module="sklearn", extra="pack"),
    _Package(name="skl2onnx", module="skl2onnx", extra="pack"),
    _Package(name="skops", module="skops", extra="pack"),
)
_SIGNING: Final = _Package(name="botocore", module="botocore", extra="load")
_LOCUST: Final = _Package(name="locust", module="locust", extra="load")
_REPORT: Final = (
    _Package(name="altair", module="altair", extra="report"),
    _Package(name="vl-convert-python", module="vl_convert", extra="report"),
)
_BOTO3: Final = _Package(name="boto3", module="boto3", extra="aws")
_DOCKER: Final = _Program(name="docker", next_step="install Docker, or build elsewhere")
_NODE: Final = _Program(name="node", next_step="install Node.js 22 or newer")
_CDK: Final = (_Package(name="aws-cdk-lib", module="aws_cdk", extra="aws"), _NODE)
_CREDENTIALS: Final = _Credentials()

NEEDS: Final[Mapping[str, tuple[_Need, ...]]] = {
    "init": _PACK,
    "pack": _PACK,
    "serve": (),
    "up": (_SIGNING,),
    "load": (_LOCUST, *_REPORT),
    "line": _REPORT,
    "compare": _REPORT,
    "simulate": _REPORT,
    "plan": _REPORT,
    "prices refresh": (_BOTO3, _CREDENTIALS),
    "image": (_DOCKER,),
    "synth": _CDK,
    "deploy": (*_CDK, _Program(name="npm", next_step="install Node.js"), _DOCKER, _CREDENTIALS),
    "swarm": (*_CDK, _Program(name="npm", next_step="install Node.js"), _DOCKER, _CREDENTIALS),
    "verify": (_BOTO3, _CREDENTIALS),
    "rehearse": (*_PACK, _LOCUST, *_REPORT),
    "report": _REPORT,
}
"""Verb → what it needs; verbs that need nothing but the core stand here, too."""


def needs_of(verb: str) -> list[Finding]:
    """Return what a verb needs, each with what was found of it."""
    return [need.look() for need in NEEDS[verb]]


def machine_findings() -> list[Finding]:
    """Return what is known of this machine that bears on load and capacity."""
    return [_cores(), _descriptors(), _priority(), *_ports()]


def _cores() -> Finding:
    count = len(os.sched_getaffinity(0))
    step = "load generator and service will disturb each other" if count < _FEW_CORES else None
    return Finding(name="cores", found=str(count), next_step=step)


def _descriptors() -> Finding:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    step = "ulimit -n 65536, for thousands of connections" if soft < _FEW_DESCRIPTORS else None
    return Finding(name="open files", found=str(soft), next_step=step)


def _priority() -> Finding:
    is_root = os.geteuid() == 0
    found = "may be raised" if is_root else "as it is: a busy machine will show in the figures"
    return Finding(name="priority", found=found)


def _ports() -> list[Finding]:
    findings = []
    for port, verb in _LOCAL_PORTS.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                findings.append(Finding(name=f"port {port}", found="free"))
            except OSError:
                step = f"`{verb}` needs --port, or what listens there to end"
                findings.append(Finding(name=f"port {port}", found="in use", next_step=step))
    return findings


def _credentials_place(environment: Mapping[str, str]) -> str | None:
    if environment.get("AWS_ACCESS_KEY_ID"):
        return "AWS_ACCESS_KEY_ID"
    for variable in ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_WEB_IDENTITY_TOKEN_FILE"):
        if environment.get(variable):
            return variable
    files = {
        "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials",
        "AWS_CONFIG_FILE": "~/.aws/config",
    }
    for variable, default in files.items():
        file = Path(environment.get(variable, default)).expanduser()
        if file.is_file():
            return str(file)
    return None
