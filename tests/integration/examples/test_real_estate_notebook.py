"""
The notebook is committed without outputs, runs from top to bottom, and saves the same model.
"""

import shutil
from pathlib import Path

import joblib
import nbformat
import pytest
from nbclient import NotebookClient

NAME = "price_by_distance.ipynb"


@pytest.fixture
def notebook(example: Path) -> nbformat.NotebookNode:
    return nbformat.read(example / NAME, as_version=nbformat.NO_CONVERT)


@pytest.fixture
def workplace(example: Path, tmp_path: Path) -> Path:
    """A copy of what the notebook needs, so that it writes beside nothing of the tree's."""
    copy = tmp_path / "real_estate"
    shutil.copytree(example / "data", copy / "data")
    for name in ("charts.py", "train.py", "training_job.py", NAME):
        shutil.copy(example / name, copy)
    return copy


def files_in(directory: Path) -> set[Path]:
    """What is there, but for the bytecode that importing leaves."""
    files = (path for path in directory.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(directory) for path in files}


def test_notebook_is_valid_and_names_the_plain_python_kernel(
    notebook: nbformat.NotebookNode,
) -> None:
    nbformat.validate(notebook)

    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


def test_notebook_is_committed_without_outputs(notebook: nbformat.NotebookNode) -> None:
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]

    assert code
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


def test_notebook_runs_and_saves_the_model_that_training_saves_and_nothing_else(
    notebook: nbformat.NotebookNode, kernel: str, workplace: Path, trained: Path
) -> None:
    before = files_in(workplace)
    run_in = {"metadata": {"path": str(workplace)}}

    NotebookClient(notebook, kernel_name=kernel, timeout=120, resources=run_in).execute()

    outputs = [out for cell in notebook.cells for out in cell.get("outputs", ())]
    assert sum("image/png" in out.get("data", ()) for out in outputs) == 4
    assert [out.text for out in outputs if out.get("name") == "stderr"] == []
    assert files_in(workplace) - before == {Path("model.joblib")}
    saved, expected = (joblib.load(at / "model.joblib") for at in (workplace, trained))
    assert saved.intercept_ == expected.intercept_
    assert saved.coef_.tolist() == expected.coef_.tolist()
