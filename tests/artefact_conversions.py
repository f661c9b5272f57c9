"""
What each kind of model becomes when it is packed: the models, the services around them, the table.

The table in ``docs/reference/conversions.md`` is written by
``.venv/bin/python tests/artefact_conversions.py``;
``tests/unit/artefact/test_conversions.py`` packs the same models and holds the page against them.
"""

import math
import re
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from xgboost import XGBClassifier, XGBRegressor

from tonnage.artefact import PackReport, pack

PAGE: Final = Path(__file__).parents[1] / "docs" / "reference" / "conversions.md"
_BEGIN: Final = "<!-- written by tests/artefact_conversions.py -->"
_END: Final = "<!-- end -->"
_TREES: Final = 25  # odd: an even number of trees can tie between two classes
_ROWS: Final = 240

_CHANCE = np.random.default_rng(1)
NUMBERS = _CHANCE.uniform([-3, 0], [3, 10], (_ROWS, 2))
VALUES = np.sin(NUMBERS[:, 0]) + np.sqrt(NUMBERS[:, 1]) + 5
TWO = np.where(VALUES > 7, "high", "low")
THREE = np.array(["low", "middle", "high"])[np.digitize(VALUES, [6.5, 7.5])]
CODES = np.digitize(VALUES, [6.5, 7.5])

HOMES = pd.DataFrame(
    {
        "area": _CHANCE.uniform(20, 200, _ROWS),
        "rooms": _CHANCE.integers(1, 7, _ROWS),
        "age": _CHANCE.uniform(0, 90, _ROWS),
        "kind": _CHANCE.choice(["flat", "house", "loft"], _ROWS),
        "lift": _CHANCE.random(_ROWS) > 0.5,
    }
)
WITH_GAPS = HOMES.assign(age=HOMES["age"].where(HOMES["age"] > 10))
RENT = 8 * HOMES["area"] + 40 * HOMES["rooms"] + 99 * (HOMES["kind"] == "loft") - HOMES["age"]

