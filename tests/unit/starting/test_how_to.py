"""
The how-to page shows what ``tonnage init`` prints.
"""

import re
import tarfile
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from sklearn.linear_model import LinearRegression

from tonnage.cli import cli

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "start-with-your-own-model.md"
BLOCKS = re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of the page."""
    directory = tmp_path / "my-flats"
    directory.mkdir()
    table = pd.DataFrame({"rooms": np.arange(20) % 5, "rent": 300 * (np.arange(20) % 5)})
    joblib.dump(LinearRegression().fit(table[["rooms"]], table["rent"]), directory / "model.joblib")
    table.to_csv(directory / "sample.csv", index=False)
    (directory / "inference.py").write_text("raise SystemExit('nothing of it is run')\n")
    monkeypatch.chdir(directory)
    with tarfile.open("model.tar.gz", "w:gz") as archive:
        archive.add("inference.py", "code/inference.py")
    return directory


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_the_page_shows_what_is_printed(block: str) -> None:
    command, _, printed = block[block.index("$ tonnage ") + 2 :].partition("\n")

    result = CliRunner().invoke(cli, command.split()[1:], catch_exceptions=False)

    assert (result.exit_code, result.stdout) == (0, printed)
