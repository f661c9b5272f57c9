"""
Loading: lean, clean, and true to what was packed.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tonnage.artefact import LoadedModel, LoadedService, Manifest, PackReport, predict_golden
from tonnage.domain import InvalidPayloadError, ModelLoadError


def snapshot(directory: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(directory)): (
            path.stat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in directory.rglob("*")
    }


def test_a_loaded_model_answers_for_its_rows_in_order(loaded: LoadedModel):
    bodies = [b'{"distance": 1000}', b'{"distance": 150}', b'{"distance": 100}']
    rows = [loaded.parse_row(body) for body in bodies]
    assert [json.loads(answer) for answer in loaded.predict(rows)] == [
        {"cost": 33.38},
        {"cost": 50.3},
        {"cost": 53.92},
    ]


def test_the_self_test_finds_what_was_promised(loaded: LoadedModel):
    assert predict_golden(loaded) <= 1e-12


def test_a_broken_promise_is_told(copy: Path):
    manifest = Manifest.read(copy)
    other = [value + 1e-3 for value in manifest.golden.predictions]
    described = json.loads(manifest.to_bytes())
    described["golden"]["predictions"] = other
    forged = Manifest._parsed(json.dumps(described).encode(), copy)
    (copy / "manifest.json").write_bytes(forged.to_bytes())
    with pytest.raises(ModelLoadError, match="something else than the manifest promises"):
        predict_golden(LoadedModel.load(copy))


def test_loading_leaves_the_artefact_as_it_was_even_read_only(copy: Path):
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = snapshot(copy)
    predict_golden(LoadedModel.load(copy))
    assert snapshot(copy) == before
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o755)


def test_loading_imports_neither_scikit_learn_nor_a_pickle_reader(packed: PackReport):
    script = """
import sys
from pathlib import Path
from tonnage.artefact import LoadedModel, predict_golden
model = LoadedModel.load(Path(sys.argv[1]))
predict_golden(model)
print(model.predict([model.parse_row(b'{"distance": 150}')])[0].decode())
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, packed.directory],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=packed.directory,
    )
    assert finished.returncode == 0, finished.stderr
    answer, modules = finished.stdout.splitlines()
    assert answer == '{"cost":50.3}'
    unwanted = {"sklearn", "joblib", "skl2onnx", "skops", "scipy", "pandas", "locust", "gevent"}
    assert not unwanted & set(modules.split())
    assert "onnxruntime" in modules


def test_a_front_needs_no_runtime(packed: PackReport):
    script = """
import sys
from pathlib import Path
from tonnage.artefact import LoadedService
LoadedService.load(Path(sys.argv[1])).parse_row(b'{"distance": 150}')
assert "onnxruntime" not in sys.modules
"""
    finished = subprocess.run(
        [sys.executable, "-c", script, packed.directory],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr


def test_the_same_place_loads_twice(packed: PackReport):
    first, second = LoadedService.load(packed.directory), LoadedService.load(packed.directory)
    assert type(first.service) is type(second.service)


def test_too_few_results_are_no_answer(loaded: LoadedModel):
    class Short(type(loaded.service)):  # type: ignore[misc]
        def results(self, predictions: Any) -> Any:  # noqa: ANN401
            return super().results(predictions)[1:]

    short = LoadedModel(
        manifest=loaded.manifest,
        service=Short(),
        predictor=loaded.predictor,
        encode=loaded.encode,
    )
    with pytest.raises(ModelLoadError, match="0 results for 1 rows"):
        short.predict([loaded.parse_row(b'{"distance": 150}')])


def faults_of(refusal: pytest.ExceptionInfo[InvalidPayloadError]) -> dict[str, str]:
    return {fault.field: fault.message for fault in refusal.value.faults}


def test_a_payload_names_every_field_at_fault(loaded: LoadedModel):
    with pytest.raises(InvalidPayloadError) as refusal:
        loaded.parse_row(b'{"distancex": 150, "age": 3}')
    assert set(faults_of(refusal)) == {"distance", "distancex", "age"}


def test_many_faults_are_counted_and_not_all_listed(loaded: LoadedModel):
    fields = ",".join(f'"unknown{index}":1' for index in range(5000))
    with pytest.raises(InvalidPayloadError) as refusal:
        loaded.parse_row(f'{{"distance":1,{fields}}}'.encode())
    assert list(faults_of(refusal)) == [f"unknown{index}" for index in range(20)]
    assert "4,980 faults more" in refusal.value.message


def test_an_endless_name_is_not_sent_back_whole(loaded: LoadedModel):
    with pytest.raises(InvalidPayloadError) as refusal:
        loaded.parse_row(b'{"distance":1,"' + b"x" * 1_000_000 + b'":1}')
    assert len(refusal.value.message) < 600
    assert all(len(field) <= 201 for field in faults_of(refusal))


def test_a_field_may_have_another_name_on_the_wire(
    write_code: Callable[..., Path], pack_plane: Callable[..., PackReport], two_numbers: str
):
    """What validates and what is sent are what the schemas say, aliases and all."""
    source = two_numbers.replace("Field(ge=-3,", 'Field(alias="first-number", ge=-3,').replace(
        "y: str | float", 'value: str | float = Field(alias="the-answer")'
    )
    source = source.replace("Answer(y=one)", 'Answer(**{"the-answer": one})')
    report = pack_plane(write_code(service=source))
    model = LoadedModel.load(report.directory)
    predict_golden(model)
    row = model.parse_row(b'{"first-number": 1, "b": 1}')
    assert json.loads(model.predict([row])[0]) == {"the-answer": pytest.approx(6)}
    assert set(report.manifest.golden.results[0]) == set(
        report.manifest.result_schema["properties"]
    )