PLAIN: Final = """
import numpy as np
from pydantic import BaseModel, Field
from tonnage import Service

class Row(BaseModel):
    a: float = Field(ge=-3, le=3)
    b: float = Field(ge=0, le=10)

class Answer(BaseModel):
    y: int | float | str | list[float]

class Model(Service[Row, Answer]):
    def features(self, rows):
        return np.array([[row.a, row.b] for row in rows])

    def results(self, predictions):
        return [Answer(y=one) for one in predictions.tolist()]
"""
SURE: Final = """
import numpy as np
from pydantic import BaseModel, Field
from tonnage import Service

class Row(BaseModel):
    a: float = Field(ge=-3, le=3)
    b: float = Field(ge=0, le=10)

class Answer(BaseModel):
    label: int | str
    probabilities: dict[int | str, float]

class Model(Service[Row, Answer]):
    outputs = "probabilities"

    def features(self, rows):
        return np.array([[row.a, row.b] for row in rows])

    def results(self, predictions):
        pairs = zip(predictions.labels.tolist(), predictions.by_class(), strict=True)
        return [Answer(label=label, probabilities=each) for label, each in pairs]
"""
TABLE: Final = """
from typing import Literal
from pydantic import BaseModel, Field
from tonnage import Service

class Home(BaseModel):
    area: float = Field(ge=20, le=200)
    rooms: int = Field(ge=1, le=6)
    age: float | None = Field(default=None, ge=0, le=90)
    kind: Literal["flat", "house", "loft"]
    lift: bool = False

class Rent(BaseModel):
    rent: float | str

class Model(Service[Home, Rent]):
    def features(self, rows):
        return {name: [getattr(row, name) for row in rows] for name in Home.model_fields}

    def results(self, predictions):
        return [Rent(rent=one) for one in predictions.tolist()]
"""
WHOLE: Final = TABLE.replace("float | None = Field(default=None, ge=0", "float = Field(ge=0")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A model to fit, and the service it is packed with."""

    make: Callable[[], Any]
    service: str = PLAIN
    features: Any = None
    target: Any = None

    def fitted(self) -> Any:  # noqa: ANN401 (any estimator)
        features = NUMBERS if self.features is None else self.features
        target = VALUES if self.target is None else self.target
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some are not yet converged, some deprecated
            return self.make().fit(features, target)


def _sure(make: Callable[[], Any], target: Any = TWO) -> Case:  # noqa: ANN401 (labels)
    return Case(make=make, service=SURE, target=target)


def _homes(make: Callable[[], Any], *, with_gaps: bool = False) -> Callable[[], Any]:
    def pipeline() -> Any:  # noqa: ANN401 (any estimator)
        scaled = make_pipeline(SimpleImputer(), StandardScaler()) if with_gaps else StandardScaler()
        columns = ColumnTransformer(
            [
                ("numbers", scaled, ["area", "rooms", "age", "lift"]),
                ("choices", OneHotEncoder(handle_unknown="ignore"), ["kind"]),
            ]
        )
        return make_pipeline(columns, make())

    return pipeline


CASES: Final[dict[str, Case]] = {
    "LinearRegression": Case(make=LinearRegression),
    "LinearRegression, target of shape (n, 1)": Case(make=LinearRegression, target=VALUES[:, None]),
    "LinearRegression, two targets": Case(
        make=LinearRegression, target=np.column_stack([VALUES, 1e6 * NUMBERS[:, 0]])
    ),
    "Ridge": Case(make=Ridge),
    "StandardScaler, Ridge": Case(make=lambda: make_pipeline(StandardScaler(), Ridge())),
    "ColumnTransformer (scaler, one-hot), Ridge": Case(
        make=_homes(Ridge), service=WHOLE, features=HOMES, target=RENT
    ),
    "ColumnTransformer (imputer, scaler, one-hot), Ridge": Case(
        make=_homes(Ridge, with_gaps=True), service=TABLE, features=WITH_GAPS, target=RENT
    ),
    "ColumnTransformer (scaler, one-hot), LogisticRegression": Case(
        make=_homes(LogisticRegression),
        service=WHOLE,
        features=HOMES,
        target=np.where(RENT > 900, "dear", "cheap"),
    ),
    "LogisticRegression, two classes": _sure(LogisticRegression),
    "LogisticRegression, three classes": _sure(LogisticRegression, THREE),
    "LogisticRegression, without probabilities": Case(make=LogisticRegression, target=TWO),
    "DecisionTreeRegressor": Case(make=lambda: DecisionTreeRegressor(random_state=0)),
    "DecisionTreeClassifier": _sure(lambda: DecisionTreeClassifier(random_state=0)),
    "RandomForestRegressor": Case(make=lambda: RandomForestRegressor(_TREES, random_state=0)),
    "RandomForestClassifier": _sure(lambda: RandomForestClassifier(_TREES, random_state=0)),
    "RandomForestClassifier, trees that tie": _sure(
        lambda: RandomForestClassifier(20, random_state=0)
    ),
    "ExtraTreesRegressor": Case(make=lambda: ExtraTreesRegressor(_TREES, random_state=0)),
    "ExtraTreesClassifier": _sure(lambda: ExtraTreesClassifier(_TREES, random_state=0)),
    "GradientBoostingRegressor": Case(
        make=lambda: GradientBoostingRegressor(n_estimators=_TREES, random_state=0)
    ),
    "GradientBoostingClassifier": _sure(
        lambda: GradientBoostingClassifier(n_estimators=_TREES, random_state=0)
    ),
    "HistGradientBoostingRegressor": Case(
        make=lambda: HistGradientBoostingRegressor(max_iter=_TREES, random_state=0)
    ),
    "HistGradientBoostingClassifier": _sure(
        lambda: HistGradientBoostingClassifier(max_iter=_TREES, random_state=0)
    ),
    "KNeighborsRegressor": Case(make=KNeighborsRegressor),
    "KNeighborsClassifier": _sure(KNeighborsClassifier),
    "SVR": Case(make=SVR),
    "SVC, without probabilities": Case(make=SVC, target=TWO),
    "SVC, with probabilities": _sure(lambda: SVC(probability=True, random_state=0)),
    "MLPRegressor": Case(make=lambda: MLPRegressor(hidden_layer_sizes=(8,), random_state=0)),
    "MLPClassifier": _sure(lambda: MLPClassifier(hidden_layer_sizes=(8,), random_state=0)),
    "XGBRegressor": Case(make=lambda: XGBRegressor(n_estimators=_TREES, n_jobs=1)),
    "XGBClassifier": _sure(lambda: XGBClassifier(n_estimators=_TREES, n_jobs=1), CODES),
    "LGBMRegressor": Case(make=lambda: LGBMRegressor(n_estimators=_TREES, n_jobs=1, verbose=-1)),
    "LGBMClassifier": _sure(
        lambda: LGBMClassifier(n_estimators=_TREES, n_jobs=1, verbose=-1), THREE
    ),
}


@cache
def packed(name: str) -> tuple[Any, PackReport]:
    """Return a case's fitted model and its artefact, which is made once a process."""
    return pack_case(CASES[name], Path(tempfile.mkdtemp(dir=_place().name)))


