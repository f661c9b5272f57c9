"""
The notebook of the whole story: train, pack, up, load, line, simulate, plan, and results that show.
"""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NAME = "story.ipynb"


@pytest.fixture
def notebook(example: Path) -> nbformat.NotebookNode:
    return nbformat.read(example / NAME, as_version=nbformat.NO_CONVERT)


@pytest.fixture
def workplace(example: Path, tmp_path: Path) -> Path:
    """A copy of what the notebook needs, so that it writes beside nothing of the tree's."""
    copy = tmp_path / "real_estate"
    shutil.copytree(example / "data", copy / "data")
    for name in ("charts.py", "train.py", "training_job.py", "service.py", NAME):
        shutil.copy(example / name, copy)
    return copy


def shown(notebook: nbformat.NotebookNode, cell: str) -> dict[str, str]:
    """Return what a cell's result shows itself as, by media type."""
    (found,) = [one for one in notebook.cells if one.id == cell]
    (result,) = [one for one in found.outputs if one.output_type == "execute_result"]
    data: dict[str, str] = result.data
    return data


def test_the_story_is_committed_without_outputs(notebook: nbformat.NotebookNode) -> None:
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


def test_the_library_drives_the_story_and_its_results_show_themselves(
    notebook: nbformat.NotebookNode, kernel: str, workplace: Path
) -> None:
    run_in = {"metadata": {"path": str(workplace)}}

    NotebookClient(notebook, kernel_name=kernel, timeout=120, resources=run_in).execute()

    assert "95.02 -8.92" in shown(notebook, "train")["text/plain"]
    assert "onnx (float64)" in shown(notebook, "pack")["text/plain"]
    load = shown(notebook, "load")["text/html"]
    assert "50 users" in load
    assert "p99" in load
    line = shown(notebook, "line")["text/html"]
    assert "The load line: " in line
    assert "p99 &lt; 250 ms" in line
    assert "image/png" in shown(notebook, "curve")
    assert "instance hours" in shown(notebook, "simulate")["text/html"]
    plan = shown(notebook, "plan")["text/html"]
    assert "The plan: " in plan
    assert "ml.c5.large" in plan
    assert "USD a month" in plan
    assert (workplace / "artefact" / "manifest.json").is_file()
