"""
A price book as a file that ``read_prices`` reads.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from .price_file import PRICES_FORMAT
from .prices import InstanceType, Price, PriceBook
from .toml_text import inline_table, toml_key, toml_value

__all__ = ["prices_document", "write_prices"]


def write_prices(book: PriceBook, file: Path) -> Path:
    """Write a book, whole, for ``--prices``."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_text(book), encoding="utf-8")
    return file


def prices_document(book: PriceBook, today: date) -> dict[str, Any]:
    """Return a book as plain JSON values."""
    return {
        "region": book.region,
        "date": book.made_on.isoformat(),
        "origin": book.origin,
        "figures": [_described(price, today) for price in book.figures.values()],
        "types": {
            name: {
                "vcpu": kind.vcpu,
                "memory_gib": kind.memory_gib,
                "architecture": kind.architecture,
                "burstable": kind.burstable,
                "usd_per_hour": str(kind.price.usd),
                "confidence": str(kind.price.confidence),
            }
            for name, kind in book.types.items()
        },
    }


def _described(price: Price, today: date) -> dict[str, Any]:
    return {
        "name": price.name,
        "per": price.per,
        "tiers": [{"up_to": tier.up_to, "usd": f"{tier.usd:f}"} for tier in price.tiers],
        "source": price.source,
        "region": price.region,
        "date": price.seen.isoformat(),
        "is_older_than_a_year": price.is_older_than_a_year(today),
        "confidence": str(price.confidence),
    }


def _text(book: PriceBook) -> str:
    sections: dict[str, list[str]] = {}
    for price in book.figures.values():
        section, _, key = price.name.partition(".")
        line = f"{toml_key(key)} = {inline_table(_figure(price, book.types.get(key)))}"
        sections.setdefault(section, []).append(line)
    head = {"format": PRICES_FORMAT, "region": book.region, "date": book.made_on}
    parts = ["\n".join(f"{key} = {toml_value(value)}" for key, value in head.items())]
    parts += ["\n".join([f"[{name}]", *lines]) for name, lines in sections.items()]
    return "\n\n".join(parts) + "\n"


def _figure(price: Price, kind: InstanceType | None) -> Mapping[str, Any]:
    amount: dict[str, Any]
    if len(price.tiers) == 1:
        amount = {"usd": f"{price.usd:f}"}
    else:
        amount = {
            "tiers": [
                ["above" if tier.up_to is None else tier.up_to, f"{tier.usd:f}"]
                for tier in price.tiers
            ]
        }
    if kind is not None:
        amount |= {
            "vcpu": kind.vcpu,
            "memory_gib": kind.memory_gib,
            "architecture": kind.architecture,
            "burstable": kind.burstable,
        }
    return amount | {
        "source": price.source,
        "date": price.seen.isoformat(),
        "region": price.region,
        "confidence": str(price.confidence),
    }
