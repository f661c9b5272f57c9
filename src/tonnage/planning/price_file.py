"""
Prices as a dated file.

::

    [instance]
    "ml.c5.large" = { usd = "0.102", vcpu = 2, memory_gib = 4, source = "…", date = "2026", … }

A file of the user's own needs to name only what differs; the rest is the packaged file's, as long
as both are of one region. Dollars are decimal text: a binary fraction is refused.
"""

import re
import tomllib
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from importlib import resources
from pathlib import Path
from typing import Any, Final

from tonnage.domain import ConfigurationError

from .prices import Confidence, InstanceType, Price, PriceBook, Tier

__all__ = ["PRICES_FORMAT", "read_prices"]

PRICES_FORMAT: Final = "tonnage-prices/1"
_DEFAULT_REGION: Final = "us-east-1"
_UNITS: Final[Mapping[str, str]] = {
    "instance": "hour",
    "serverless": "second",
    "gateway": "request",
    "lambda": "GB-second",
    "data": "GB",
    "storage": "GB-month",
    "fargate": "vCPU-hour",
}
"""What each section prices, but for these figures."""

_OTHER_UNITS: Final[Mapping[str, str]] = {
    "lambda.request": "request",
    "fargate.memory": "GB-hour",
    "fargate.public_ipv4": "address-hour",
}

_DATE: Final = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?")
_FIGURE_KEYS: Final = {"usd", "tiers", "source", "date", "confidence", "region"}
_TYPE_KEYS: Final = {"vcpu", "memory_gib", "architecture", "burstable"}


def read_prices(file: Path | None = None) -> PriceBook:
    """
    Return the packaged prices, overridden by those in ``file``.

    Raises:
        ConfigurationError: If the file cannot be read or a figure in it is not one.
    """
    name = f"prices-{_DEFAULT_REGION}.toml"
    packaged = resources.files(__package__).joinpath("data", name).read_text(encoding="utf-8")
    book = _book(_parsed(packaged, name), name, None)
    if file is None:
        return book
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigurationError(f"cannot read the prices {file}: {reason}") from error
    return _book(_parsed(text, str(file)), str(file), book)


def _parsed(text: str, origin: str) -> dict[str, Any]:
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"the prices {origin} are no TOML: {error}") from error
    if document.get("format") != PRICES_FORMAT:
        raise ConfigurationError(
            f"the prices {origin} are of the format {document.get('format')!r}",
            hint=f'its first line must be format = "{PRICES_FORMAT}"; see docs/reference/prices.md',
        )
    return document


