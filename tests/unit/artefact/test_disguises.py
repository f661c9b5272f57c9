"""
A pickle that pretends to be something else is refused, and nothing of it is opened.

Every forgery here has a manifest whose hashes and digest fit: what a changed byte does is tested
elsewhere. One process tries them all, with an audit hook that sees every class a pickle asks for,
and a tripwire in each pickle.
"""

import io
import json
import pickle
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LinearRegression

from tonnage.artefact import ARCHIVE_NAME, MANIFEST_NAME, FileEntry, Golden, Manifest, PackReport

TRY_ALL = """
import json, sys
from pathlib import Path
seen, opened_files = [], []
def hook(event, arguments):
    if event == "pickle.find_class":
        seen.append(".".join(map(str, arguments)))
    elif event == "open":
        opened_files.append(str(arguments[0]))
sys.addaudithook(hook)
from tonnage.artefact import LoadedModel, predict_golden
from tonnage.domain import ArtefactError
from tonnage.serving.compat import HandlerOptions, find_handler, opened
import joblib, sklearn, skops.io  # what importing them unpickles is not the forgery's doing
place, tripped = Path(sys.argv[1]), Path(sys.argv[2])
outcomes = {}
for forged in sorted(place.iterdir()):
    seen.clear(), opened_files.clear()
    try:
        with opened(forged) as directory:
            assert find_handler(directory, HandlerOptions()) is None
            predict_golden(LoadedModel.load(directory))
        outcome = "served"
    except ArtefactError as error:
        outcome = f"refused: {error.message}"
    outcomes[forged.name] = {
        "outcome": outcome, "classes": list(seen), "tripped": tripped.exists(),
        "archive": any(name.endswith("model.tar.gz") and "forged" not in name
                       for name in opened_files),
    }
seen.clear()
joblib.load(sys.argv[3])
outcomes["control"] = {"classes": list(seen), "tripped": tripped.exists()}
print(json.dumps(outcomes))
"""


class Tripwire:
    """Leaves a file when it is unpickled."""

    def __init__(self, tripped: Path) -> None:
        self.tripped = str(tripped)

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self.tripped, "x")


def as_joblib(trap: Tripwire, compress: object) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(trap, buffer, compress=compress)
    return buffer.getvalue()


def as_npy(trap: Tripwire) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([trap, trap], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def as_npz(trap: Tripwire) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, a=np.array([trap], dtype=object))
    return buffer.getvalue()


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return buffer.getvalue()


def skops_with_an_object_array(trap: Tripwire) -> bytes:
    """A real skops archive of a real model, its arrays changed for pickled ones."""
    model = LinearRegression().fit([[0.0, 0.0], [1.0, 1.0]], [0.0, 1.0])
    source = zipfile.ZipFile(io.BytesIO(skops.io.dumps(model)))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in source.namelist():
            content = source.read(name) if name == "schema.json" else as_npy(trap)
            archive.writestr(name, content)
    return buffer.getvalue()


def skops_node(module: str, name: str, loader: str, **more: object) -> bytes:
    node = {"__module__": module, "__class__": name, "__loader__": loader, **more}
    schema = {**node, "protocol": 2, "_skops_version": skops.__version__}
    return zipped(schema__json=json.dumps(schema).encode())


