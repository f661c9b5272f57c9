"""
The Price List API, in the shape that public code reads: the client is real, its answers recorded.
"""

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tonnage.domain import TransportError
from tonnage.planning import Confidence, price_warnings, read_prices, refresh_prices

TODAY = date(2026, 11, 22)
REGION = "us-east-1"


def product(name: str, usd: str, **changed: object) -> str:
    """One item of ``PriceList``: a string of JSON, as the API has it."""
    attributes = {
        "servicecode": "AmazonSageMaker",
        "regionCode": REGION,
        "component": "Hosting",
        "instanceName": name,
        "instanceType": f"{name}-Hosting",
        "usagetype": f"USE1-Host:{name}",
    }
    dimension = {"unit": "Hrs", "pricePerUnit": {"USD": usd}, "beginRange": "0", "endRange": "Inf"}
    return json.dumps(
        {
            "product": {
                "productFamily": "ML Instance",
                "attributes": attributes | changed.get("attributes", {}),
                "sku": "ABC",
            },
            "terms": {
                "OnDemand": {
                    "ABC.JRT": {
                        "priceDimensions": {"ABC.JRT.6YS": dimension | changed.get("dimension", {})}
                    }
                }
            },
        }
    )


def asked_for(name: str, token: str | None = None) -> dict[str, Any]:
    fields = {
        "regionCode": REGION,
        "productFamily": "ML Instance",
        "component": "Hosting",
        "instanceName": name,
    }
    filters = [{"Type": "TERM_MATCH", "Field": key, "Value": fields[key]} for key in fields]
    return {"ServiceCode": "AmazonSageMaker", "Filters": filters} | (
        {"NextToken": token} if token else {}
    )


@pytest.fixture
def client() -> object:
    return boto3.client(
        "pricing", region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
    )


@pytest.fixture
def stub(client: object) -> Iterator[Stubber]:
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def test_hourly_prices_are_replaced_and_dated(client: object, stub: Stubber):
    stub.add_response(
        "get_products",
        {"FormatVersion": "aws_v1", "PriceList": [product("ml.c4.large", "0.1400000000")]},
        asked_for("ml.c4.large"),
    )
    stub.add_response(
        "get_products",
        {"FormatVersion": "aws_v1", "PriceList": [product("ml.c5.large", "0.1050000000")]},
        asked_for("ml.c5.large"),
    )
    book = read_prices()
    refreshed = refresh_prices(book, client, today=TODAY, types=["ml.c4.large", "ml.c5.large"])
    price = refreshed.book.types["ml.c4.large"].price
    assert (price.usd, price.seen, price.confidence) == (
        Decimal("0.14"),
        TODAY,
        Confidence.CONFIRMED,
    )
    assert refreshed.changed == {"ml.c5.large": (Decimal("0.102"), Decimal("0.105"))}
    assert refreshed.book.types["ml.m5.large"] == book.types["ml.m5.large"]
    assert price_warnings([price], TODAY) == []


def test_pages_are_followed_and_other_products_passed_over(client: object, stub: Stubber):
    other = product("ml.c5.large", "9", attributes={"component": "Training"})
    old = product("ml.c5.large", "0.102", attributes={"instanceName": ""})
    stub.add_response(
        "get_products", {"PriceList": [other], "NextToken": "more"}, asked_for("ml.c5.large")
    )
    stub.add_response("get_products", {"PriceList": [old]}, asked_for("ml.c5.large", "more"))
    refreshed = refresh_prices(read_prices(), client, today=TODAY, types=["ml.c5.large"])
    assert refreshed.book.types["ml.c5.large"].price.seen == TODAY
    assert refreshed.changed == {}


def test_a_type_that_is_not_named_keeps_its_price(client: object, stub: Stubber):
    stub.add_response("get_products", {"PriceList": []}, asked_for("ml.c4.large"))
    book = read_prices()
    refreshed = refresh_prices(book, client, today=TODAY, types=["ml.c4.large"])
    assert refreshed.missing == ("ml.c4.large",)
    assert refreshed.book.types["ml.c4.large"] == book.types["ml.c4.large"]


@pytest.mark.parametrize(
    "items",
    [
        ["{not json"],
        ["[1, 2]"],
        [product("ml.c5.large", "none")],
        [product("ml.c5.large", "0")],
        [product("ml.c5.large", "1", dimension={"unit": "Quantity"})],
        [json.dumps({**json.loads(product("ml.c5.large", "1")), "terms": {}})],
        [product("ml.c5.large", "0.102"), product("ml.c5.large", "0.103")],
    ],
)
def test_a_shape_that_is_not_known_is_refused_and_not_guessed(
    client: object, stub: Stubber, items: list[str]
):
    stub.add_response("get_products", {"PriceList": items}, asked_for("ml.c5.large"))
    with pytest.raises(TransportError, match=r"ml\.c5\.large"):
        refresh_prices(read_prices(), client, today=TODAY, types=["ml.c5.large"])


def test_what_aws_refuses_is_told(client: object, stub: Stubber):
    stub.add_client_error("get_products", "AccessDeniedException", "not you")
    with pytest.raises(TransportError, match="AccessDeniedException") as raised:
        refresh_prices(read_prices(), client, today=TODAY, types=["ml.c5.large"])
    assert "pricing:GetProducts" in str(raised.value.hint)