def _book(document: Mapping[str, Any], origin: str, base: PriceBook | None) -> PriceBook:
    unknown = document.keys() - _UNITS.keys() - {"format", "region", "date", "sources"}
    if unknown:
        raise ConfigurationError(
            f"{origin}: unknown section {min(unknown)!r}", hint=f"known are {', '.join(_UNITS)}"
        )
    if not isinstance(document.get("date"), date):
        raise ConfigurationError(
            f"{origin}: it has no date", hint="write when it was put together: date = 2026-09-01"
        )
    reader = _Reader(
        origin=origin,
        region=str(document.get("region", base.region if base else _DEFAULT_REGION)),
        made=document["date"],
        sources=document.get("sources", {}),
    )
    if base and reader.region != base.region:
        base = replace(base, types={}, figures={})  # another region's prices say nothing of this
    figures = dict(base.figures) if base else {}
    types = dict(base.types) if base else {}
    for section in _UNITS:
        for key, table in reader.table(document.get(section, {}), section).items():
            figure = reader.table(table, f"{section}.{key}")
            price = reader.price(section, key, figure)
            figures[price.name] = price
            if section == "instance":
                types[key] = reader.instance_type(key, figure, price, types.get(key))
    return PriceBook(
        region=reader.region,
        made_on=reader.made,
        origin=origin,
        types=types,
        figures=figures,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reader:
    origin: str
    region: str
    made: date
    sources: Mapping[str, str]

    def fault(self, where: str, message: str, hint: str | None = None) -> ConfigurationError:
        return ConfigurationError(f"{self.origin}: {where}: {message}", hint=hint)

    def table(self, value: object, where: str) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self.fault(where, f"{value!r} is not a table")
        return value

    def price(self, section: str, key: str, figure: Mapping[str, Any]) -> Price:
        name = f"{section}.{key}"
        unknown = figure.keys() - _FIGURE_KEYS - (_TYPE_KEYS if section == "instance" else set())
        if unknown:
            raise self.fault(name, f"unknown key {min(unknown)!r}")
        missing = {"source", "date", "confidence"} - figure.keys()
        if missing:
            raise self.fault(
                name, f"{min(missing)} is missing", "every figure says where it is from"
            )
        source = str(figure["source"])
        try:
            confidence = Confidence(figure["confidence"])
        except ValueError:
            known = ", ".join(Confidence)
            raise self.fault(name, f"confidence must be one of {known}") from None
        return Price(
            name=name,
            tiers=self._tiers(figure, name),
            per=_OTHER_UNITS.get(name, _UNITS[section]),
            source=self.sources.get(source, source),
            region=str(figure.get("region", self.region)),
            seen=min(self.made, self.day(figure["date"], name)),
            confidence=confidence,
        )

    def instance_type(
        self, name: str, figure: Mapping[str, Any], price: Price, known: InstanceType | None
    ) -> InstanceType:
        if not name.startswith("ml."):
            raise self.fault(f"instance.{name}", "an instance type's name begins with 'ml.'")
        vcpu = figure.get("vcpu", known.vcpu if known else None)
        memory = figure.get("memory_gib", known.memory_gib if known else None)
        for key, value in (("vcpu", vcpu), ("memory_gib", memory)):
            if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
                raise self.fault(price.name, f"{key} must be a number above 0, not {value!r}")
        assert vcpu is not None
        assert memory is not None
        architecture = figure.get("architecture", known.architecture if known else "x86_64")
        if architecture not in ("x86_64", "arm64"):
            raise self.fault(
                price.name, f"architecture must be x86_64 or arm64, not {architecture!r}"
            )
        return InstanceType(
            name=name,
            vcpu=int(vcpu),
            memory_gib=float(memory),
            architecture=architecture,
            burstable=bool(figure.get("burstable", known.burstable if known else False)),
            price=price,
        )

    def day(self, value: object, where: str) -> date:
        """Return the last day of a date, month or year."""
        if isinstance(value, date):
            return value
        match = _DATE.fullmatch(str(value))
        if match is None:
            raise self.fault(where, f"{value!r} is not a date", "write 2026, 2026-09 or 2026-09-01")
        year, month, day = (int(part) if part else None for part in match.groups())
        assert year is not None
        try:
            last = month or 12
            return date(year, last, day or monthrange(year, last)[1])
        except ValueError as error:
            raise self.fault(where, f"{value!r} is not a date: {error}") from error

    def _tiers(self, figure: Mapping[str, Any], name: str) -> tuple[Tier, ...]:
        if ("usd" in figure) == ("tiers" in figure):
            raise self.fault(name, "give either usd or tiers")
        if "usd" in figure:
            return (Tier(up_to=None, usd=self._usd(figure["usd"], name)),)
        try:
            tiers = tuple(
                Tier(up_to=None if top == "above" else int(top), usd=self._usd(usd, name))
                for top, usd in figure["tiers"]
            )
        except (TypeError, ValueError) as error:
            raise self.fault(name, f"tiers are not pairs of quantity and price: {error}") from error
        tops = [tier.up_to for tier in tiers]
        bounds = [top for top in tops[:-1] if top is not None]
        if not tops or tops[-1] is not None or bounds != sorted(set(bounds)):
            raise self.fault(name, 'tiers must rise, and end with ["above", price]')
        if len(bounds) != len(tops) - 1:
            raise self.fault(name, 'only the last tier is "above"')
        return tiers

    def _usd(self, value: object, name: str) -> Decimal:
        if isinstance(value, float):
            raise self.fault(
                name, f"{value} is a binary fraction", 'write it as text: usd = "0.102"'
            )
        try:
            usd = Decimal(str(value))
        except InvalidOperation:
            raise self.fault(name, f"{value!r} is not a price") from None
        if not usd.is_finite() or usd < 0:
            raise self.fault(name, f"a price must be 0 or more, not {value}")
        return usd
