"""
``init``: what is written for a model runs at once, or the fault is named and nothing is written.
"""

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from tonnage.artefact import TYPICAL_RANGE, import_service
from tonnage.cli import cli
from tonnage.config import read_settings
from tonnage.domain import ArtefactError, ConfigurationError
from tonnage.starting import init

COUNT = 60
WRITTEN = ["service.py", "tonnage.toml", "locustfile.py"]


Answers = Callable[..., list[Any]]


def flats() -> pd.DataFrame:
    chance = np.random.default_rng(7)
    table = pd.DataFrame(
        {
            "living area (m²)": chance.uniform(20, 150, COUNT).round(1),
            "rooms": chance.integers(1, 6, COUNT),
            "district": chance.choice(["north", "south", "old town"], COUNT),
            "year": chance.integers(1900, 2020, COUNT).astype(float),
            "has_lift": chance.random(COUNT) < 0.5,
        }
    )
    table.loc[::7, "year"] = np.nan
    return table.assign(rent=12 * table["living area (m²)"] + 20 * table["rooms"])


def flat_model(table: pd.DataFrame, end: object) -> Pipeline:
    rows = table.drop(columns="rent")
    numbers = ["living area (m²)", "rooms", "year", "has_lift"]
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers), (OneHotEncoder(), ["district"])
    )
    answer = table["rent"] if isinstance(end, LinearRegression) else table["rent"] > 900
    return make_pipeline(columns, end).fit(rows, answer)


def saved(place: Path, model: object, table: pd.DataFrame | None = None) -> Path:
    joblib.dump(model, place / "model.joblib")
    if table is not None:
        table.to_csv(place / "sample.csv", index=False)
    return place / "model.joblib"


def matrix_model(names: bool = False) -> tuple[Any, pd.DataFrame]:
    chance = np.random.default_rng(3)
    table = pd.DataFrame({"a": chance.normal(size=COUNT), "b": chance.normal(5, 2, size=COUNT)})
    table["y"] = 2 * table["a"] - table["b"]
    rows = table[["a", "b"]] if names else table[["a", "b"]].to_numpy()
    return LinearRegression().fit(rows, table["y"]), table


def test_a_pipeline_of_mixed_columns_is_served_from_its_sample(
    place: Path, answers: Answers
) -> None:
    """Odd names, whole numbers, choices, missing values, booleans; the target is left out."""
    table = flats()
    model = flat_model(table, LinearRegression())
    saved(place, model, table)

    report = init(place / "model.joblib", data=place / "sample.csv", target="rent", output=place)

    assert [file.name for file in report.files] == WRITTEN
    row = {"living area (m²)": 50.5, "rooms": 2, "district": "north", "has_lift": True}
    (answer,) = answers(place, report, row)
    expected = model.predict(pd.DataFrame([{**row, "year": np.nan}]))
    assert answer == {"rent": pytest.approx(expected[0], rel=1e-5)}


def test_the_schema_says_what_the_sample_showed(place: Path) -> None:
    table = flats()
    saved(place, flat_model(table, LinearRegression()), table)
    init(place / "model.joblib", data=place / "sample.csv", output=place)

    schema = import_service("service:FlatPrices", place).row.model_json_schema()

    fields = schema["properties"]
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["living area (m²)", "rooms", "district", "has_lift"]
    assert fields["living area (m²)"]["type"] == "number"
    area = table["living area (m²)"]
    assert fields["living area (m²)"][TYPICAL_RANGE] == [area.min(), area.max()]
    assert (fields["rooms"]["type"], fields["rooms"][TYPICAL_RANGE]) == ("integer", [1, 5])
    assert fields["district"]["enum"] == ["north", "old town", "south"]
    assert {"type": "null"} in fields["year"]["anyOf"]
    assert fields["has_lift"]["type"] == "boolean"


@pytest.mark.parametrize("names", [False, True])
def test_a_matrix_keeps_the_order_of_the_fit(place: Path, answers: Answers, names: bool) -> None:
    model, table = matrix_model(names)
    shuffled = table[["y", "b", "a"]] if names else table
    saved(place, model, shuffled)

    report = init(place / "model.joblib", data=place / "sample.csv", target="y", output=place)

    assert report.columns == ("a", "b")
    assert answers(place, report, {"a": 1.5, "b": 4.0}) == [{"y": pytest.approx(-1.0)}]


