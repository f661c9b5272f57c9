"""
What a classifier says when its service asks for probabilities.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

__all__ = ["Classified"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Classified:
    """
    Labels, and how probable each class is.

    Attributes:
        labels: ``(n,)``, as ``predict`` returns them. Not always the most probable class: a support
            vector classifier decides by the side of its boundary.
        probabilities: ``(n, n_classes)``, as ``predict_proba`` returns them.
        classes: ``n_classes`` labels, in the order of the columns.
    """

    labels: NDArray[Any]
    probabilities: NDArray[Any]
    classes: Sequence[Any]

    def __len__(self) -> int:
        return len(self.labels)

    def by_class(self) -> list[dict[Any, float]]:
        """Return a dictionary a row: each class and its probability."""
        return [
            dict(zip(self.classes, row, strict=True))
            for row in self.probabilities.astype(float).tolist()
        ]
