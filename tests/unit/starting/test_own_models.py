"""
What people bring to ``init``: it is served as it was fitted, or the fault and the way on are told.
"""

import importlib
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import (
    TransformedTargetRegressor,
    make_column_selector,
    make_column_transformer,
)
from sklearn.ensemble import (
    HistGradientBoostingRegressor,
    RandomForestRegressor,
    VotingRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder

from tonnage.artefact import pack
from tonnage.domain import TonnageError
from tonnage.starting import InitReport, init

COUNT = 40
WRITTEN = ("service.py", "tonnage.toml", "locustfile.py")

Answers = Callable[..., list[Any]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A model, the sample that comes with it, and a row to ask about."""

    model: Any
    sample: pd.DataFrame
    row: dict[str, Any]
    target: str | None = None
    columns: tuple[str, ...] | None = None


def shops() -> pd.DataFrame:
    """Postcodes that are all digits, one with a zero in front; codes; truth values; a number."""
    return pd.DataFrame(
        {
            "postcode": ["01067", "10115", "80331", "20095"] * (COUNT // 4),
            "code": ["1", "2"] * (COUNT // 2),
            "open": [True, False, False, True] * (COUNT // 4),
            "area": np.linspace(20, 100, COUNT),
        }
    )


SALES = np.linspace(0, 5, COUNT) + np.arange(COUNT) % 4
SHOP = {"postcode": "01067", "code": "2", "open": True, "area": 55.5}


def encoded(end: Any, encoder: Any = None, texts: Any = ("postcode", "code")) -> Any:  # noqa: ANN401 (estimators)
    columns = make_column_transformer(
        (encoder or OneHotEncoder(), list(texts) if isinstance(texts, tuple) else texts),
        (StandardScaler(), ["area"]),
    )
    return make_pipeline(columns, end)


def digits() -> Case:
    table = shops()
    return Case(model=encoded(Ridge()).fit(table, SALES), sample=table, row=SHOP)


def digits_in_a_search() -> Case:
    table = shops()
    search = GridSearchCV(encoded(Ridge()), {"ridge__alpha": [0.1, 1.0]}, cv=2)
    return Case(model=search.fit(table, SALES), sample=table, row=SHOP)


def digits_behind_an_imputer() -> Case:
    table = shops()
    encoder = make_pipeline(SimpleImputer(strategy="most_frequent"), OrdinalEncoder())
    return Case(model=encoded(Ridge(), encoder).fit(table, SALES), sample=table, row=SHOP)


def digits_chosen_by_type() -> Case:
    table = shops()
    texts = make_column_selector("post|code")
    encoder = TargetEncoder(cv=2)
    return Case(model=encoded(Ridge(), encoder, texts).fit(table, SALES), sample=table, row=SHOP)


def digits_within_several() -> Case:
    table = shops()
    several = VotingRegressor([("a", encoded(Ridge())), ("b", encoded(LinearRegression()))])
    model = TransformedTargetRegressor(several, func=np.sqrt, inverse_func=np.square)
    return Case(model=model.fit(table, SALES), sample=table, row=SHOP)


def digits_in_an_array() -> Case:
    table = shops()[["postcode", "code"]]
    model = make_pipeline(OneHotEncoder(), Ridge()).fit(table.to_numpy(dtype=object), SALES)
    return Case(model=model, sample=table, row={"postcode": "01067", "code": "2"})


def whole_numbers_as_categories() -> Case:
    table = shops().assign(code=[1, 2] * (COUNT // 2))
    row = {**SHOP, "code": 2}
    return Case(model=encoded(Ridge()).fit(table, SALES), sample=table, row=row)


def a_text_called_na() -> Case:
    """``NA`` is a country here, and missing nowhere."""
    table = pd.DataFrame({"country": ["NA", "DE"] * (COUNT // 2)})
    columns = make_column_transformer((OneHotEncoder(), ["country"]))
    model = make_pipeline(columns, Ridge()).fit(table, SALES)
    return Case(model=model, sample=table, row={"country": "NA"})


def missing_texts() -> Case:
    table = shops()
    table.loc[::5, "postcode"] = np.nan
    row = {key: value for key, value in SHOP.items() if key != "postcode"}
    return Case(model=encoded(Ridge()).fit(table, SALES), sample=table, row=row)


def missing_truths() -> Case:
    table = shops().drop(columns=["postcode", "code"])
    table["open"] = table["open"].astype(object)
    table.loc[::5, "open"] = np.nan
    model = encoded(Ridge(), texts=("open",)).fit(table, SALES)
    return Case(model=model, sample=table, row={"area": 50.0})


def another_order() -> Case:
    table = shops()
    model = encoded(Ridge()).fit(table, SALES)
    shuffled = table.assign(note="none of the model's", sales=SALES)[
        ["sales", "area", "note", "open", "code", "postcode"]
    ]
    return Case(model=model, sample=shuffled, row=SHOP, columns=tuple(table))


def odd_names() -> Case:
    names = ["2nd floor", "class", "Größe (m²)", "model_year", "json", "float", "a\"b'c", "copy"]
    chance = np.random.default_rng(0)
    table = pd.DataFrame(chance.normal(size=(COUNT, len(names))), columns=names)
    model = LinearRegression().fit(table, SALES)
    return Case(model=model, sample=table, row=dict.fromkeys(names, 0.5), columns=tuple(names))


def several_outputs() -> Case:
    table = shops()[["area"]]
    both = np.stack([SALES, -SALES], axis=1)
    model = MultiOutputRegressor(RandomForestRegressor(5, random_state=0)).fit(table, both)
    return Case(model=model, sample=table, row={"area": 55.5})


def a_list_of_texts() -> Case:
    texts = ["cheap pills now", "meeting at ten", "pills and more pills", "agenda of the meeting"]
    table = pd.DataFrame({"mail": texts * (COUNT // 4), "kind": ["spam", "ham"] * (COUNT // 2)})
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(table["mail"], table["kind"])
    return Case(model=model, sample=table, row={"mail": "more cheap pills"}, target="kind")


def texts_beside_numbers() -> Case:
    texts = ["10 12", "12 14", "10 14", "11 12"]
    table = pd.DataFrame({"tags": texts * (COUNT // 4), "area": np.linspace(20, 100, COUNT)})
    columns = make_column_transformer((TfidfVectorizer(), "tags"), ("passthrough", ["area"]))
    model = make_pipeline(columns, Ridge()).fit(table, SALES)
    return Case(model=model, sample=table, row={"tags": "10 12", "area": 30.0})


def spaces_in_lightgbm() -> Case:
    from lightgbm import LGBMRegressor

    table = pd.DataFrame({"living area": np.linspace(20, 100, COUNT), "rooms": [1, 2] * 20})
    model = LGBMRegressor(n_estimators=3, min_child_samples=2, verbose=-1).fit(table, SALES)
    return Case(model=model, sample=table, row={"living area": 33.0, "rooms": 2})


SERVED = [
    digits,
    digits_in_a_search,
    digits_behind_an_imputer,
    digits_chosen_by_type,
    digits_within_several,
    digits_in_an_array,
    whole_numbers_as_categories,
    a_text_called_na,
    missing_texts,
    missing_truths,
    another_order,
    odd_names,
    several_outputs,
    a_list_of_texts,
    texts_beside_numbers,
    spaces_in_lightgbm,
]


def begun(place: Path, model: object, sample: pd.DataFrame | None, **options: Any) -> InitReport:  # noqa: ANN401
    joblib.dump(model, place / "model.joblib")
    if sample is not None:
        sample.to_csv(place / "sample.csv", index=False)
        options["data"] = place / "sample.csv"
    return init(place / "model.joblib", output=place, **options)


def of_the_model(case: Case) -> Any:  # noqa: ANN401 (a number, several, a label)
    names = list(getattr(case.model, "feature_names_in_", case.row))
    spaced = {name.replace(" ", "_"): name for name in case.row}
    row = {name: case.row.get(name, case.row.get(spaced.get(name, ""), np.nan)) for name in names}
    kinds = {name: case.sample[name].dtype for name in row if name in case.sample}
    table = pd.DataFrame([row]).astype(kinds)
    if not hasattr(case.model, "n_features_in_"):
        return case.model.predict(table.iloc[:, 0].tolist())[0]
    if not hasattr(case.model, "feature_names_in_"):
        return case.model.predict(table.to_numpy(dtype=object))[0]
    return case.model.predict(table)[0]


@pytest.mark.parametrize("case", SERVED, ids=lambda make: make.__name__)
def test_what_is_brought_is_served_as_it_was_fitted(
    place: Path, answers: Answers, case: Callable[[], Case]
) -> None:
    brought = case()

    report = begun(place, brought.model, brought.sample, target=brought.target)

    (answer,) = answers(place, report, brought.row)
    expected = of_the_model(brought)
    given = answer.get("label", answer.get("prediction"))
    assert given == (expected if isinstance(expected, str) else pytest.approx(expected, rel=1e-4))
    if brought.columns is not None:
        assert report.columns == brought.columns


def test_categories_come_from_the_model_where_the_sample_is_small(place: Path) -> None:
    table = shops()
    model = encoded(Ridge()).fit(table, SALES)

    begun(place, model, table.head(1))

    written = (place / "service.py").read_text(encoding="utf-8")
    assert 'Literal["01067", "10115", "20095", "80331"]' in written
    assert 'code: Literal["1", "2"]' in written


def test_categories_of_a_data_frame_are_text(place: Path) -> None:
    """Packing it needs --allow-pickle: neither ONNX nor skops takes its encoder."""
    table = shops()[["postcode", "area"]]
    kept = table.astype({"postcode": "category"})
    model = HistGradientBoostingRegressor(categorical_features="from_dtype", max_iter=5)

    begun(place, model.fit(kept, SALES), table)

    written = (place / "service.py").read_text(encoding="utf-8")
    assert 'Literal["01067", "10115", "20095", "80331"]' in written


def test_categories_need_no_sample(place: Path, answers: Answers) -> None:
    table = shops().drop(columns="open")
    model = encoded(Ridge()).fit(table, SALES)

    report = begun(place, model, None)

    row = {"postcode": "80331", "code": "1", "area": 0.5}
    (answer,) = answers(place, report, row)
    expected = model.predict(pd.DataFrame([row]))[0]
    assert answer == {"prediction": pytest.approx(expected, rel=1e-4)}


def test_a_text_model_becomes_the_same_artefact_on_every_machine(place: Path) -> None:
    """ONNX Runtime would ask for a locale that this machine may have and another may lack."""
    brought = a_list_of_texts()
    begun(place, brought.model, brought.sample, target=brought.target)

    packed = pack(
        place / "model.joblib", service="service:FlatPrices", output=place / "artefact", code=place
    )

    assert packed.manifest.model.format == "skops"
    assert "by the machine's locale" in packed.manifest.model.considered[0]


OURS = """
import numpy as np

class Doubled:
    n_features_in_ = 1

    def predict(self, rows):
        return 2 * np.asarray(rows)[:, 0]
"""


def test_a_class_of_ones_own_is_found_beside_the_service(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "doubling.py").write_text(OURS)
    (place / "models").mkdir()
    with monkeypatch.context() as patched:
        patched.syspath_prepend(place)
        model = importlib.import_module("doubling").Doubled()
        joblib.dump(model, place / "models" / "model.joblib")
    sys.modules.pop("doubling", None)

    report = init(place / "models" / "model.joblib", output=place)

    assert report.columns == ("x0",)
    assert "doubling" not in sys.modules


def pieces() -> tuple[Any, pd.DataFrame]:
    return {"scaler": StandardScaler(), "model": LinearRegression()}, shops()


def unreadable_number() -> tuple[Any, pd.DataFrame]:
    table = shops()[["area"]]
    model = LinearRegression().fit(table, SALES)
    return model, pd.DataFrame({"area": ["20 m²", "30 m²"]})


def dates() -> tuple[Any, pd.DataFrame]:
    days = pd.DataFrame({"sold": np.arange(COUNT), "area": np.linspace(20, 100, COUNT)})
    model = LinearRegression().fit(days, SALES)
    return model, days.assign(sold=pd.date_range("2024-01-01", periods=COUNT))


def an_unknown_category() -> tuple[Any, pd.DataFrame]:
    table = shops()
    return encoded(Ridge()).fit(table, SALES), table.replace({"postcode": {"01067": "1067"}})


def a_booster() -> tuple[Any, pd.DataFrame]:
    from xgboost import XGBRegressor

    table = shops()[["area"]]
    return XGBRegressor(n_estimators=2).fit(table, SALES).get_booster(), table


def two_columns_too_many() -> tuple[Any, pd.DataFrame]:
    table = pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, 3.0], "c": [2.0, 2.0]})
    return LinearRegression().fit(table[["a"]].to_numpy(), [1.0, 2.0]), table


def labelled_texts() -> tuple[Any, pd.DataFrame]:
    case = a_list_of_texts()
    return case.model, case.sample


REFUSED = [
    (pieces, "holds a dict", "StandardScaler, LinearRegression: save one pipeline"),
    (unreadable_number, r"could not convert.*read as text \(area\)", "same types"),
    (dates, r"text \(sold\), numbers \(area\)", "sold holds dates.*numbers made of them"),
    (
        an_unknown_category,
        "unknown categories",
        "postcode holds '1067', which the model was not fitted on; it knows '01067', '10115'",
    ),
    (a_booster, "Booster.predict fails", "XGBRegressor or XGBClassifier"),
    (two_columns_too_many, "fitted on 1 column, and .* has 3: a, b, c", "in their order"),
    (labelled_texts, "fitted on 1 column, and .* has 2: mail, kind", "--target 'kind'"),
]


@pytest.mark.parametrize(
    ("brought", "told", "hint"), REFUSED, ids=[make.__name__ for make, *_ in REFUSED]
)
def test_what_cannot_be_is_told_with_the_way_on(
    place: Path, brought: Callable[[], tuple[Any, pd.DataFrame]], told: str, hint: str
) -> None:
    model, sample = brought()

    with pytest.raises(TonnageError) as refusal:
        begun(place, model, sample)

    assert re.search(told, refusal.value.message), refusal.value.message
    assert re.search(hint, refusal.value.hint or ""), refusal.value.hint
    assert not any((place / name).exists() for name in WRITTEN)