def test_a_classifier_answers_label_and_probabilities(place: Path, answers: Answers) -> None:
    chance = np.random.default_rng(1)
    table = pd.DataFrame({"a": chance.normal(size=COUNT), "b": chance.normal(size=COUNT)})
    table["kind"] = np.where(table["a"] > 0, "up", "down")
    saved(place, LogisticRegression().fit(table[["a", "b"]], table["kind"]), table)

    report = init(place / "model.joblib", data=place / "sample.csv", output=place)

    (answer,) = answers(place, report, {"a": 3.0, "b": 0.0})
    assert answer["label"] == "up"
    assert set(answer["probabilities"]) == {"up", "down"}
    assert sum(answer["probabilities"].values()) == pytest.approx(1)
    assert answer["probabilities"]["up"] > 0.9


@pytest.mark.parametrize(
    ("model", "labels", "row", "answer"),
    [
        (LogisticRegression(), [0, 1], {"a": 3.0}, 1),
        (LinearSVC(), ["no", "yes"], {"a": 3.0}, "yes"),
        (KMeans(2, init=np.array([[-2.0], [2.0]]), n_init=1), [0, 1], {"a": 3.0}, 1),
    ],
)
def test_any_label_is_a_valid_answer(
    place: Path,
    answers: Answers,
    model: BaseEstimator,
    labels: list[Any],
    row: dict[str, float],
    answer: object,
) -> None:
    points = np.linspace(-3, 3, COUNT)
    table = pd.DataFrame({"a": points})
    model.fit(table[["a"]], np.where(points > 0, labels[1], labels[0]))
    saved(place, model, table)

    report = init(place / "model.joblib", data=place / "sample.csv", output=place)

    (given,) = answers(place, report, row)
    assert next(iter(given.values())) == answer


def test_two_outputs_are_a_list(place: Path, answers: Answers) -> None:
    points = np.linspace(-3, 3, COUNT)
    table = pd.DataFrame({"a": points})
    saved(place, LinearRegression().fit(table, np.stack([points, -points], axis=1)), table)

    report = init(place / "model.joblib", data=place / "sample.csv", output=place)

    (answer,) = answers(place, report, {"a": 1.0})
    assert answer == {"prediction": [pytest.approx(1), pytest.approx(-1)]}


@pytest.mark.parametrize("names", [False, True])
def test_without_data_the_models_own_columns_are_taken(
    place: Path, answers: Answers, names: bool
) -> None:
    model, _ = matrix_model(names)
    saved(place, model)

    report = init(place / "model.joblib", output=place)

    first, second = report.columns
    assert (first, second) == (("a", "b") if names else ("x0", "x1"))
    assert any("without --data" in note for note in report.notes)
    assert answers(place, report, {first: 1.5, second: 4.0})[0]["prediction"] == pytest.approx(-1)


def test_a_model_that_takes_no_missing_value_gets_a_service_that_refuses_them(
    place: Path, answers: Answers
) -> None:
    model, table = matrix_model(names=True)
    table.loc[3, "a"] = np.nan
    saved(place, model, table)

    report = init(place / "model.joblib", data=place / "sample.csv", output=place)

    assert any("values are missing in a" in note for note in report.notes)
    assert any("compared on drawn rows" in note for note in report.notes)
    assert answers(place, report, {"a": 0.0, "b": 1.0})[0]["prediction"] == pytest.approx(-1)


