"""
What was packed is served: each form a model may have got, by a real instance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest

from artefact_conversions import CASES, PLAIN, pack_case, packed
from support import ask, post, tonnage
from tonnage.artefact import pack

if TYPE_CHECKING:
    from pathlib import Path

    from support import Serve

ROWS = [{"a": a, "b": b} for a in (-2.5, 0.25, 2.75) for b in (0.5, 4.0, 9.5)]
MATRIX = np.array([list(row.values()) for row in ROWS])
HOMES = [
    {"area": 45.5, "rooms": 1, "age": 12.0, "kind": "flat"},
    {"area": 120, "rooms": 4, "kind": "house", "lift": True},
    {"area": 80, "rooms": 3, "age": None, "kind": "loft", "lift": False},
]


def answers(
    serve: Serve, artefact: Path, rows: list[dict[str, Any]], *flags: str
) -> list[dict[str, Any]]:
    """Serve an artefact and return what it says to rows, one by one and all at once."""
    with serve(*flags, artefact=artefact) as (command, url):
        assert ask(f"{url}/ping").status == 200
        each = [post(f"{url}/invocations", row) for row in rows]
        assert [answer.status for answer in each] == [200] * len(rows), command.stderr
        together = post(f"{url}/invocations", rows)
        assert "Traceback" not in command.stderr
    one_by_one = [answer.json for answer in each]
    assert together.json == one_by_one
    return one_by_one


def assert_sure(told: list[dict[str, Any]], model: Any) -> None:  # noqa: ANN401
    """Label and probabilities of each row are the model's own."""
    names = list(map(str, model.classes_.tolist()))
    assert [one["label"] for one in told] == model.predict(MATRIX).tolist()
    for one, expected in zip(told, model.predict_proba(MATRIX), strict=True):
        assert list(one["probabilities"]) == names
        assert list(one["probabilities"].values()) == pytest.approx(expected.tolist(), abs=1e-5)


@pytest.mark.parametrize("is_archive", [False, True], ids=["directory", "archive"])
def test_text_labels_and_probabilities_arrive_in_the_answer(serve: Serve, *, is_archive: bool):
    model, report = packed("LogisticRegression, three classes")
    told = answers(serve, report.archive if is_archive else report.directory, ROWS)
    assert_sure(told, model)
    assert {one["label"] for one in told} > {"high"}


def test_a_table_with_text_and_gaps_is_served(serve: Serve):
    import pandas as pd

    model, report = packed("ColumnTransformer (imputer, scaler, one-hot), Ridge")
    told = answers(serve, report.directory, HOMES)
    frame = pd.DataFrame([{"lift": False, "age": None, **home} for home in HOMES])
    expected = model.predict(frame.astype({"age": float, "lift": bool}))
    assert [one["rent"] for one in told] == pytest.approx(expected.tolist(), rel=1e-5)


@pytest.mark.parametrize("form", ["onnx", "skops"])
@pytest.mark.parametrize("name", ["XGBClassifier", "LGBMRegressor"])
def test_boosters_are_served(
    serve: Serve, name: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Compiled where the converter is installed, and by their own libraries where it is not."""
    if form == "onnx":
        model, report = packed(name)
    else:
        monkeypatch.setattr("tonnage.artefact._onnx_form._booster_converter", _absent)
        model, report = pack_case(CASES[name], tmp_path)
    assert report.manifest.model.format == form
    told = answers(serve, report.directory, ROWS)
    if name == "XGBClassifier":
        assert_sure(told, model)
    else:
        expected = model.predict(MATRIX, validate_features=False)
        assert [one["y"] for one in told] == pytest.approx(expected.tolist(), rel=1e-5)


def _absent(library: str) -> None:
    raise ImportError(library)


def test_a_model_that_no_form_takes_is_served_behind_the_flag(serve: Serve, tmp_path: Path):
    (tmp_path / "service.py").write_text(PLAIN)
    (tmp_path / "ours.py").write_text(
        "class Sum:\n    def predict(self, features):\n        return features.sum(axis=1)\n"
    )
    (tmp_path / "model.joblib").write_bytes(b"\x80\x04\x8c\x04ours\x8c\x03Sum\x93)\x81.")
    report = pack(
        tmp_path / "model.joblib",
        service="service:Model",
        output=tmp_path / "out",
        code=tmp_path,
        allow_pickle=True,
    )
    assert report.manifest.model.format == "joblib"
    with tonnage("serve", report.archive, "--host", "127.0.0.1", "--port", "0") as command:
        assert command.exit_code() == 1
    assert "opening it runs whatever code is in it" in command.stderr
    told = answers(serve, tmp_path / "out", ROWS, "--allow-pickle")
    assert [one["y"] for one in told] == MATRIX.sum(axis=1).tolist()


def test_an_endpoint_opens_a_pickle_only_where_its_settings_say_so(tmp_path: Path):
    (tmp_path / "service.py").write_text(PLAIN)
    (tmp_path / "ours.py").write_text(
        "class Sum:\n    def predict(self, features):\n        return features.sum(axis=1)\n"
    )
    (tmp_path / "model.joblib").write_bytes(b"\x80\x04\x8c\x04ours\x8c\x03Sum\x93)\x81.")
    settings = tmp_path / "tonnage.toml"
    settings.write_text('[service]\nhandler = "service:Model"\n[scaling]\nenabled = false\n')
    arguments = ("up", "--config", settings, "--port", "0")
    with tonnage(*arguments, "--set", "serving.allow_pickle=true") as command:
        url = command.until_line("REST API").split("POST ")[1].split()[0]
        told = [post(url, row).json for row in ROWS]
    assert [one["y"] for one in told] == MATRIX.sum(axis=1).tolist()
    with tonnage(*arguments) as command:
        assert command.exit_code() == 1
    assert "opening it runs whatever code is in it" in command.stderr


def test_a_changed_artefact_is_not_served(tmp_path: Path):
    from sklearn.linear_model import LinearRegression

    joblib.dump(LinearRegression().fit(MATRIX, MATRIX[:, 0]), tmp_path / "model.joblib")
    (tmp_path / "service.py").write_text(PLAIN)
    report = pack(
        tmp_path / "model.joblib", service="service:Model", output=tmp_path / "out", code=tmp_path
    )
    file = report.directory / "model.onnx"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with tonnage("serve", report.directory, "--host", "127.0.0.1", "--port", "0") as command:
        assert command.exit_code() == 1
    assert "model.onnx was changed after it was packed" in command.stderr
