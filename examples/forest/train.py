"""
Fit a forest on the diabetes data that scikit-learn brings along; writes ``model.joblib``.
"""

from pathlib import Path

import joblib
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestRegressor

HERE = Path(__file__).resolve().parent
COLUMNS = ["age", "bmi", "bp", "s5"]


def main() -> None:
    """Fit and save."""
    patients = load_diabetes(as_frame=True, scaled=False)
    rows = patients.data[COLUMNS]
    model = RandomForestRegressor(100, min_samples_leaf=5, random_state=0)
    model.fit(rows, patients.target)
    joblib.dump(model, HERE / "model.joblib")
    print(f"explains {model.score(rows, patients.target):.0%} of the variance it was fitted on")


if __name__ == "__main__":
    main()
