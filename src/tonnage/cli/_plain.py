"""
Values as JSON has them.
"""

import math
from typing import Any

__all__ = ["without_nan"]


def without_nan(value: Any) -> Any:  # noqa: ANN401 (any JSON value)
    """Return a value whose numbers JSON can hold: what is not finite becomes null."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
