"""
Where everything local is said to be, and whose it is said to be.
"""

from typing import Final

__all__ = ["ACCOUNT", "REGION"]

ACCOUNT: Final = "000000000000"
REGION: Final = "us-east-1"
