"""
Where SageMaker puts things in a training container, and how a job tells that it failed.

::

    /opt/ml/input/data/CHANNEL/              the training data, a folder a channel
    /opt/ml/input/config/hyperparameters.json   all values as text
    /opt/ml/model/                           what becomes model.tar.gz
    /opt/ml/output/data/                     what else is kept
    /opt/ml/output/failure                   why the job failed, its first 1,024 characters

SageMaker's own framework containers say the same in ``SM_*`` variables, which win.
Source: SageMaker Developer Guide, "How Amazon SageMaker AI Provides Training Information" and "How
Amazon SageMaker AI Processes Training Output"; the training toolkit's page on its variables.
"""

import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "TrainingJob", "training_job"]

ROOT = Path("/opt/ml")
FAILURE_CHARACTERS = 1024
CHANNELS = ("training", "train")
RESERVED = ("sagemaker_", "_tuning_")
"""How names begin that SageMaker adds itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingJob:
    """
    One training job, as its container sees it.

    Attributes:
        data: The channel's folder.
        model: Where the model goes.
        output: Where everything else goes.
        failure: The file that says why it failed.
        hyperparameters: By name, as text.
    """

    data: Path
    model: Path
    output: Path
    failure: Path
    hyperparameters: Mapping[str, str]

    def csv_file(self) -> Path:
        """
        Return the one CSV file of the channel.

        Raises:
            ValueError: If there is none, or more than one.
        """
        files = sorted(self.data.glob("*.csv"))
        if len(files) != 1:
            names = ", ".join(file.name for file in files) or "none"
            raise ValueError(f"{self.data} must hold one CSV file, and holds {names}")
        return files[0]

    def check_known(self, names: AbstractSet[str]) -> None:
        """
        Refuse hyperparameters of other names: a slip of the pen would train something else.

        Raises:
            ValueError: If there is one.
        """
        for name in self.hyperparameters:
            if name not in names and not name.startswith(RESERVED):
                raise ValueError(f"there is no hyperparameter {name!r}, only {sorted(names)}")

    def fail(self, reason: str) -> None:
        """Say why the job failed; SageMaker shows it as the job's FailureReason."""
        self.failure.parent.mkdir(parents=True, exist_ok=True)
        self.failure.write_text(reason[:FAILURE_CHARACTERS], encoding="utf-8")


def training_job(environment: Mapping[str, str], root: Path = ROOT) -> TrainingJob | None:
    """
    Return the job that this process is, None outside of a training container.

    Args:
        environment: Its variables.
        root: What is ``/opt/ml``.
    """
    file = root / "input" / "config" / "hyperparameters.json"
    if "SM_MODEL_DIR" not in environment and not file.is_file():
        return None
    told = json.loads(environment.get("SM_HPS") or (file.read_text() if file.is_file() else "{}"))
    output = Path(environment.get("SM_OUTPUT_DATA_DIR") or root / "output" / "data")
    return TrainingJob(
        data=_channel(environment, root),
        model=Path(environment.get("SM_MODEL_DIR") or root / "model"),
        output=output,
        failure=output.parent / "failure",
        hyperparameters={name: str(value) for name, value in told.items()},
    )


def _channel(environment: Mapping[str, str], root: Path) -> Path:
    for name in CHANNELS:
        folder = environment.get(f"SM_CHANNEL_{name.upper()}") or root / "input" / "data" / name
        if Path(folder).is_dir():
            return Path(folder)
    return root / "input" / "data" / CHANNELS[0]
