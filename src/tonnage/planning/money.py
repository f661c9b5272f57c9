"""
Amounts, shares and spans as people read them.
"""

from tonnage.domain import format_duration

__all__ = ["dollars", "long_duration", "per_cent", "requests_failed"]


def dollars(amount: float) -> str:
    """Return an amount as people read it: ``$1,234.50``."""
    return f"${amount:,.2f}"


def long_duration(seconds: float) -> str:
    """Return a duration that may be days: ``16.7 min``, ``7 days``."""
    if seconds >= 2 * 86400:
        return f"{seconds / 86400:.3g} days"
    if seconds >= 2 * 3600:
        return f"{seconds / 3600:.3g} h"
    return format_duration(seconds)


def per_cent(fraction: float) -> str:
    """Return a fraction as people read it: ``2.1 %``, ``none`` for nothing at all."""
    if fraction <= 0:
        return "none"
    percent = fraction * 100
    if percent < 1e-3:  # noqa: PLR2004 (a request in a hundred thousand)
        return "less than 0.001 %"
    return f"{percent:.2g} %" if percent < 10 else f"{percent:.0f} %"  # noqa: PLR2004 (two digits)


def requests_failed(failed_fraction: float) -> str:
    """Return what share of requests fails: ``no requests``, ``2.1 % of requests``."""
    if failed_fraction <= 0:
        return "no requests"
    return f"{per_cent(failed_fraction)} of requests"
