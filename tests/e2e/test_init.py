"""
A model of one's own, from ``tonnage init`` to a plan, with nothing edited in between.
"""

import json
import re
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from support import Command, post, tonnage


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A clean directory with a model of text and whole numbers, and a sample."""
    directory = tmp_path / "my-flats"
    directory.mkdir()
    chance = np.random.default_rng(11)
    flats = pd.DataFrame(
        {"rooms": chance.integers(1, 6, 80), "district": chance.choice(["north", "south"], 80)}
    )
    columns = make_column_transformer((OneHotEncoder(), ["district"]), remainder="passthrough")
    rent = 300 * flats["rooms"] + 100 * (flats["district"] == "north")
    joblib.dump(make_pipeline(columns, Ridge(1e-6)).fit(flats, rent), directory / "model.joblib")
    flats.assign(rent=rent).to_csv(directory / "sample.csv", index=False)
    return directory


def told(place: Path, *arguments: str, codes: tuple[int, ...] = (0,)) -> dict[str, object]:
    """Run a verb to its end, and return its JSON object."""
    with tonnage(*arguments, "--json", cwd=place) as command:
        assert command.exit_code(60) in codes, command.stderr
    described: dict[str, object] = json.loads(command.stdout)
    return described


def url_of(command: Command) -> str:
    found = re.search(r"POST (http://[^/]+)/", command.until_line("REST API"))
    assert found is not None
    return found[1]


def test_what_init_writes_runs_at_once_through_every_verb(place: Path) -> None:
    """Whole numbers and text cannot be drawn from ranges: what is sent is valid all the same."""
    written = told(place, "init", "--data", "sample.csv", "--target", "rent")
    assert written["service"] == "service:MyFlats"
    packed = told(place, "pack", "model.joblib", "--service", "service:MyFlats")
    assert packed["format"] == "onnx"

    with tonnage("up", "--port", "0", cwd=place) as up:
        url = url_of(up)
        answer = post(f"{url}/evaluate", {"rooms": 2, "district": "north"})
        assert answer.json == {"rent": pytest.approx(700, abs=0.1)}

        flags = ("--users", "10", "--spawn-rate", "10/s", "--duration", "2s")
        ways = [("--locustfile", "locustfile.py", *flags), flags, ("--rate", "20/s", *flags[-2:])]
        for way in ways:
            load = told(place, "load", url, *way, codes=(0, 3, 4))
            assert (load["failed"], load["error_fraction"]) == (0, 0)
            assert load["requests"]

        line = told(place, "line", url, "--budget", "8s", codes=(0, 3, 4))
        curve = line["curve"]
        assert isinstance(curve, list)
        assert min(point["error_fraction"] for point in curve) == 0

    planned = told(place, "plan", "--line", "200/s", "--profile", "ramp(0/s, 300/s, 600s)")
    assert planned["best"]
