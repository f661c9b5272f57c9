"""
Hypothesis profiles, and the reference example fitted and packed once.
"""

import csv
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings

import suite_cut
from tonnage.artefact import LoadedModel, PackReport, pack

if TYPE_CHECKING:
    from sklearn.linear_model import LinearRegression

# How long one example takes is the machine's affair; CI draws more of them, always the same.
settings.register_profile("dev", deadline=None, max_examples=40)
settings.register_profile("ci", deadline=None, max_examples=120, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

SYNTHESISED = "assembly"
"""The fixture, in several modules, that synthesises stacks: half a minute of Node.js."""

EXAMPLE = Path(__file__).parents[2] / "examples" / "real_estate"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what ``make test-fast`` leaves out."""
    here = Path(__file__).parent
    slow = frozenset(suite_cut.entries(suite_cut.SLOW))
    for item in items:
        if not isinstance(item, pytest.Function) or not item.path.is_relative_to(here):
            continue
        if suite_cut.is_listed(item, slow, here) or SYNTHESISED in item.fixturenames:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def example() -> Path:
    return EXAMPLE


@pytest.fixture(scope="session")
def price_line() -> "LinearRegression":
    """The reference model: unit price on the logarithm of the distance, on every sale."""
    # scikit-learn takes seconds to import, and most unit tests can do without.
    from sklearn.linear_model import LinearRegression

    with (EXAMPLE / "data" / "real_estate.csv").open(newline="") as lines:
        sales = list(csv.DictReader(lines))
    distances = np.log([[float(sale["mrt_distance"])] for sale in sales])
    return LinearRegression().fit(distances, [float(sale["unit_price"]) for sale in sales])


@pytest.fixture(scope="session")
def model_file(price_line: "LinearRegression", tmp_path_factory: pytest.TempPathFactory) -> Path:
    import joblib

    file = tmp_path_factory.mktemp("model") / "model.joblib"
    joblib.dump(price_line, file)
    return file


@pytest.fixture(scope="session")
def packed(model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> PackReport:
    """The reference artefact; read it, never write to it."""
    output = tmp_path_factory.mktemp("packed") / "artefact"
    return pack(model_file, service="service:RealEstate", output=output, code=EXAMPLE)


@pytest.fixture(scope="session")
def loaded(packed: PackReport) -> LoadedModel:
    return LoadedModel.load(packed.directory)


@pytest.fixture(scope="session")
def plane_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plane over two numbers, fitted: ``y = 1 + 2a + 3b``."""
    import joblib
    from sklearn.linear_model import LinearRegression

    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    file = tmp_path_factory.mktemp("plane") / "model.joblib"
    joblib.dump(LinearRegression().fit(corners, 1 + corners @ [2.0, 3.0]), file)
    return file
