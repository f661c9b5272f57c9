"""
Node.js, which the AWS CDK runs in: found, or named if missing.
"""

import os
import shutil
import subprocess
from typing import Final

from tonnage.domain import ConfigurationError

__all__ = ["find_node", "quieten_jsii"]

_INSTALL: Final = (
    "install Node.js 20 or newer (Debian 13: apt install nodejs npm; elsewhere: nodejs.org)"
)
_OLDEST: Final = 20
_ANSWER_SECONDS: Final = 30.0


def find_node() -> int:
    """
    Return the major version of the Node.js on the PATH.

    Raises:
        ConfigurationError: If there is none, or it is too old for the CDK.
    """
    node = shutil.which("node")
    if node is None:
        raise ConfigurationError(
            "the AWS CDK needs Node.js, and there is no `node` on the PATH", hint=_INSTALL
        )
    try:
        answered = subprocess.run(
            [node, "--version"],
            capture_output=True,
            text=True,
            timeout=_ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigurationError(f"{node} does not run: {error}", hint=_INSTALL) from error
    major = answered.stdout.strip().removeprefix("v").partition(".")[0]
    if answered.returncode != 0 or not major.isdecimal():
        raise ConfigurationError(f"{node} tells no version", hint=_INSTALL)
    if int(major) < _OLDEST:
        raise ConfigurationError(
            f"the AWS CDK needs Node.js {_OLDEST} or newer, not {major}", hint=_INSTALL
        )
    return int(major)


def quieten_jsii(node_major: int) -> None:
    """Silence jsii's banners about this version of Node.js; call it before ``aws_cdk`` starts."""
    # jsii takes the version itself; "1" or "true" would do nothing.
    for what in ("END_OF_LIFE", "UNTESTED"):
        os.environ.setdefault(f"JSII_SILENCE_WARNING_{what}_NODE_VERSION", str(node_major))
