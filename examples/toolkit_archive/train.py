"""
Fit a small model and build ``model.tar.gz`` as a SageMaker training job leaves it.
"""

import tarfile
import tempfile
from pathlib import Path

import joblib
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Fit and save."""
    digits = load_digits()
    model = make_pipeline(PCA(20, random_state=0), GaussianNB()).fit(digits.data, digits.target)
    with tempfile.TemporaryDirectory() as directory:
        joblib.dump(model, Path(directory) / "model.joblib")
        with tarfile.open(HERE / "model.tar.gz", "w:gz") as archive:
            archive.add(Path(directory) / "model.joblib", "model.joblib")
            archive.add(HERE / "code" / "inference.py", "code/inference.py")
    print(f"right for {model.score(digits.data, digits.target):.0%} of {len(digits.data)} digits")


if __name__ == "__main__":
    main()
