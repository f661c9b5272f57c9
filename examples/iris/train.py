"""
Fit a classifier of irises on the measurements that scikit-learn brings along.

Writes ``model.joblib``, and ``flowers.csv`` to compare predictions on.
"""

from pathlib import Path

import joblib
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Fit and save."""
    iris = load_iris(as_frame=True)
    flowers = iris.data.set_axis(
        ["sepal_length", "sepal_width", "petal_length", "petal_width"], axis="columns"
    )
    species = iris.target_names[iris.target].astype(str)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(flowers, species)
    joblib.dump(model, HERE / "model.joblib")
    flowers.assign(species=species).to_csv(HERE / "flowers.csv", index=False)
    print(f"right for {model.score(flowers, species):.0%} of the {len(flowers)} flowers")


if __name__ == "__main__":
    main()