def test_what_is_written_needs_no_formatting(place: Path) -> None:
    table = flats()
    table["seen by"] = [f"agent number {place % 18} of the long street" for place in range(COUNT)]
    rows = table.drop(columns=["rent"])
    texts = ["district", "seen by"]
    model = make_pipeline(
        make_column_transformer((OneHotEncoder(), texts), (SimpleImputer(), ["rooms", "year"])),
        LogisticRegression(max_iter=1000),
    ).fit(rows, table["rent"] > 900)
    saved(place, model, table)
    init(place / "model.joblib", data=place / "sample.csv", target="rent", output=place)

    ruff = Path(sys.executable).with_name("ruff")
    for check in (["check"], ["format", "--check", "--line-length", "100"]):
        finished = subprocess.run(
            [ruff, *check, "--isolated", "."],
            cwd=place,
            capture_output=True,
            text=True,
            check=False,
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr


def without_file(place: Path) -> None:
    (place / "sample.csv").unlink()


def binary(place: Path) -> None:
    (place / "sample.csv").write_bytes(b"a,b\n\xff\xfe,1\n")


def no_rows(place: Path) -> None:
    (place / "sample.csv").write_text("a,b\n")


def ragged(place: Path) -> None:
    (place / "sample.csv").write_text("a,b\n1,2\n1,2,3\n")


def lacking(place: Path) -> None:
    (place / "sample.csv").write_text("a,c\n1,2\n")


def empty_column(place: Path) -> None:
    (place / "sample.csv").write_text("a,b\n1,\n2,\n")


def semicolons(place: Path) -> None:
    (place / "sample.csv").write_text("a;b\n1;2\n")


def twice(place: Path) -> None:
    (place / "sample.csv").write_text("a,b,a\n1,2,3\n")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (without_file, r"sample\.csv cannot be read"),
        (binary, r"sample\.csv cannot be read"),
        (no_rows, "holds no rows"),
        (ragged, "line 3 has 3 cells and the header 2"),
        (lacking, "lacks what the model was fitted on: b; it has a, c"),
        (empty_column, "the column 'b' is empty"),
        (semicolons, "has one column"),
        (twice, "the column 'a' more than once"),
    ],
)
def test_data_that_does_not_fit_is_named_and_nothing_written(
    place: Path, damage: Callable[[Path], None], said: str
) -> None:
    model, table = matrix_model(names=True)
    saved(place, model, table)
    damage(place)

    with pytest.raises(ConfigurationError, match=said) as caught:
        init(place / "model.joblib", data=place / "sample.csv", output=place)

    assert caught.value.hint or damage is twice
    assert not any((place / name).exists() for name in WRITTEN)


def test_a_target_left_in_is_asked_for(place: Path) -> None:
    model, table = matrix_model()
    saved(place, model, table)

    with pytest.raises(ConfigurationError, match=r"fitted on 2 columns, and .* has 3") as caught:
        init(place / "model.joblib", data=place / "sample.csv", output=place)

    assert caught.value.hint == "is the target among them? name it: --target 'y'"


@pytest.mark.parametrize(
    ("target", "said"), [("z", "has no column 'z'"), ("a", "was fitted on 'a'")]
)
def test_a_target_that_cannot_be_is_refused(place: Path, target: str, said: str) -> None:
    model, table = matrix_model(names=True)
    saved(place, model, table)

    with pytest.raises(ConfigurationError, match=said):
        init(place / "model.joblib", data=place / "sample.csv", target=target, output=place)


def test_what_is_no_model_is_refused(place: Path) -> None:
    saved(place, {"not": "a model"})
    with pytest.raises(ConfigurationError, match="holds a dict: it has no predict"):
        init(place / "model.joblib", output=place)

    (place / "model.joblib").write_bytes(b"PK\x03\x04 a zip")
    with pytest.raises(ArtefactError, match="does not load"):
        init(place / "model.joblib", output=place)

    (place / "model.joblib").unlink()
    with pytest.raises(ConfigurationError, match="there is no model"):
        init(place / "model.joblib", output=place)


def test_a_model_that_was_never_fitted_is_told_so(place: Path) -> None:
    _, table = matrix_model()
    saved(place, LinearRegression(), table)

    with pytest.raises(ConfigurationError, match=r"LinearRegression\.predict fails") as caught:
        init(place / "model.joblib", data=place / "sample.csv", target="y", output=place)
    assert "is it fitted?" in (caught.value.hint or "")

    with pytest.raises(ConfigurationError, match="does not say which columns"):
        init(place / "model.joblib", output=place)


