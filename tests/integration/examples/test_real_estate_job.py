"""
``train.py`` as a SageMaker training job: the contract's folders, under a root of the test's own.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import joblib
import pytest

SLOPE = -8.92353632


@pytest.fixture
def root(example: Path, tmp_path: Path) -> Path:
    """What a container finds at /opt/ml; hyperparameters are text, as SageMaker writes them."""
    data = tmp_path / "input" / "data" / "training"
    data.mkdir(parents=True)
    shutil.copy(example / "data" / "real_estate.csv", data / "sales.csv")
    hyperparameters(tmp_path, repeats="2", sagemaker_program="train.py")
    (tmp_path / "model").mkdir()
    return tmp_path


def hyperparameters(root: Path, **values: str) -> None:
    file = root / "input" / "config" / "hyperparameters.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(values))


def files_in(directory: Path) -> set[str]:
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*.*")}


def test_a_container_runs_it_and_finds_the_model_where_it_looks(
    train: ModuleType, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train.main(["train"], environment={}, root=root)

    assert files_in(root / "model") == {"model.joblib"}
    assert joblib.load(root / "model" / "model.joblib").coef_ == pytest.approx([SLOPE])
    assert files_in(root / "output") == {"data/price_by_distance.png", "data/residuals.png"}
    assert "2 x 5 folds, line" in " ".join(capsys.readouterr().out.split())


def test_a_framework_container_says_it_in_variables(example: Path, root: Path) -> None:
    """As a process, the way such a container starts it; hyperparameters come as flags, too."""
    said = {
        "SM_MODEL_DIR": str(root / "elsewhere"),
        "SM_CHANNEL_TRAINING": str(root / "input" / "data" / "training"),
        "SM_OUTPUT_DATA_DIR": str(root / "output" / "data"),
        "SM_HPS": '{"repeats": 3}',
    }
    finished = subprocess.run(
        [sys.executable, "-W", "error", example / "train.py", "--repeats", "1"],
        cwd=root,
        env={**os.environ, **said},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert files_in(root / "elsewhere") == {"model.joblib"}
    assert "1 x 5 folds, line" in " ".join(finished.stdout.split())


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"repeats": "none"}, "repeats"),
        ({"repeats": "0"}, "repeats"),
        ({"repeat": "2"}, "no hyperparameter 'repeat'"),
    ],
)
def test_a_wrong_hyperparameter_fails_the_job_and_says_why(
    train: ModuleType, root: Path, values: dict[str, str], said: str
) -> None:
    hyperparameters(root, **values)

    with pytest.raises(SystemExit) as caught:
        train.main([], environment={}, root=root)

    assert caught.value.code not in {0, None}
    assert said in (root / "output" / "failure").read_text()
    assert files_in(root / "model") == set()


@pytest.mark.parametrize("damage", ["none", "two", "not clean"])
def test_data_that_cannot_be_used_fails_the_job_and_says_why(
    train: ModuleType, root: Path, damage: str
) -> None:
    file = root / "input" / "data" / "training" / "sales.csv"
    if damage == "none":
        file.unlink()
    elif damage == "two":
        shutil.copy(file, file.with_name("more.csv"))
    else:
        file.write_text("mrt_distance,unit_price\n" + "x" * 3000 + ",1\n")

    with pytest.raises(SystemExit):
        train.main([], environment={}, root=root)

    reason = (root / "output" / "failure").read_text()
    assert ("must hold one CSV file" in reason) == (damage != "not clean")
    assert len(reason) <= 1024


def test_outside_of_a_container_there_is_no_job(train: ModuleType, tmp_path: Path) -> None:
    assert train.training_job({}, tmp_path) is None
