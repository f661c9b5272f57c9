"""
Two versions, compared: better, worse or no difference, with the size and its interval.

``compare_interleaved`` loads base and head in turn in one run, ``compare_records`` compares two
records, of such a run or of separate ones, and ``compare_lines`` two load lines. Load is cut into
blocks (``blocks``), a number a metric from each, and blocks are compared in pairs by ranks
(``signed_rank``), which knows no model of the noise. Thinking costs milliseconds.
"""

from .blocks import METRICS, Blocks, block_values, even_blocks
from .differences import Answer, Comparison, Difference, differences_of, overall
from .interleaved import Interleaved, compare_interleaved
from .lines import MeasuredLine, compare_lines
from .records import compare_records
from .signed_rank import PairedDifference, paired_difference
from .slots import ComparePlan, Slots

__all__ = [
    "METRICS",
    "Answer",
    "Blocks",
    "ComparePlan",
    "Comparison",
    "Difference",
    "Interleaved",
    "MeasuredLine",
    "PairedDifference",
    "Slots",
    "block_values",
    "compare_interleaved",
    "compare_lines",
    "compare_records",
    "differences_of",
    "even_blocks",
    "overall",
    "paired_difference",
]