@cache
def _place() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="tonnage-conversions-")


def pack_case(case: Case, place: Path, **options: Any) -> tuple[Any, PackReport]:  # noqa: ANN401 (pack's)
    """Fit a case's model and pack it."""
    model = case.fitted()
    joblib.dump(model, place / "model.joblib")
    (place / "service.py").write_text(case.service)
    report = pack(
        place / "model.joblib",
        service="service:Model",
        output=place / "artefact",
        code=place,
        **options,
    )
    return model, report


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of the page: what a model got."""

    model: str
    form: str
    difference: str
    why: str

    def cells(self) -> Sequence[str]:
        return self.model, self.form, self.difference, self.why


def line(name: str) -> Line:
    """Return what a case got."""
    entry = packed(name)[1].manifest.model
    precision = {"float64": "double", "float32": "single"}[entry.precision]
    return Line(
        model=name,
        form=f"ONNX, {precision}" if entry.format == "onnx" else entry.format,
        difference=magnitude(entry.max_relative_difference),
        why="; ".join(map(_reason, entry.considered[:-1])) or "the first that was tried",
    )


def magnitude(difference: float) -> str:
    """Return the power of ten that a difference lies below; beneath 1e-12 all are rounding."""
    return "none" if difference == 0 else f"1e{max(-12, math.ceil(math.log10(difference)))}"


def _reason(considered: str) -> str:
    form, _, outcome = considered.partition(": ")
    form = form.replace("onnx float64", "double").replace("onnx float32", "single")
    if "NOT_IMPLEMENTED" in outcome or "tensor(double)" in outcome:
        return f"{form}: the runtime has no kernel"
    if "Unable to create node" in outcome:
        return f"{form}: the converter fails"
    if "labels differ" in outcome:
        return f"{form}: labels differ"
    if worst := re.search(r"difference ([\d.e+-]+)", outcome):
        return f"{form}: differs by {magnitude(float(worst[1]))}"
    return f"{form}: {outcome[:80]}"


def table() -> str:
    """Return the page's table, and the versions that it was made with."""
    versions = packed("XGBRegressor")[1].manifest.versions
    versions = {**versions, **packed("LGBMRegressor")[1].manifest.versions}
    named = ("scikit-learn", "skl2onnx", "onnxruntime", "skops", "xgboost", "lightgbm")
    head = ("model", "adopted", "worst difference below", "what was tried before")
    rows = [head, ("---",) * len(head), *(line(name).cells() for name in CASES)]
    lines = [f"| {' | '.join(cells)} |" for cells in rows]
    return "\n".join([f"Versions: {', '.join(f'{n} {versions[n]}' for n in named)}.", "", *lines])


def main() -> None:
    """Write the page's table in its place."""
    before, rest = PAGE.read_text(encoding="utf-8").split(_BEGIN)
    after = rest.split(_END)[1]
    PAGE.write_text(f"{before}{_BEGIN}\n{table()}\n{_END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
