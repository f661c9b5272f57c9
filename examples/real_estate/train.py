"""
Fit the price line, say how good it is, and write ``model.joblib`` and two figures.

::

    python train.py [--data sales.csv] [--output directory] [--repeats 20]

The model is the least-squares line of the unit price on the natural logarithm of the distance to
the nearest MRT station, fitted on every sale. The held-out sales, the cross-validation and the
residuals only say what to expect of it: none of them changes what is saved.

In a SageMaker training container the same script takes data and hyperparameters from where they
are put there (``training_job``), and leaves the model where it is picked up.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from charts import price_chart, residual_chart
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GroupKFold, GroupShuffleSplit, cross_validate
from training_job import ROOT, TrainingJob, training_job

HERE = Path(__file__).resolve().parent

FOLDS = 5
REPEATS = 20
BANDS = {"up to 200 m": 200, "to 500 m": 500, "to 1 km": 1000, "to 2 km": 2000, "over 2 km": np.inf}

Split = tuple[NDArray[np.intp], NDArray[np.intp]]


def main(
    arguments: Sequence[str] | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
    root: Path = ROOT,
) -> None:
    """Fit, assess, draw, save; as a SageMaker training job where it is one."""
    job = None
    try:
        job = training_job(environment, root)
        _run(_parser(job).parse_args(arguments), job)
    except (OSError, ValueError, argparse.ArgumentError) as error:
        if job is not None:
            job.fail(str(error))
        sys.exit(f"train.py: {error}")


def _run(options: argparse.Namespace, job: TrainingJob | None) -> None:
    if job is not None:
        job.check_known({"repeats"})
    data = options.data or (job.csv_file() if job else HERE / "data" / "real_estate.csv")
    sales = read_sales(data)
    model = fit(sales)
    errors = error_summary(sales, repeats=options.repeats)
    print("\n\n".join([line_summary(sales, model), errors, residual_summary(sales, model)]))
    print()
    for path in write(options.output, sales, model, figures=job.output if job else None):
        print("wrote", os.path.relpath(path))


def read_sales(path: Path) -> pd.DataFrame:
    """
    Read the sales, all of them: a file that is not clean is refused, never cleaned in silence.

    Raises:
        ValueError: If a column is missing, a value is not a number, a distance is not positive, or
            there are too few places to tell anything.
    """
    sales = pd.read_csv(path)
    if missing := {"mrt_distance", "unit_price"} - set(sales.columns):
        raise ValueError(f"{path} lacks the columns {sorted(missing)}")
    numbers = sales[["mrt_distance", "unit_price"]].apply(pd.to_numeric, errors="coerce")
    bad = ~np.isfinite(numbers).all(axis=1) | (numbers["mrt_distance"] <= 0)
    if bad.any():
        line = int(np.flatnonzero(bad)[0]) + 2  # the first is the header
        raise ValueError(f"{path}, line {line}: needs a distance > 0 and a price, both finite")
    if (places := sales["mrt_distance"].nunique()) < 2 * FOLDS:
        raise ValueError(f"{path} has {places} different distances, needs {2 * FOLDS} or more")
    return sales


def features(distance_metres: ArrayLike) -> NDArray[np.float64]:
    """Return the natural logarithm of each distance, ``(n, 1) float64``, as the service does."""
    return np.log(np.asarray(distance_metres, dtype=np.float64)).reshape(-1, 1)


def fit(sales: pd.DataFrame) -> LinearRegression:
    """Return the least-squares line of price on log-distance."""
    return LinearRegression().fit(features(sales["mrt_distance"]), sales["unit_price"].to_numpy())


def r_squared(sales: pd.DataFrame, model: LinearRegression) -> float:
    """Return the share of the price's variance that the line explains."""
    return float(model.score(features(sales["mrt_distance"]), sales["unit_price"].to_numpy()))


def held_out_fifth(sales: pd.DataFrame) -> Split:
    """Return the rows to fit on and the rows to test on: all sales of a place are on one side."""
    splitter = GroupShuffleSplit(n_splits=1, test_size=1 / FOLDS, random_state=0)
    rows: Split = next(splitter.split(sales, groups=sales["mrt_distance"]))
    return rows


def repeated_folds(sales: pd.DataFrame, repeats: int = REPEATS) -> list[Split]:
    """Return ``FOLDS`` folds, shuffled ``repeats`` times: all sales of a place are in one fold."""
    shuffles = (GroupKFold(FOLDS, shuffle=True, random_state=seed) for seed in range(repeats))
    places = sales["mrt_distance"]
    return [rows for folds in shuffles for rows in folds.split(sales, groups=places)]


def errors_on_unseen(
    sales: pd.DataFrame, splits: Sequence[Split], regressor: BaseEstimator | None = None
) -> pd.DataFrame:
    """
    Fit on the first part of each split and return the errors on the second.

    Args:
        sales: The sales that the splits index.
        splits: Pairs of rows to fit on and rows to test on.
        regressor: What to fit, the line when it is left out.

    Returns:
        One row per split, with ``RMSE`` and ``MAE`` in 10,000 New Taiwan Dollars per ping.
    """
    scores = cross_validate(
        regressor or LinearRegression(),
        features(sales["mrt_distance"]),
        sales["unit_price"].to_numpy(),
        cv=splits,
        scoring={"RMSE": "neg_root_mean_squared_error", "MAE": "neg_mean_absolute_error"},
    )
    return pd.DataFrame({name: -scores[f"test_{name}"] for name in ("RMSE", "MAE")})


