"""
Two run records, compared.
"""

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import ConfigurationError, RunRecord, format_duration, format_rate

from .blocks import PERCENTILES_COMPARED, Blocks, block_values, even_blocks
from .differences import RELEVANT, Comparison, differences_of, overall

__all__ = ["compare_records"]

_SAME_RATE: Final = 0.02
_SAME_DURATION: Final = 0.05

_SEPARATE: Final = (
    "The runs were separate: what changed on the machine between them counts as the service's."
    " --against measures both in turn."
)

APART: Final = {**RELEVANT, "p50": 0.15, "p99": 0.5, "throughput": 0.02}
"""Records of separate runs must differ by more: the machine itself changes from run to run."""

UNPLACED_SECONDS: Final = 1.5e-4
"""Two processes of one version differ by as much, left where the kernel put them (0100)."""

_UNPLACED: Final = (
    f"A latency must differ by {format_duration(UNPLACED_SECONDS)}: two processes of one version"
    " do, by where the kernel puts them. --head COMMAND with --against COMMAND keeps both on the"
    " same cores."
)


def compare_records(
    base: RunRecord, head: RunRecord, *, relevant: Mapping[str, float] | None = None
) -> Comparison:
    """
    Say whether the head is better or worse than the base, or no difference can be seen.

    Records of one interleaved run are compared pair by pair, as the coin had made them. Records of
    separate runs are cut into even blocks, and block by block the same stretch of the profile is
    compared; what changed on the machine between the runs cannot be told from what changed in the
    service, so a larger difference is asked for, and the comparison says so.

    Where the services were not kept on cores apart from the generator's, a latency must also differ
    by 0.15 ms.

    Args:
        base: What the head is compared with.
        head: What is compared.
        relevant: Metric → the least change that counts, where it is not to be the usual one.

    Raises:
        ConfigurationError: If the two were asked for different things.
    """
    blocks = (Blocks.of(base.settings), Blocks.of(head.settings))
    base_blocks, head_blocks = blocks
    if base_blocks and head_blocks and base_blocks.run == head_blocks.run:
        base_units, head_units = base_blocks.units, head_blocks.units
        usual, method = RELEVANT, f"{len(base_units)} units of four slots, A B B A as coins said"
        notes: tuple[str, ...] = ()
    else:
        _check_comparable(base, head)
        base_units = even_blocks(base.duration_seconds)
        head_units = even_blocks(head.duration_seconds)
        usual, method = APART, f"{len(base_units)} even blocks of two separate runs"
        notes = (_SEPARATE,)
    base_values = block_values(base.samples, base_units)
    if not _are_placed(base, head):
        floors = _floors(base_values)
        if any(floors[name] > usual[name] for name in floors):
            notes = (*notes, _UNPLACED)
        usual = {name: max(least, floors.get(name, 0.0)) for name, least in usual.items()}
    differences = differences_of(
        base_values,
        block_values(head.samples, head_units),
        relevant={**usual, **(relevant or {})},
    )
    doubts = _doubts(base, head)
    return Comparison(
        answer=overall(differences),
        differences=differences,
        method=method,
        pairs=len(base_units),
        base_title=base.title,
        head_title=head.title,
        is_believed=not any("INVALID" in doubt for doubt in doubts),
        reason="; ".join(doubts),
        notes=notes,
    )


def _are_placed(base: RunRecord, head: RunRecord) -> bool:
    cores = [record.settings.get("load", {}).get("cores") for record in (base, head)]
    return cores[0] is not None and cores[0] == cores[1]


def _floors(base_values: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    """Return what ``UNPLACED_SECONDS`` are of each of the base's percentiles."""
    found = {}
    for name in PERCENTILES_COMPARED:
        known = base_values[name][np.isfinite(base_values[name])]
        found[name] = UNPLACED_SECONDS / math.exp(float(np.median(known))) if len(known) else 0.0
    return found


def _check_comparable(base: RunRecord, head: RunRecord) -> None:
    for record in (base, head):
        if len(record.samples) == 0:
            raise ConfigurationError(f"{record.title} has no request to compare")
    models = [record.generator.get("model") for record in (base, head)]
    if models[0] != models[1]:
        raise ConfigurationError(
            f"a {models[0]} run and a {models[1]} run are not asked for the same",
            hint="compare two runs of the same command",
        )
    rates = [len(record.samples) / record.duration_seconds for record in (base, head)]
    if models[0] == "open loop" and abs(rates[1] / rates[0] - 1) > _SAME_RATE:
        raise ConfigurationError(
            f"one run was asked for {format_rate(round(rates[0], 1))}, the other for"
            f" {format_rate(round(rates[1], 1))}",
            hint="compare two runs at the same rate",
        )
    if abs(head.duration_seconds / base.duration_seconds - 1) > _SAME_DURATION:
        raise ConfigurationError(
            f"one run lasted {base.duration_seconds:.1f} s, the other"
            f" {head.duration_seconds:.1f} s",
            hint="compare two runs of the same duration",
        )


def _doubts(base: RunRecord, head: RunRecord) -> list[str]:
    return [
        f"{side}: {record.generator['verdict']}, {record.generator.get('reason', '')}"
        for side, record in (("base", base), ("head", head))
        if record.generator.get("verdict") in {"DOUBTFUL", "INVALID"}
    ]