def test_a_model_of_another_scikit_learn_is_warned_of(place: Path) -> None:
    import sklearn

    model, table = matrix_model(names=True)
    file = saved(place, model, table)
    here = sklearn.__version__.encode()
    file.write_bytes(file.read_bytes().replace(here, b"0" + here[1:]))

    report = init(file, data=place / "sample.csv", output=place)

    assert any("was fitted with scikit-learn 0." in warning for warning in report.warnings)


@pytest.mark.parametrize("name", WRITTEN)
def test_a_file_that_is_there_is_kept_unless_forced(place: Path, name: str) -> None:
    model, _ = matrix_model(names=True)
    saved(place, model)
    (place / name).write_text("mine")

    with pytest.raises(ConfigurationError, match=f"{name} is there already") as caught:
        init(place / "model.joblib", output=place)
    assert "--force" in (caught.value.hint or "")
    assert (place / name).read_text() == "mine"
    assert sum((place / other).exists() for other in WRITTEN) == 1

    init(place / "model.joblib", output=place, force=True)
    assert (place / name).read_text() != "mine"


def test_another_directory_finds_model_and_data(
    place: Path, answers: Answers, tmp_path: Path
) -> None:
    model, table = matrix_model(names=True)
    saved(place, model, table)

    report = init(
        place / "model.joblib", data=place / "sample.csv", output=tmp_path / "new" / "2 go"
    )

    settings = read_settings(report.directory / "tonnage.toml")
    assert settings.service.name == "2-go"
    assert settings.service.handler == "service:Model"
    assert settings.path(settings.service.model).resolve() == (place / "model.joblib").resolve()
    assert answers(report.directory, report, {"a": 0.0, "b": 1.0})
    assert report.next_commands[0] == f"cd {report.directory}"


def handler_folder(place: Path) -> Path:
    folder = place / "model"
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "inference.py").write_text("raise SystemExit('nothing of it is run')\n")
    (folder / "model.joblib").write_bytes(b"never opened")
    return folder


def as_archive(folder: Path) -> Path:
    archive = folder.with_name("model.tar.gz")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, arcname=".")
    return archive


@pytest.mark.parametrize("form", ["folder", "archive"])
def test_what_sagemaker_serves_already_gets_settings_only(place: Path, form: str) -> None:
    model = handler_folder(place)
    if form == "archive":
        model = as_archive(model)

    report = init(model, output=place)

    assert report.files == (place / "tonnage.toml",)
    assert report.service is None
    settings = read_settings(place / "tonnage.toml")
    assert (settings.service.route, settings.service.model) == ("/invocations", model.name)
    assert f"tonnage serve {model.name} --port 8080" in report.next_commands
    assert any("code/inference.py is served as it is" in note for note in report.notes)


def test_an_archive_with_a_pickle_alone_says_what_to_do(place: Path) -> None:
    archive = place / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo("model.joblib")
        member.size = 3
        tar.addfile(member, io.BytesIO(b"any"))

    with pytest.raises(ConfigurationError, match=r"has no code/inference\.py, only model\.joblib"):
        init(archive, output=place)


def test_a_packed_artefact_needs_nothing(place: Path) -> None:
    (place / "packed").mkdir()
    (place / "packed" / "manifest.json").write_text("{}")

    with pytest.raises(ConfigurationError, match="is packed already"):
        init(place / "packed", output=place)


def test_the_command_says_what_was_written_and_what_to_run_next(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, table = matrix_model(names=True)
    saved(place, model, table)
    monkeypatch.chdir(place)
    arguments = ["init", "--data", "sample.csv"]

    told = CliRunner().invoke(cli, arguments, catch_exceptions=False)

    assert told.exit_code == 0
    assert told.stdout.splitlines()[:4] == [*(f"wrote {name}" for name in WRITTEN), "Next:"]
    assert "tonnage pack model.joblib --service service:FlatPrices --data sample.csv" in told.stdout
    assert "left out: y" in told.stderr

    shown = CliRunner().invoke(cli, [*arguments, "--force", "--json"], catch_exceptions=False)
    assert json.loads(shown.stdout)["files"] == WRITTEN
    assert json.loads(shown.stdout)["columns"] == ["a", "b"]
