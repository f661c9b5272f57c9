"""
The Lambda package of a front: small, whole, the same each time, and without the model's libraries.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tonnage.artefact import FileEntry, Manifest, PackReport
from tonnage.deployment.fronts import FrontPackage, write_lambda_package
from tonnage.domain import ArtefactError, ConfigurationError

MB = 1_000_000


@pytest.fixture(scope="module")
def package(packed: PackReport, tmp_path_factory: pytest.TempPathFactory) -> FrontPackage:
    directory = tmp_path_factory.mktemp("front") / "package"
    return write(directory, packed.directory)


def write(directory: Path, artefact: Path, **options: str) -> FrontPackage:
    return write_lambda_package(
        directory, artefact=artefact, name="real-estate", route="/evaluate", **options
    )


def digest(directory: Path) -> str:
    content = hashlib.sha256()
    for file in sorted(path for path in directory.rglob("*") if path.is_file()):
        content.update(f"{file.relative_to(directory)}\0".encode() + file.read_bytes())
    return content.hexdigest()


def test_it_is_small(package: FrontPackage):
    files = [file for file in package.directory.rglob("*") if file.is_file()]
    assert package.size_bytes == sum(file.stat().st_size for file in files)
    assert package.size_bytes <= 15 * MB


def test_what_predicts_is_left_out(package: FrontPackage):
    names = {path.name for path in package.directory.iterdir()}
    assert not names & {"numpy", "onnxruntime", "sklearn", "botocore", "boto3", "click"}
    assert {"numpy", "onnxruntime"} <= set(package.left_out)
    assert not list(package.directory.rglob("*.onnx"))
    assert (package.directory / "service" / "code" / "service.py").is_file()


def test_every_module_has_byte_code_that_needs_no_check(package: FrontPackage):
    """Lambda's disk cannot be written to: without it each cold start would compile pydantic."""
    tag = sys.implementation.cache_tag
    for source in package.directory.rglob("*.py"):
        compiled = source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc"
        assert compiled.read_bytes()[4:8] == b"\1\0\0\0", "by an unchecked hash, not by a date"


def test_the_same_artefact_makes_the_same_package(
    package: FrontPackage, packed: PackReport, tmp_path: Path
):
    """The template holds its hash: a deploy must change nothing when nothing has changed."""
    again = write(tmp_path / "package", packed.directory)
    assert digest(again.directory) == digest(package.directory)


def run(package: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script that sees the package and the standard library alone."""
    return subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {str(package)!r})\n{script}",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_refuses_what_the_local_front_refuses(package: FrontPackage):
    bodies = ['{"distance": 150}', "{}", "{", '{"distance": "150"}', '{"distance": NaN}', "[]"]
    script = f"""
import json
from tonnage_front.opening import open_front
front = open_front()
from tonnage.api import ApiResponse
answers = [front.accept("POST", "/evaluate", {{}}, body.encode()) for body in {bodies!r}]
told = [[a.status, a.body.decode()] if isinstance(a, ApiResponse) else None for a in answers]
print(json.dumps([told, sorted(sys.modules)]))
"""
    finished = run(package.directory, script)
    assert finished.returncode == 0, finished.stderr
    told, modules = json.loads(finished.stdout)
    assert "numpy.linalg" not in modules, "it is a stand-in"

    from tonnage.api import ApiResponse, Front
    from tonnage.artefact import LoadedService

    service = package.directory / "service"
    manifest = Manifest.read(service)
    from tonnage.artefact import import_service

    loaded = LoadedService(
        manifest=manifest, service=import_service(manifest.handler, service / "code")
    )
    front = Front(loaded, name="real-estate", route="/evaluate")
    here = [front.accept("POST", "/evaluate", {}, body.encode()) for body in bodies]
    assert told == [
        [a.status, a.body.decode()] if isinstance(a, ApiResponse) else None for a in here
    ]


def test_a_stand_in_says_what_to_do_when_it_is_used(package: FrontPackage):
    script = """
from tonnage_front.opening import open_front
front = open_front()
import numpy as np
from numpy.typing import NDArray
annotated = NDArray[np.float64] | None
try:
    np.linalg.norm([1.0])
except ImportError as error:
    print(error)
"""
    finished = run(package.directory, script)
    assert finished.returncode == 0, finished.stderr
    assert "numpy.linalg.norm was called, and the front has no numpy" in finished.stdout
    assert "requirements.txt" in finished.stdout


def test_the_stand_ins_install_nothing_over_what_is_there(package: FrontPackage, tmp_path: Path):
    (tmp_path / "numpy.py").write_text("here = True\n")
    script = f"""
sys.path.append({str(tmp_path)!r})
from tonnage_front.stand_ins import install
install(["numpy"])
import numpy
print(numpy.here)
"""
    assert run(package.directory, script).stdout == "True\n"


@pytest.fixture
def changed(packed: PackReport, tmp_path: Path) -> Callable[..., Path]:
    """The artefact with other code; its manifest agrees."""

    def make(code: str, requirements: str | None = None) -> Path:
        artefact = tmp_path / "artefact"
        shutil.copytree(packed.directory, artefact)
        source = artefact / "code" / "service.py"
        source.write_text(source.read_text() + code)
        files = {"code/service.py": source.read_bytes()}
        if requirements is not None:
            (artefact / "code" / "requirements.txt").write_text(requirements)
            files["code/requirements.txt"] = requirements.encode()
        manifest = Manifest.read(artefact)
        entries = {name: FileEntry.of(content) for name, content in files.items()}
        manifest = replace(manifest, files={**manifest.files, **entries})
        (artefact / "manifest.json").write_bytes(manifest.to_bytes())
        return artefact

    return make


AT_IMPORT = "\nSCALE = np.array([1.0, 2.0])\n"


def test_models_that_cannot_do_without_a_library_are_refused_when_it_is_written(
    changed: Callable[..., Path], tmp_path: Path
):
    with pytest.raises(ConfigurationError, match=r"numpy\.array was called") as caught:
        write(tmp_path / "package", changed(AT_IMPORT))
    assert "requirements.txt" in (caught.value.hint or "")


def test_what_requirements_name_goes_in(changed: Callable[..., Path], tmp_path: Path):
    code = "\nimport packaging.version\n\nVERSION = packaging.version.Version('1')\n"
    package = write(tmp_path / "package", changed(code, "# a comment\npackaging>=20  # why\n"))
    assert (package.directory / "packaging").is_dir()
    assert "packaging" not in package.left_out


@pytest.mark.parametrize(
    ("requirements", "says"),
    [("-r other.txt\n", "names no package"), ("no-such-package-here\n", "is not installed")],
)
def test_requirements_that_cannot_be_had_are_named(
    changed: Callable[..., Path], tmp_path: Path, requirements: str, says: str
):
    with pytest.raises(ConfigurationError, match=says):
        write(tmp_path / "package", changed("", requirements))


def test_another_python_is_named(packed: PackReport, tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"no Python 2\.7"):
        write(tmp_path / "package", packed.directory, python_version="2.7")


def test_a_directory_in_use_is_left_alone(packed: PackReport, tmp_path: Path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ConfigurationError, match="is not empty"):
        write(tmp_path, packed.directory)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_artefact_that_was_changed_is_refused(changed: Callable[..., Path], tmp_path: Path):
    artefact = changed("")
    (artefact / "code" / "service.py").write_text("import os\n")
    with pytest.raises(ArtefactError, match="changed after it was packed"):
        write(tmp_path / "package", artefact)
