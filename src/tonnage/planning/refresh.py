"""
Hourly prices of hosting from the AWS Price List API, with the user's own credentials.

Only what the API names plainly is refreshed: the hourly price of each instance type. Everything
else, serverless, gateways, Lambda and data, stays as it was, with its old date.

The shape of the answers was taken from public code and has not been run against AWS: what does not
look like it is refused and named, never guessed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Protocol

from tonnage.domain import ConfigurationError, TransportError

from .prices import Confidence, Price, PriceBook, Tier

__all__ = ["PriceListClient", "RefreshedPrices", "price_list_client", "refresh_prices"]

SOURCE: Final = "AWS Price List API"
_ENDPOINT_REGION: Final = "us-east-1"
_HOUR: Final = {"hrs", "hours", "hour"}


class PriceListClient(Protocol):
    """The one call of boto3's ``pricing`` client that is used."""

    def get_products(self, **arguments: Any) -> Mapping[str, Any]:  # noqa: ANN401 (boto3's own)
        """Return one page of products."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class RefreshedPrices:
    """
    What a refresh found.

    Attributes:
        book: The prices, those found replaced.
        changed: Types whose price is another now, with the old and the new one.
        missing: Types that the API did not name.
    """

    book: PriceBook
    changed: Mapping[str, tuple[Decimal, Decimal]]
    missing: tuple[str, ...]


def price_list_client(*, endpoint_url: str | None = None) -> PriceListClient:
    """
    Return boto3's client of the Price List API, which a few regions answer for all.

    Raises:
        ConfigurationError: If boto3 is not installed.
    """
    try:
        import boto3
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "`tonnage prices refresh` needs boto3", hint="pip install boto3"
        ) from error
    client: PriceListClient = boto3.client(
        "pricing", region_name=_ENDPOINT_REGION, endpoint_url=endpoint_url
    )
    return client


def refresh_prices(
    book: PriceBook, client: PriceListClient, *, today: date, types: Iterable[str] | None = None
) -> RefreshedPrices:
    """
    Return the book with today's hourly prices.

    Args:
        book: The prices to replace; its region is asked for.
        client: ``price_list_client()``.
        today: The date to write beside them.
        types: Which instance types; all in the book when not given.

    Raises:
        TransportError: If AWS cannot be asked, or answers in a shape that is not known.
    """
    found: dict[str, Price] = {}
    missing: list[str] = []
    for name in types if types is not None else sorted(book.types):
        usd = _hourly_usd(client, name, book.region)
        if usd is None:
            missing.append(name)
        else:
            found[name] = Price(
                name=f"instance.{name}",
                tiers=(Tier(up_to=None, usd=usd),),
                per="hour",
                source=SOURCE,
                region=book.region,
                seen=today,
                confidence=Confidence.CONFIRMED,
            )
    changed = {
        name: (book.types[name].price.usd, price.usd)
        for name, price in found.items()
        if name in book.types and book.types[name].price.usd != price.usd
    }
    return RefreshedPrices(
        book=book.with_hourly(found, today), changed=changed, missing=tuple(missing)
    )


def _hourly_usd(client: PriceListClient, name: str, region: str) -> Decimal | None:
    prices = {
        usd
        for product in _products(client, name, region)
        if _is_hosting_of(product, name)
        for usd in _on_demand_usd(product, name)
    }
    if len(prices) > 1:
        listed = ", ".join(map(str, sorted(prices)))
        raise TransportError(f"the AWS Price List names several prices for {name}: {listed}")
    return next(iter(prices), None)


def _products(client: PriceListClient, name: str, region: str) -> Iterator[Mapping[str, Any]]:
    wanted = {
        "regionCode": region,
        "productFamily": "ML Instance",
        "component": "Hosting",
        "instanceName": name,
    }
    filters = [
        {"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in wanted.items()
    ]
    token: dict[str, str] = {}
    while True:
        page = _asked(client, filters, token)
        for item in page.get("PriceList", ()):
            yield _product(item, name)
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


def _asked(
    client: PriceListClient, filters: list[dict[str, str]], token: Mapping[str, str]
) -> Mapping[str, Any]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return client.get_products(ServiceCode="AmazonSageMaker", Filters=filters, **token)
    except (BotoCoreError, ClientError) as error:
        raise TransportError(
            f"the AWS Price List cannot be asked: {error}",
            hint="it needs credentials that allow pricing:GetProducts",
        ) from error


def _product(item: object, name: str) -> Mapping[str, Any]:
    """Return one product: the API wraps each in a string of its own."""
    try:
        product = json.loads(item) if isinstance(item, str) else item
    except ValueError as error:
        raise _unknown_shape(name, "a product that is no JSON") from error
    if not isinstance(product, dict):
        raise _unknown_shape(name, "a product that is no object")
    return product


def _is_hosting_of(product: Mapping[str, Any], name: str) -> bool:
    """Say whether it is this type for hosting; older listings name it ``ml.c5.large-Hosting``."""
    attributes = product.get("product", {}).get("attributes", {})
    named = attributes.get("instanceName") or str(attributes.get("instanceType", ""))
    component = attributes.get("component", "Hosting")
    return named.removesuffix("-Hosting") == name and component == "Hosting"


def _on_demand_usd(product: Mapping[str, Any], name: str) -> Iterator[Decimal]:
    try:
        for term in product["terms"]["OnDemand"].values():
            for dimension in term["priceDimensions"].values():
                if str(dimension.get("unit", "Hrs")).lower() not in _HOUR:
                    raise _unknown_shape(name, f"a price per {dimension['unit']}")
                usd = Decimal(dimension["pricePerUnit"]["USD"])
                if not usd.is_finite() or usd <= 0:
                    raise _unknown_shape(name, f"a price of {usd}")
                yield usd.normalize()
    except (KeyError, TypeError, AttributeError, InvalidOperation) as error:
        raise _unknown_shape(name, f"a product without {error}") from error


def _unknown_shape(name: str, what: str) -> TransportError:
    return TransportError(
        f"the AWS Price List answered {what} for {name}",
        hint="its shape has changed: write the price into a file of your own, see --prices",
    )
