"""
What a call of the model costs, learned from the calls themselves.
"""

from dataclasses import dataclass
from time import perf_counter
from typing import Final

from tonnage.artefact import LoadedModel

__all__ = ["CallCosts", "measure_costs"]

_WEIGHT: Final = 0.1
"""What the newest call counts for: of a change a call shows a tenth, twenty calls nine tenths."""
_STALL: Final = 10.0
"""
A call that took so many times what it should have did not spend that on its rows.

The machine was busy elsewhere. It must not be taken for the price of a row, or a fast model would
refuse requests after every hiccup; a model that has really become so slow is believed in a few
calls.
"""
_MEASURED_ROWS: Final = 8
_SAME: Final = 1e-9


@dataclass(slots=True)
class CallCosts:
    """
    The cost of a call as a straight line over its rows, with newer calls counting more.

    ::

        seconds(n) = mean_seconds + row_seconds * (n - mean_rows),   row_seconds = cov ÷ var

    The moments are exponentially weighted. While every call had as many rows as the others there is
    no slope to see, and all of a call's cost is put down to its rows.

    Attributes:
        calls: How many were observed.
        mean_rows: Their rows.
        mean_seconds: Their cost.
        recent_seconds: The same without regard to stalls: what a call holds the caller up for.
        row_seconds: What a further row costs, between 0 and all of a call's cost over its rows.
    """

    calls: int = 0
    mean_rows: float = 0.0
    mean_seconds: float = 0.0
    recent_seconds: float = 0.0
    row_seconds: float = 0.0
    _variance: float = 0.0
    _covariance: float = 0.0

    def observe(self, rows: int, seconds: float) -> None:
        """Learn from one call of ``rows`` >= 1."""
        self.calls += 1
        if self.calls == 1:
            self.mean_rows, self.mean_seconds, self.recent_seconds = float(rows), seconds, seconds
            self.row_seconds = seconds / rows
            return
        self.recent_seconds += _WEIGHT * (seconds - self.recent_seconds)
        more_rows = rows - self.mean_rows
        more_seconds = min(seconds, _STALL * self.expected_seconds(rows)) - self.mean_seconds
        self.mean_rows += _WEIGHT * more_rows
        self.mean_seconds += _WEIGHT * more_seconds
        # Calls of one size say nothing about the slope; they must not wear out what is known of it.
        if abs(more_rows) > _SAME:
            kept = 1.0 - _WEIGHT
            self._variance = kept * (self._variance + _WEIGHT * more_rows * more_rows)
            self._covariance = kept * (self._covariance + _WEIGHT * more_rows * more_seconds)
        most = self.mean_seconds / self.mean_rows
        slope = self._covariance / self._variance if self._variance > _SAME else most
        self.row_seconds = min(most, max(0.0, slope))

    def expected_seconds(self, rows: int) -> float:
        """Return what a call of so many rows should cost; 0 before the first was seen."""
        expected = self.mean_seconds + self.row_seconds * (rows - self.mean_rows)
        return max(expected, self.row_seconds)

    def rows_within(self, seconds: float, at_most: int) -> int:
        """Return how many rows may be added to a call for ``seconds`` more, at most ``at_most``."""
        if self.row_seconds * at_most <= seconds:
            return at_most
        return int(seconds / self.row_seconds)


def measure_costs(model: LoadedModel) -> CallCosts:
    """Return what calls of one and of several golden rows cost, after one of each to warm up."""
    costs = CallCosts()
    golden = model.manifest.golden.rows[:_MEASURED_ROWS]
    rows = [model.service.row.model_validate(row) for row in golden]
    sizes = {1, len(rows)} if rows else set()
    for repetition in range(3):
        for size in sorted(sizes):
            started = perf_counter()
            model.predict(rows[:size])
            if repetition:
                costs.observe(size, perf_counter() - started)
    return costs