def skops_calling(tripped: str) -> bytes:
    """An object that is made by calling ``open`` on the tripwire."""
    word = {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode"}
    words = [{**word, "content": json.dumps(text), "is_json": True} for text in (tripped, "x")]
    arguments = {
        "__class__": "tuple",
        "__module__": "builtins",
        "__loader__": "TupleNode",
        "content": words,
    }
    return skops_node("_io", "open", "ReduceNode", reduce={"args": arguments}, content=arguments)


def onnx_of(trap: Tripwire) -> dict[str, bytes]:
    return {
        "a pickle": pickle.dumps(trap),
        "a pickle of protocol 0": pickle.dumps(trap, protocol=0),
        **{f"joblib {way}": as_joblib(trap, way) for way in ("zlib", "gzip", "bz2", "lzma", "xz")},
        "npy": as_npy(trap),
        "npz": as_npz(trap),
        "zip": zipped(data__pkl=pickle.dumps(trap)),
    }


def skops_of(trap: Tripwire) -> dict[str, bytes]:
    return {
        **onnx_of(trap),
        "pickled schema": zipped(schema__json=pickle.dumps(trap)),
        "object arrays": skops_with_an_object_array(trap),
        "a function": skops_node("os", "system", "FunctionNode", content="system"),
        "a type": skops_node("subprocess", "Popen", "TypeNode"),
        "an object": skops_node("subprocess", "Popen", "ObjectNode", content={}),
        "a call": skops_calling(trap.tripped),
        "bytes": skops_node("builtins", "bytes", "BytesNode", file="../../etc/passwd"),
    }


@pytest.fixture(scope="module")
def forge(
    packed: PackReport, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Callable[..., Path]]:
    """Where forgeries lie, and what makes one: the reference artefact with another model."""
    place = tmp_path_factory.mktemp("forged")

    def make(name: str, file: str, content: bytes, **entry: Any) -> Path:  # noqa: ANN401
        directory = Path(shutil.copytree(packed.directory, place / name))
        (directory / "model.onnx").unlink()
        (directory / file).write_bytes(content)
        manifest = Manifest.read(directory)
        files = {name: one for name, one in manifest.files.items() if name != "model.onnx"}
        fresh = replace(
            manifest,
            model=replace(manifest.model, file=file, **entry),
            files={**files, file: FileEntry.of(content)},
        )
        (directory / MANIFEST_NAME).write_bytes(fresh.to_bytes())
        return directory

    return place, make


@pytest.fixture(scope="module")
def outcomes(
    forge: tuple[Path, Callable[..., Path]],
    packed: PackReport,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, dict[str, Any]]:
    place, make = forge
    tripped = tmp_path_factory.mktemp("tripwire") / "tripped"
    trap = Tripwire(tripped)
    for name, content in onnx_of(trap).items():
        make(f"onnx {name}", "model.onnx", content)
        make(f"onnx {name} called joblib", "model.joblib", content, format="onnx")
        make(f"{name} of no format", "model.pkl", content, format="pickle")
    for name, content in skops_of(trap).items():
        make(f"skops {name}", "model.skops", content, format="skops")
    for name, content in onnx_of(trap).items():
        (place / f"forged {name} model.tar.gz").write_bytes(content)
    trapped = make("served with a trapped archive", "model.onnx", onnx_content(packed))
    (trapped / ARCHIVE_NAME).write_bytes(pickle.dumps(trap))
    golden = make("golden rows", "model.onnx", onnx_content(packed))
    manifest = Manifest.read(golden)
    odd = {"__reduce__": ["builtins.open", [str(tripped), "x"]], "py/object": "builtins.open"}
    rows = Golden(rows=[odd], predictions=[odd], results=[odd], origin=f"!!python/{odd}")
    (golden / MANIFEST_NAME).write_bytes(replace(manifest, golden=rows).to_bytes())
    control = tmp_path_factory.mktemp("control") / "model.joblib"
    control.write_bytes(as_joblib(trap, 0))
    finished = subprocess.run(
        [sys.executable, "-c", TRY_ALL, place, tripped, control],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    found: dict[str, dict[str, Any]] = json.loads(finished.stdout)
    assert len(found) == len(list(place.iterdir())) + 1
    return found


def onnx_content(packed: PackReport) -> bytes:
    return (packed.directory / "model.onnx").read_bytes()


def test_every_disguise_is_refused(outcomes: dict[str, dict[str, Any]]):
    others = {"control", "served with a trapped archive"}
    served = {
        name: one
        for name, one in outcomes.items()
        if name not in others and not one["outcome"].startswith("refused: ")
    }
    assert served == {}


def test_not_one_of_them_is_unpickled(outcomes: dict[str, dict[str, Any]]):
    opened = {name: one for name, one in outcomes.items() if name != "control" and one["classes"]}
    assert opened == {}
    assert not any(one["tripped"] for name, one in outcomes.items() if name != "control")


def test_the_hook_and_the_tripwire_see_a_pickle(outcomes: dict[str, dict[str, Any]]):
    assert outcomes["control"]["classes"]
    assert outcomes["control"]["tripped"]


def test_the_archive_beside_an_artefact_is_not_opened(outcomes: dict[str, dict[str, Any]]):
    served = outcomes["served with a trapped archive"]
    assert served["outcome"] == "served"
    assert not served["archive"]
