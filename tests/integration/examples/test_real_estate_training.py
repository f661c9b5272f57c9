"""
``train.py`` gives the line of the reference story, assesses it, and writes it whole or not at all.
"""

import struct
from pathlib import Path
from types import ModuleType

import joblib
import numpy as np
import pandas as pd
import pytest

INTERCEPT = 95.01686471
SLOPE = -8.92353632


@pytest.fixture
def sales(example: Path) -> pd.DataFrame:
    return pd.read_csv(example / "data" / "real_estate.csv")


def png_size(path: Path) -> tuple[int, int]:
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def test_saved_model_is_the_line_through_all_sales(trained: Path) -> None:
    model = joblib.load(trained / "model.joblib")

    assert model.intercept_ == pytest.approx(INTERCEPT, rel=1e-9)
    assert model.coef_ == pytest.approx([SLOPE], rel=1e-9)
    predicted = model.predict(np.log([[100.0], [150.0], [1000.0]]))
    assert predicted.round(2).tolist() == [53.92, 50.30, 33.38]


def test_line_explains_54_percent_of_the_variance(train: ModuleType, sales: pd.DataFrame) -> None:
    assert train.r_squared(sales, train.fit(sales)) == pytest.approx(0.5393, abs=5e-5)


def test_summary_tells_line_errors_and_residuals(printed: str) -> None:
    words = " ".join(printed.split())

    assert "fitted on all 414 sales intercept 95.01686471 slope -8.92353632" in words
    assert "at 100 m 53.92 at 150 m 50.30 at 1,000 m 33.38" in words
    assert "assessment only" in words
    assert "20 x 5 folds, line 9.17 ± 1.76 6.43 ± 0.86" in words
    assert "20 x 5 folds, mean price 13.57 ± 1.80 10.79 ± 1.32" in words
    assert "largest +71.8: sold at 117.5, 253 m away" in words


def test_summary_names_what_was_written_relative_to_where_it_was_run(printed: str) -> None:
    wrote = [line.removeprefix("wrote ") for line in printed.splitlines() if "wrote" in line]

    assert wrote == [
        "out/model.joblib",
        "out/figures/price_by_distance.png",
        "out/figures/residuals.png",
    ]


def test_nothing_but_model_and_figures_is_left_behind(trained: Path) -> None:
    left = {path.relative_to(trained).as_posix() for path in trained.rglob("*") if path.is_file()}

    assert left == {"model.joblib", "figures/price_by_distance.png", "figures/residuals.png"}


@pytest.mark.parametrize("name", ["price_by_distance.png", "residuals.png"])
def test_figures_are_pictures_fit_to_read(trained: Path, name: str) -> None:
    width, height = png_size(trained / "figures" / name)

    assert 1200 <= width <= 2000
    assert 800 <= height <= 1500
    assert (trained / "figures" / name).stat().st_size > 50_000  # an empty frame is far smaller


def test_price_chart_shows_every_sale_on_a_log_scale_and_names_the_line(
    train: ModuleType, sales: pd.DataFrame
) -> None:
    drawn = train.price_chart(sales, INTERCEPT, SLOPE).to_dict()

    assert sorted(len(rows) for rows in drawn["datasets"].values()) == [2, 414]
    assert all(layer["encoding"]["x"]["scale"]["type"] == "log" for layer in drawn["layer"])
    assert "95.02 − 8.92 × ln(distance in m)" in drawn["title"]["subtitle"]  # noqa: RUF001 (a minus sign)
    assert "10,000 New Taiwan Dollars per ping" in drawn["layer"][0]["encoding"]["y"]["title"]


def test_a_place_is_never_on_both_sides_of_a_split(train: ModuleType, sales: pd.DataFrame) -> None:
    place = sales["mrt_distance"].to_numpy()

    for fitted, tested in [train.held_out_fifth(sales), *train.repeated_folds(sales)]:
        assert not set(place[fitted]) & set(place[tested])
        assert len(fitted) + len(tested) == len(sales)


def test_every_sale_is_tested_once_per_shuffle(train: ModuleType, sales: pd.DataFrame) -> None:
    tested = np.concatenate([rows for _, rows in train.repeated_folds(sales)])

    assert np.bincount(tested).tolist() == [train.REPEATS] * len(sales)


def test_errors_are_those_of_a_model_that_has_not_seen_the_tested_sales(
    train: ModuleType, sales: pd.DataFrame
) -> None:
    fitted, tested = train.held_out_fifth(sales)
    model = train.fit(sales.iloc[fitted])
    missed = train.with_residuals(sales.iloc[tested], model)["residual"]

    errors = train.errors_on_unseen(sales, [(fitted, tested)])

    assert errors["RMSE"].tolist() == pytest.approx([np.sqrt((missed**2).mean())])
    assert errors["MAE"].tolist() == pytest.approx([missed.abs().mean()])


def test_every_sale_lies_in_a_band_and_residuals_cancel(
    train: ModuleType, sales: pd.DataFrame
) -> None:
    known = train.with_residuals(sales, train.fit(sales))

    assert known["band"].notna().all()
    assert known["residual"].mean() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("0,40.0", "line 416: needs a distance > 0"),
        ("-5,40.0", "line 416: needs a distance > 0"),
        ("near,40.0", "line 416: needs a distance > 0"),
        ("500,", "line 416: needs a distance > 0"),
        ("500,inf", "line 416: needs a distance > 0"),
    ],
)
def test_a_row_that_cannot_be_used_stops_the_training(
    train: ModuleType, sales: pd.DataFrame, tmp_path: Path, row: str, said: str
) -> None:
    text = sales[["mrt_distance", "unit_price"]].to_csv(index=False)
    (tmp_path / "sales.csv").write_text(text + row + "\n")

    with pytest.raises(SystemExit, match=said):
        train.main(["--data", str(tmp_path / "sales.csv"), "--output", str(tmp_path / "out")])

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "No columns"),
        ("distance,price\n1,2\n", "lacks the columns .*mrt_distance.*unit_price"),
        ("mrt_distance,unit_price\n100,40\n200,35\n", "has 2 different distances"),
    ],
)
def test_a_file_without_enough_to_fit_on_stops_the_training(
    train: ModuleType, tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "sales.csv").write_text(text)

    with pytest.raises(SystemExit, match=said):
        train.main(["--data", str(tmp_path / "sales.csv"), "--output", str(tmp_path)])


def test_missing_data_is_one_line_and_no_trace(train: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"train\.py: .*nowhere\.csv"):
        train.main(["--data", str(tmp_path / "nowhere.csv")])


def test_output_that_cannot_be_written_is_one_line_and_no_trace(
    train: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file, not a directory")

    with pytest.raises(SystemExit, match=r"train\.py: .*taken"):
        train.main(["--output", str(tmp_path / "taken")])


def test_a_failed_write_keeps_the_old_model(
    train: ModuleType, sales: pd.DataFrame, tmp_path: Path
) -> None:
    (tmp_path / "model.joblib").write_bytes(b"the old one")
    model = train.fit(sales)
    model.note = lambda: None  # does not pickle

    with pytest.raises(Exception, match=r"(?i)pickle"):
        train.write(tmp_path, sales, model)

    assert [path.name for path in tmp_path.iterdir()] == ["model.joblib"]
    assert (tmp_path / "model.joblib").read_bytes() == b"the old one"
