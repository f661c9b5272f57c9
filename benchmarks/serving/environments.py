"""
One environment a server, from its lock file; the models and bodies once for all.

Everything lies in ``.environments/`` and is made when it is missing.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from catalogue import CATALOGUE, ENVIRONMENTS, HERE, MODELS, SERVERS, Server

ROOT = HERE.parents[1]
INTERPRETER = os.environ.get("BENCH_PYTHON", "/usr/bin/python3")
"""Debian's own build by default: one built without optimisation is 15 to 25 % slower."""


def prepare(servers: Iterable[Server]) -> dict[str, str]:
    """Make what is missing, and return which servers cannot run here and why."""
    absent = {}
    for server in servers:
        reason = _make(server)
        if reason:
            absent[server.name] = reason
    _make_models()
    if "mlflow" in {server.name for server in servers} - absent.keys():
        _save_for_mlflow()
    return absent


def versions(server: Server) -> dict[str, str]:
    """Return the versions of the packages that make a server."""
    if server.environment is None:
        return {}
    script = (
        "import json, sys, importlib.metadata as m;"
        "print(json.dumps({n: m.version(n) for n in sys.argv[1:]} | {'python': sys.version}))"
    )
    text = _run([str(server.python), "-c", script, *server.packages])
    found: dict[str, str] = json.loads(text)
    return found


def revision() -> str:
    """Return what of Tonnage was measured; ``-dirty`` when the tree held more than its commit."""
    try:
        return _run(["git", "describe", "--always", "--dirty"]).strip()
    except (OSError, subprocess.CalledProcessError):
        return "an unknown revision"


def lock() -> None:
    """Resolve every server's versions again, and write its lock file."""
    compiling = ["pip", "compile", "--quiet", "--generate-hashes", "--no-emit-index-url"]
    compiling += ["--no-header", "--python-version", "3.11", "--python-platform", "linux"]
    for name in {server.environment for server in CATALOGUE.values() if server.environment}:
        # Relative, because the lock files tell where their wishes come from.
        folder = (SERVERS / name).relative_to(ROOT)
        wanted = [str(folder / "requirements.in")]
        if name == "tonnage":
            # The versions that Tonnage is tested with.
            wanted = ["--extra", "pack", "pyproject.toml", "--constraint", "requirements/dev.lock"]
        _uv(*compiling, *wanted, "--output-file", str(folder / "requirements.lock"))


def _make(server: Server) -> str | None:
    if server.name == "nginx":
        return None if shutil.which("nginx") else "nginx is not installed (apt: nginx-light)"
    if server.name == "toolkit" and not shutil.which("java"):
        return "Multi Model Server needs Java (apt: openjdk-17-jre-headless)"
    assert server.environment is not None
    lock = SERVERS / server.environment / "requirements.lock"
    stamp = ENVIRONMENTS / server.environment / ".made-from"
    digest = hashlib.sha256(lock.read_bytes() + INTERPRETER.encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == digest:
        return None
    directory = ENVIRONMENTS / server.environment
    shutil.rmtree(directory, ignore_errors=True)
    print(f"making the environment of {server.name}", file=sys.stderr)
    try:
        _uv("venv", "--quiet", "--python", INTERPRETER, "--seed", str(directory))
        install = ("pip", "install", "--quiet", "--python", str(server.python))
        _uv(*install, "--require-hashes", "--requirement", str(lock))
        if server.environment == "tonnage":
            _uv(*install, "--no-deps", "--editable", str(ROOT))
    except subprocess.CalledProcessError as error:
        return f"cannot be installed here: {(error.stderr or '').strip()[-300:]}"
    stamp.write_text(digest)
    return None


def _make_models() -> None:
    """Fit and pack again whenever the code that does it, or Tonnage's artefact, has changed."""
    sources = [HERE / "make_models.py", *SERVERS.glob("tonnage/*.py")]
    sources += (ROOT / "src" / "tonnage" / "artefact").glob("*.py")
    sources.append(ROOT / "examples" / "real_estate" / "service.py")
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(sources))).hexdigest()
    stamp = MODELS / ".made-from"
    if stamp.is_file() and stamp.read_text() == digest:
        return
    print("fitting and packing the models", file=sys.stderr)
    if _make(CATALOGUE["tonnage"]) is not None:
        sys.exit("Tonnage's own environment cannot be made, and it fits the models")
    shutil.rmtree(MODELS, ignore_errors=True)
    _run([str(CATALOGUE["tonnage"].python), str(HERE / "make_models.py"), str(MODELS)])
    stamp.write_text(digest)


def _save_for_mlflow() -> None:
    if (MODELS / "mlflow").is_dir():
        return
    script = SERVERS / "mlflow" / "evaluation.py"
    variables = {"PYTHONPATH": str(SERVERS), "MLFLOW_DISABLE_TELEMETRY": "true"}
    command = [str(CATALOGUE["mlflow"].python), str(script), str(MODELS / "mlflow")]
    _run(
        command, variables | {"BENCH_CASE": "linear", "BENCH_MODEL": str(MODELS / "linear.joblib")}
    )


def _uv(*arguments: str) -> None:
    if importlib.util.find_spec("uv") is None:
        sys.exit("run this with the project's own Python: .venv/bin/python (it has uv)")
    _run([sys.executable, "-m", "uv", *arguments])


def _run(command: list[str], variables: dict[str, str] | None = None, cwd: Path = ROOT) -> str:
    return subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **(variables or {})},
    ).stdout
