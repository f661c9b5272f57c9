"""
What an image is built from.
"""

import csv
import hashlib
import io
import re
import stat
import zipfile
from base64 import urlsafe_b64encode
from dataclasses import replace
from pathlib import Path

import pytest

import tonnage
from tonnage.artefact import ARCHIVE_NAME, FileEntry, Manifest, PackReport, verify
from tonnage.deployment import DEFAULT_BASE, dockerfile, write_image_context
from tonnage.domain import ArtefactError, ConfigurationError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def context(packed: PackReport, tmp_path: Path) -> Path:
    directory = tmp_path / "context"
    write_image_context(packed.directory, directory)
    return directory


def as_skops(packed: PackReport, directory: Path, scikit_learn: str) -> Path:
    """The same artefact, said to be stored as skops and packed with some scikit-learn."""
    (directory / "code").mkdir(parents=True)
    for name in packed.manifest.files:
        (directory / name).write_bytes((packed.directory / name).read_bytes())
    manifest = replace(
        packed.manifest,
        model=replace(packed.manifest.model, format="skops"),
        versions={**packed.manifest.versions, "scikit-learn": scikit_learn},
    )
    (directory / "manifest.json").write_bytes(manifest.to_bytes())
    return directory


def pinned(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", lock, re.MULTILINE))


def test_it_holds_what_the_dockerfile_copies(context: Path):
    assert {path.name for path in context.iterdir()} == {
        "Dockerfile",
        "code-requirements.txt",
        "constraints.txt",
        "model",
        "requirements.lock",
        f"tonnage-{tonnage.__version__}-py3-none-any.whl",
    }


def test_the_artefact_in_it_is_intact_and_readable_by_anyone(packed: PackReport, context: Path):
    assert verify(context / "model") == packed.manifest
    assert not (context / "model" / ARCHIVE_NAME).exists()
    for path in (context / "model", *(context / "model").rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)


def test_the_model_may_be_left_out(packed: PackReport, tmp_path: Path):
    directory = tmp_path / "context"
    write_image_context(packed.directory, directory, with_model=False)
    assert list((directory / "model").iterdir()) == []


def test_every_requirement_is_pinned_with_hashes_and_names_no_registry(context: Path):
    lock = (context / "requirements.lock").read_text()
    pins = pinned(lock)
    assert {"onnxruntime", "numpy", "uvloop", "pydantic", "httptools"} <= set(pins)
    assert "scikit-learn" not in pins
    entries = re.split(r"^(?=[a-z])", lock, flags=re.MULTILINE)[1:]
    assert len(entries) >= len(pins)
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in lock


@pytest.mark.parametrize("name", ["serving.lock", "serving-sklearn.lock"])
def test_an_image_runs_what_the_tests_ran_with(name: str):
    """`make lock` writes them together."""
    tested = (ROOT / "requirements" / "dev.lock").read_text().splitlines()
    shipped = (ROOT / "src/tonnage/deployment/image_files" / name).read_text().splitlines()
    pins = {line for line in shipped if re.match(r"[a-z].*==", line)}
    assert pins
    assert pins <= set(tested)


def test_constraints_are_the_locks_versions_without_hashes(context: Path):
    constraints = (context / "constraints.txt").read_text()
    assert "--hash" not in constraints
    assert "\\" not in constraints
    assert pinned(constraints) == pinned((context / "requirements.lock").read_text())


def test_a_model_that_stays_with_scikit_learn_gets_it(packed: PackReport, tmp_path: Path):
    artefact = as_skops(packed, tmp_path / "artefact", packed.manifest.versions["scikit-learn"])
    write_image_context(artefact, tmp_path / "context")
    pins = pinned((tmp_path / "context" / "requirements.lock").read_text())
    assert pins["scikit-learn"] == packed.manifest.versions["scikit-learn"]
    assert "skops" in pins


def test_another_scikit_learn_than_it_was_packed_with_is_refused(
    packed: PackReport, tmp_path: Path
):
    artefact = as_skops(packed, tmp_path / "artefact", "1.2.3")
    with pytest.raises(ConfigurationError, match=r"packed with scikit-learn 1\.2\.3"):
        write_image_context(artefact, tmp_path / "context")
    lock = tmp_path / "own.lock"
    lock.write_text("scikit-learn==1.2.3 \\\n    --hash=sha256:00\n")
    write_image_context(artefact, tmp_path / "context", requirements=lock)
    assert (tmp_path / "context" / "requirements.lock").read_text() == lock.read_text()


def test_a_lock_without_hashes_is_refused(packed: PackReport, tmp_path: Path):
    lock = tmp_path / "own.lock"
    lock.write_text("numpy==2.4.6\n")
    with pytest.raises(ConfigurationError, match="holds no hashes"):
        write_image_context(packed.directory, tmp_path / "context", requirements=lock)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        write_image_context(packed.directory, tmp_path / "c", requirements=tmp_path / "none")


def test_what_the_models_code_requires_is_installed_too(packed: PackReport, tmp_path: Path):
    artefact = as_skops(packed, tmp_path / "artefact", packed.manifest.versions["scikit-learn"])
    text = b"pandas>=2\n"
    (artefact / "code" / "requirements.txt").write_bytes(text)
    manifest = Manifest.read(artefact)
    listed = {**manifest.files, "code/requirements.txt": FileEntry.of(text)}
    (artefact / "manifest.json").write_bytes(replace(manifest, files=listed).to_bytes())
    write_image_context(artefact, tmp_path / "context")
    assert (tmp_path / "context" / "code-requirements.txt").read_bytes() == text


def test_a_changed_artefact_is_refused(packed: PackReport, tmp_path: Path):
    artefact = as_skops(packed, tmp_path / "artefact", "1.2.3")
    (artefact / "code" / "service.py").write_bytes(b"changed")
    with pytest.raises(ArtefactError, match="was changed"):
        write_image_context(artefact, tmp_path / "context")
    assert not (tmp_path / "context").exists()


def test_nothing_is_overwritten(packed: PackReport, context: Path):
    with pytest.raises(ConfigurationError, match="is not empty"):
        write_image_context(packed.directory, context)


def test_the_dockerfile_names_its_base():
    assert f"ARG BASE={DEFAULT_BASE}\n" in dockerfile()
    base = "python:3.13-slim@sha256:" + "0" * 64
    assert f"ARG BASE={base}\n" in dockerfile(base)


@pytest.mark.parametrize("base", ["", "--x", "a b", "a\nRUN true", "${X}"])
def test_a_base_that_is_no_name_is_refused(base: str):
    with pytest.raises(ConfigurationError, match="no image's name"):
        dockerfile(base)


def test_the_dockerfile_needs_no_newer_builder():
    text = re.sub(r"^#.*\n", "", dockerfile(), flags=re.MULTILINE)
    assert "syntax=" not in dockerfile()
    assert not re.search(r"--mount|--chmod|--link|<<", text)
    assert text.endswith(' "serve"]\n'), "the entry point is not in the exec form"
    assert "://" not in text


def test_the_wheel_is_this_package_and_says_so_file_by_file(context: Path):
    with zipfile.ZipFile(next(context.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
        record = f"tonnage-{tonnage.__version__}.dist-info/RECORD"
        lines = list(csv.reader(io.StringIO(wheel.read(record).decode())))
        for name, digest, size in lines:
            if name != record:
                content = wheel.read(name)
                raw = hashlib.sha256(content).digest()
                assert digest == "sha256=" + urlsafe_b64encode(raw).rstrip(b"=").decode()
                assert int(size) == len(content)
        assert {name for name, *_ in lines} == names
        scripts = wheel.read(record.replace("RECORD", "entry_points.txt")).decode()
        assert "serve = tonnage.cli.container:main" in scripts
        modes = {stat.S_IMODE(member.external_attr >> 16) for member in wheel.infolist()}
    assert modes == {0o644}
    assert {"tonnage/serving/__init__.py", "tonnage/py.typed"} <= names
    assert not any("__pycache__" in name for name in names)


def test_the_same_artefact_gives_the_same_context(packed: PackReport, tmp_path: Path):
    """So that a builder finds every layer in its cache."""
    contents = []
    for name in ("one", "two"):
        write_image_context(packed.directory, tmp_path / name)
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        contents.append([(f.relative_to(tmp_path / name), f.read_bytes()) for f in files])
    assert contents[0] == contents[1]
