"""
The installed Tonnage as a wheel: an image runs what built it, with no build tool and no index.
"""

import base64
import hashlib
import zipfile
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

import tonnage
from tonnage.domain import ConfigurationError

__all__ = ["write_wheel"]

_PACKAGE: Final = Path(tonnage.__file__).parent
_METADATA: Final = ("METADATA", "entry_points.txt")
_WHEEL: Final = "Wheel-Version: 1.0\nGenerator: tonnage\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_PLAIN_FILE: Final = 0o100644 << 16


def write_wheel(directory: Path) -> Path:
    """
    Write the installed package as a wheel, the same byte for byte for the same package.

    Args:
        directory: Where it goes.

    Raises:
        ConfigurationError: If the installed package has no command ``serve``.
    """
    installed = distribution("tonnage")
    stem = f"tonnage-{installed.version}"
    files = {
        f"tonnage/{file.relative_to(_PACKAGE).as_posix()}": file.read_bytes()
        for file in sorted(_PACKAGE.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    }
    for name in _METADATA:
        files[f"{stem}.dist-info/{name}"] = (installed.read_text(name) or "").encode()
    if b"serve =" not in files[f"{stem}.dist-info/entry_points.txt"]:
        raise ConfigurationError(
            "the installed Tonnage has no command `serve`: it is older than its source",
            hint="install it again (in a checkout: make setup)",
        )
    files[f"{stem}.dist-info/WHEEL"] = _WHEEL.encode()
    record = f"{stem}.dist-info/RECORD"
    files[record] = _record(files, record)
    wheel = directory / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name)  # dated 1980, whenever it is written
            member.external_attr = _PLAIN_FILE
            archive.writestr(member, content, zipfile.ZIP_DEFLATED)
    return wheel


def _record(files: dict[str, bytes], record: str) -> bytes:
    lines = [f"{name},{_digest(content)},{len(content)}" for name, content in files.items()]
    return "\n".join([*lines, f"{record},,", ""]).encode()


def _digest(content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode()
    return f"sha256={digest.rstrip('=')}"
