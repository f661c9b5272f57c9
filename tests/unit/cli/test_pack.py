"""
What ``tonnage pack`` says: which form and why on stdout, warnings on stderr, one JSON object.
"""

import json
from pathlib import Path

import joblib
import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.linear_model import LinearRegression
from sklearn.svm import SVR

from tonnage.cli import cli

SERVICE = """
import numpy as np
from pydantic import BaseModel, Field
from tonnage import Service

class Row(BaseModel):
    a: float = Field(ge=-3, le=3)

class Answer(BaseModel):
    y: float

class Model(Service[Row, Answer]):
    def features(self, rows):
        return np.array([[row.a] for row in rows])

    def results(self, predictions):
        return [Answer(y=one) for one in predictions.tolist()]
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's directory with two models and a service."""
    points = np.linspace(-3, 3, 40)[:, None]
    joblib.dump(LinearRegression().fit(points, points[:, 0]), tmp_path / "line.joblib")
    joblib.dump(SVR().fit(points, np.sin(points[:, 0])), tmp_path / "vectors.joblib")
    (tmp_path / "service.py").write_text(SERVICE)
    (tmp_path / "older.joblib").write_bytes(_older((tmp_path / "line.joblib").read_bytes()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _older(content: bytes) -> bytes:
    import sklearn

    there = sklearn.__version__.encode()
    return content.replace(there, b"0" + there[1:])


def run(*arguments: str) -> tuple[str, str]:
    result = CliRunner().invoke(
        cli, ["pack", *arguments, "--service", "service:Model", "-o", "out"], catch_exceptions=False
    )
    assert result.exit_code == 0
    return result.stdout, result.stderr


@pytest.mark.usefixtures("place")
def test_json_has_what_scripts_rely_on():
    out, words = run("line.joblib", "--json")
    assert {"format", "parity_max_relative_difference", "sha256", "warnings"} <= set(
        json.loads(out)
    )
    assert words == ""


@pytest.mark.usefixtures("place")
def test_a_form_that_was_not_taken_is_told_with_its_reason():
    out, _ = run("vectors.joblib")
    assert "  not onnx float64: NotImplemented" in out


@pytest.mark.usefixtures("place")
def test_an_older_model_is_warned_of_on_stderr():
    out, words = run("older.joblib", "--json")
    assert words.startswith("warning: the model was fitted with scikit-learn 0.")
    assert json.loads(out)["warnings"] == [words.removeprefix("warning: ").rstrip("\n")]
