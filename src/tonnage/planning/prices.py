"""
Prices: every figure with its unit, source, region, date and confidence.

Dollars are ``Decimal``: sums are exact, to the cent and beyond.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, Literal

from tonnage.domain import ConfigurationError

__all__ = [
    "Confidence",
    "InstanceType",
    "Price",
    "PriceBook",
    "Tier",
    "price_warnings",
]

_OLD: Final = timedelta(days=365)


class Confidence(StrEnum):
    """How far a figure can be trusted."""

    CONFIRMED = "confirmed"
    DERIVED = "derived"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tier:
    """
    A price that holds up to a monthly quantity.

    Attributes:
        up_to: The quantity at which the next tier begins; None for the last.
        usd: Per unit.
    """

    up_to: int | None
    usd: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """
    One figure.

    Attributes:
        name: ``section.key`` in the file, e.g. ``instance.ml.c5.large``.
        tiers: One, or several that follow each other by monthly quantity.
        per: The unit.
        source: Where it was read.
        region: Where it holds.
        seen: The last date at which it is known to have held.
        confidence: How far it can be trusted.
    """

    name: str
    tiers: tuple[Tier, ...]
    per: str
    source: str
    region: str
    seen: date
    confidence: Confidence

    @property
    def usd(self) -> Decimal:
        """Dollars per unit; of the first tier when there are several."""
        return self.tiers[0].usd

    def is_older_than_a_year(self, today: date) -> bool:
        """Say whether it was last seen more than a year before ``today``."""
        return today - self.seen > _OLD

    def cost(self, quantity: Decimal) -> Decimal:
        """Return what a monthly quantity costs, each part of it in its tier."""
        total, below = Decimal(0), Decimal(0)
        for tier in self.tiers:
            top = quantity if tier.up_to is None else min(quantity, Decimal(tier.up_to))
            total += max(top - below, Decimal(0)) * tier.usd
            below = max(below, top)
        return total


@dataclass(frozen=True, kw_only=True, slots=True)
class InstanceType:
    """
    A type that endpoints run on.

    Attributes:
        name: As AWS spells it, ``ml.c5.large``.
        vcpu: Virtual processors.
        memory_gib: Memory.
        architecture: What its image must be built for.
        burstable: Whether it runs on CPU credits: it carries its load for a while only.
        price: US dollars an hour.
    """

    name: str
    vcpu: int
    memory_gib: float
    architecture: Literal["x86_64", "arm64"]
    burstable: bool
    price: Price


@dataclass(frozen=True, kw_only=True, slots=True)
class PriceBook:
    """
    All prices of one region.

    Attributes:
        region: Where they hold, unless a figure says otherwise.
        made_on: When the file was put together.
        origin: The file's name, for people.
        types: The instance types, by name.
        figures: Every price, by name.
    """

    region: str
    made_on: date
    origin: str
    types: Mapping[str, InstanceType]
    figures: Mapping[str, Price]

    def price(self, name: str) -> Price:
        """
        Return a figure by name, such as ``gateway.rest``.

        Raises:
            ConfigurationError: If there is none.
        """
        try:
            return self.figures[name]
        except KeyError:
            raise ConfigurationError(f"{self.origin} has no price {name}") from None

    def with_hourly(self, prices: Mapping[str, Price], today: date) -> "PriceBook":
        """Return a book of ``today`` in which the types of ``prices`` cost what they say."""
        types = {
            name: replace(kind, price=prices.get(name, kind.price))
            for name, kind in self.types.items()
        }
        named = {price.name: price for price in prices.values()}
        return replace(self, made_on=today, types=types, figures={**self.figures, **named})


def price_warnings(prices: Iterable[Price], today: date) -> list[str]:
    """Return what a reader must know of the prices a result rests on, one sentence a reason."""
    used = {price.name: price for price in prices}
    old: dict[str, list[str]] = {}
    unsure: dict[str, list[str]] = {}
    for price in used.values():
        if price.is_older_than_a_year(today):
            old.setdefault(f"{price.seen:%Y-%m}", []).append(price.name)
        if price.confidence is not Confidence.CONFIRMED:
            unsure.setdefault(f"{price.confidence} ({price.source})", []).append(price.name)
    return [
        *(
            f"last seen in {seen}, more than a year ago: {_prices(names)}; compare with AWS's page"
            for seen, names in old.items()
        ),
        *(f"{reason}: {_prices(names)}" for reason, names in unsure.items()),
    ]


def _prices(names: list[str]) -> str:
    return f"the price{'s' if len(names) > 1 else ''} {', '.join(names)}"
