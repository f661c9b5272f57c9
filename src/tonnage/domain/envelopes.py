"""
The one JSON body that every refusal has, whichever door it comes from.

::

    {"error": {"code": "invalid_payload", "message": "…",
               "fields": [{"field": "distance", "message": "…"}]}}
"""

import json
from collections.abc import Sequence

from .errors import FieldFault

__all__ = ["error_body"]


def error_body(code: str, message: str, faults: Sequence[FieldFault] = ()) -> bytes:
    """
    Return the body of a refusal.

    Args:
        code: What kind of fault it is, for programs: stable, in snake case.
        message: What is wrong and what is allowed, for people.
        faults: The fields at fault, if fields are.
    """
    error: dict[str, object] = {"code": code, "message": message}
    if faults:
        error["fields"] = [{"field": fault.field, "message": fault.message} for fault in faults]
    return json.dumps({"error": error}, separators=(",", ":")).encode()