def with_residuals(sales: pd.DataFrame, model: LinearRegression) -> pd.DataFrame:
    """Return the sales with ``residual``, price minus line, and ``band``, the distance in words."""
    residual = sales["unit_price"] - model.predict(features(sales["mrt_distance"]))
    band = pd.cut(sales["mrt_distance"], [0, *BANDS.values()], labels=list(BANDS))
    return sales.assign(residual=residual, band=band)


def line_summary(sales: pd.DataFrame, model: LinearRegression) -> str:
    """Return the fitted line and what it says at three distances."""
    asked = (100, 150, 1000)
    prices = zip(asked, model.predict(features(asked)), strict=True)
    lines = [
        f"The line, fitted on all {len(sales)} sales",
        f"  intercept {model.intercept_:13.8f}",
        f"  slope     {model.coef_[0]:13.8f} per ln(metre)",
        f"  R²        {r_squared(sales, model):13.8f}",
        *(f"  at {metres:>5,} m {price:9.2f}" for metres, price in prices),
    ]
    return "\n".join(lines)


def error_summary(sales: pd.DataFrame, repeats: int = REPEATS) -> str:
    """Return how far the line is off where it was not fitted, beside predicting the mean price."""
    held_out, folds = held_out_fifth(sales), repeated_folds(sales, repeats)
    lines = [
        "Errors at places not fitted on (assessment only: the saved line is the one above)",
        f"  {'':32}{'RMSE':>8}{'':8}{'MAE':>8}",
    ]
    for name, regressor in {"line": LinearRegression(), "mean price": DummyRegressor()}.items():
        rmse, mae = errors_on_unseen(sales, [held_out], regressor).iloc[0]
        label = f"{len(held_out[1])} held-out sales, {name}"
        lines.append(f"  {label:32}{rmse:8.2f}{'':8}{mae:8.2f}")
    for name, regressor in {"line": LinearRegression(), "mean price": DummyRegressor()}.items():
        errors = errors_on_unseen(sales, folds, regressor)
        cells = [f"{errors[e].mean():8.2f} ± {errors[e].std():<5.2f}" for e in ("RMSE", "MAE")]
        lines.append(f"  {f'{repeats} x {FOLDS} folds, {name}':32}{''.join(cells).rstrip()}")
    return "\n".join([*lines, "  ± is the standard deviation over the folds"])


def residual_summary(sales: pd.DataFrame, model: LinearRegression) -> str:
    """Return how the residuals lie along the distance, and what the largest does to the line."""
    known = with_residuals(sales, model)
    bands = known.groupby("band", observed=True)["residual"].agg(["size", "mean", "std"])
    worst = known.iloc[int(known["residual"].abs().argmax())]
    others = sales[known["residual"] != worst["residual"]]
    refitted = fit(others)
    lines = [f"Residuals, sold for - line{'sales':>8}{'mean':>8}{'spread':>8}"]
    for band, size, mean, spread in bands.itertuples():
        lines.append(f"  {band:24}{size:8.0f}{mean:+8.2f}{spread:8.2f}")
    price, metres, missed = worst["unit_price"], worst["mrt_distance"], worst["residual"]
    slope, explained = refitted.coef_[0], r_squared(others, refitted)
    lines.append(f"  largest {missed:+.1f}: sold at {price:g}, {metres:.0f} m away (it is kept)")
    lines.append(f"  without it the slope would be {slope:.2f} and R² {explained:.4f}")
    return "\n".join(lines)


def write(
    output: Path, sales: pd.DataFrame, model: LinearRegression, figures: Path | None = None
) -> list[Path]:
    """Write the model and the figures, each whole or not at all, and return where."""
    figures = figures or output / "figures"
    charts = {
        "price_by_distance.png": price_chart(sales, float(model.intercept_), float(model.coef_[0])),
        "residuals.png": residual_chart(with_residuals(sales, model)),
    }
    written = [output / "model.joblib", *(figures / name for name in charts)]
    with _replacing(written[0]) as fresh:
        joblib.dump(model, fresh)
    for path, chart in zip(written[1:], charts.values(), strict=True):
        with _replacing(path) as fresh:
            chart.save(fresh, scale_factor=2)
    return written


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a file beside ``path`` to write, and put it in its place once it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as directory:
        fresh = Path(directory) / path.name
        yield fresh
        fresh.replace(path)


def _parser(job: TrainingJob | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Fit the price line, assess it, and save it.", exit_on_error=False
    )
    parser.add_argument("train", nargs="?", choices=["train"], help=argparse.SUPPRESS)
    parser.add_argument(
        "--data",
        type=Path,
        help="CSV file with the columns mrt_distance and unit_price (default: the one beside this)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=job.model if job else HERE,
        help="directory to write to (default: this file's)",
    )
    parser.add_argument(
        "--repeats",
        type=_at_least_one,
        default=job.hyperparameters.get("repeats", str(REPEATS)) if job else REPEATS,
        help=f"how often the folds of the assessment are shuffled (default: {REPEATS})",
    )
    return parser


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(f"it must be 1 or more, not {text}")
    return number


if __name__ == "__main__":
    main()
