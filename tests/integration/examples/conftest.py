"""
The reference example as a user has it: imported from its folder, trained once by its own command.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLE = Path(__file__).parents[3] / "examples" / "real_estate"
MODULES = ("charts", "service", "train", "training_job")
KERNEL = "this-interpreter"


@pytest.fixture(scope="session")
def example() -> Path:
    return EXAMPLE


@pytest.fixture
def imported(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    """Imports a module of the example, and forgets it after the test."""
    monkeypatch.setattr(sys, "path", [str(EXAMPLE), *sys.path])
    yield import_module
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture
def train(imported: Callable[[str], ModuleType]) -> ModuleType:
    return imported("train")


@pytest.fixture
def service(imported: Callable[[str], ModuleType]) -> ModuleType:
    return imported("service")


@pytest.fixture(scope="session")
def training(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """One ``python train.py`` from a directory of its own: where it wrote, and what it printed."""
    output = tmp_path_factory.mktemp("training")
    finished = subprocess.run(
        [sys.executable, "-X", "utf8", "-W", "error", str(EXAMPLE / "train.py"), "--output", "out"],
        cwd=output,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ""
    return output / "out", finished.stdout


@pytest.fixture(scope="session")
def trained(training: tuple[Path, str]) -> Path:
    return training[0]


@pytest.fixture(scope="session")
def printed(training: tuple[Path, str]) -> str:
    return training[1]


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A kernel of the running interpreter, with every Jupyter directory outside the home."""
    jupyter = tmp_path / "jupyter"
    for variable in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(variable, str(jupyter / variable.lower()))
    monkeypatch.setenv("JUPYTER_PATH", str(jupyter))
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Python of this test",
        "language": "python",
    }
    directory = jupyter / "kernels" / KERNEL
    directory.mkdir(parents=True)
    (directory / "kernel.json").write_text(json.dumps(spec))
    return KERNEL
