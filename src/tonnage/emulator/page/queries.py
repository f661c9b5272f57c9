"""
What the browser asks with: the fields of its query.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from tonnage.http import Request

__all__ = ["entered_of", "query_of", "whole_of"]

_MOST_FIELDS: Final = 1000
_MOST_DIGITS: Final = 17
_PREFIX: Final = "row."
"""What stands before the names of the row's fields, so that they are no others'."""


def query_of(request: Request) -> dict[str, str]:
    """Return a query's fields, the last of each name; none of a query that no form makes."""
    try:
        return dict(parse_qsl(request.query, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:  # more fields than any form has
        return {}


def entered_of(query: Mapping[str, str]) -> dict[str, str]:
    """Return what was entered for the row, by the field's name."""
    return {
        name.removeprefix(_PREFIX): text for name, text in query.items() if name.startswith(_PREFIX)
    }


def whole_of(text: str) -> int:
    """Return a whole number, 0 for what is none."""
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else 0
