"""
Fit rents on made-up flats: numbers, a category, and years of building that are not known for all.

Writes ``model.joblib``, and ``flats.csv`` to compare predictions on.
"""

from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

HERE = Path(__file__).resolve().parent
COUNT = 500
PREMIUM = {"centre": 260.0, "north": 0.0, "south": 90.0}


def made_up_flats() -> pd.DataFrame:
    """Return flats whose rent follows from what is known of them, and some chance."""
    chance = np.random.default_rng(42)
    flats = pd.DataFrame(
        {
            "area": chance.uniform(18, 160, COUNT).round(1),
            "rooms": chance.integers(1, 7, COUNT),
            "district": chance.choice(list(PREMIUM), COUNT),
            "built": chance.integers(1890, 2024, COUNT).astype(float),
        }
    )
    rent = 150 + 9.5 * flats["area"] + 12 * flats["rooms"] + flats["district"].map(PREMIUM)
    rent += 1.1 * (flats["built"] - 1950) + chance.normal(0, 40, COUNT)
    unknown = chance.random(COUNT) < 0.1
    return flats.assign(rent=rent.round(0), built=flats["built"].mask(unknown))


def main() -> None:
    """Fit and save."""
    flats = made_up_flats()
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    columns = make_column_transformer(
        (numbers, ["area", "rooms", "built"]), (OneHotEncoder(), ["district"])
    )
    rows = flats.drop(columns="rent")
    model = make_pipeline(columns, Ridge()).fit(rows, flats["rent"])
    joblib.dump(model, HERE / "model.joblib")
    flats.astype({"built": "Int64"}).to_csv(HERE / "flats.csv", index=False)
    print(f"explains {model.score(rows, flats['rent']):.0%} of the rents' variance")


if __name__ == "__main__":
    main()
