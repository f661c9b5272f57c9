"""
The price file: every figure says where it is from, and what is not a price is refused.
"""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tonnage.domain import ConfigurationError
from tonnage.planning import (
    Confidence,
    price_warnings,
    prices_document,
    prices_table,
    read_prices,
    write_prices,
)

TODAY = date(2026, 11, 22)
HEAD = 'format = "tonnage-prices/1"\nregion = "us-east-1"\ndate = 2026-10-01\n'
FIGURE = 'source = "a bill", date = "2026-10", confidence = "confirmed"'


def test_every_packaged_figure_names_source_region_date_and_confidence():
    book = read_prices()
    assert len(book.types) == 19
    for price in book.figures.values():
        assert len(price.source) > 10
        assert price.region
        assert price.confidence in Confidence
        assert date(2023, 1, 1) < price.seen <= book.made_on


def test_the_packaged_prices_are_those_of_the_reference():
    book = read_prices()
    assert book.types["ml.c5.large"].price.usd == Decimal("0.102")
    assert book.types["ml.m5.2xlarge"].price.usd == Decimal("0.461")
    assert [tier.usd for tier in book.price("gateway.rest").tiers] == [
        Decimal(text) for text in ("0.0000035", "0.0000028", "0.00000238", "0.00000151")
    ]
    assert book.price("serverless.6144").usd == Decimal("0.00012")
    assert book.types["ml.c6g.large"].architecture == "arm64"
    assert book.types["ml.t2.medium"].burstable


def test_unconfirmed_figures_and_old_ones_are_told_once_a_reason():
    book = read_prices()
    said = price_warnings(
        [
            book.price("instance.ml.c4.large"),
            book.price("serverless.1024"),
            book.price("serverless.2048"),
            book.price("serverless.2048"),
            book.price("instance.ml.c5.large"),
        ],
        TODAY,
    )
    assert len(said) == 2
    assert "2023-12, more than a year ago: the prices serverless.1024, serverless.2048" in said[0]
    assert said[1].startswith("unconfirmed (")
    assert "instance.ml.c4.large" in said[1]


def test_a_price_is_old_after_a_year_and_not_before():
    price = read_prices().price("instance.ml.c5.large")
    assert price.seen == date(2026, 9, 1)
    assert not price.is_older_than_a_year(date(2027, 9, 1))
    assert price.is_older_than_a_year(date(2027, 9, 2))


def test_a_file_overrides_what_it_names_and_nothing_else(tmp_path: Path):
    file = tmp_path / "prices.toml"
    file.write_text(HEAD + f'[instance]\n"ml.c5.large" = {{ usd = "0.09", {FIGURE} }}\n')
    book = read_prices(file)
    assert book.types["ml.c5.large"].price.usd == Decimal("0.09")
    assert book.types["ml.c5.large"].vcpu == 2
    assert book.types["ml.c5.xlarge"].price.usd == Decimal("0.204")
    assert book.price("data.egress") == read_prices().price("data.egress")


def test_prices_of_another_region_say_nothing_of_the_packaged_ones(tmp_path: Path):
    file = tmp_path / "prices.toml"
    file.write_text(
        HEAD.replace("us-east-1", "eu-west-1")
        + f'[instance]\n"ml.c5.large" = {{ usd = "0.115", vcpu = 2, memory_gib = 4, {FIGURE} }}\n'
    )
    book = read_prices(file)
    assert list(book.types) == ["ml.c5.large"]
    with pytest.raises(ConfigurationError, match=r"no price gateway\.rest"):
        book.price("gateway.rest")


def test_a_book_is_written_as_a_file_that_reads_the_same(tmp_path: Path):
    book = read_prices()
    again = read_prices(write_prices(book, tmp_path / "all.toml"))
    assert again.figures == book.figures
    assert again.types == book.types


def test_a_cost_takes_each_part_of_a_quantity_in_its_tier():
    price = read_prices().price("gateway.rest")
    assert price.cost(Decimal(333_000_000)) == Decimal("1165.5")
    assert price.cost(Decimal(343_000_000)) == Decimal("1165.5") + Decimal(28)
    assert price.cost(Decimal(0)) == 0


def test_the_table_and_the_document_name_every_figure():
    book = read_prices()
    table = prices_table(book, TODAY)
    assert all(name in table for name in book.figures)
    assert "older than a year" in table
    document = prices_document(book, TODAY)
    assert {figure["name"] for figure in document["figures"]} == set(book.figures)
    assert document["types"]["ml.c5.large"]["usd_per_hour"] == "0.102"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nonsense [", "are no TOML"),
        ('format = "other/1"\n', "are of the format 'other/1'"),
        ('format = "tonnage-prices/1"\n', "it has no date"),
        (HEAD + "[instances]\n", "unknown section 'instances'"),
        (HEAD + "data = 3\n", "is not a table"),
        (HEAD + f"[data]\nprocessed = {{ usd = 0.1, {FIGURE} }}\n", "binary fraction"),
        (HEAD + f'[data]\nprocessed = {{ usd = "x", {FIGURE} }}\n', "'x' is not a price"),
        (HEAD + f'[data]\nprocessed = {{ usd = "-1", {FIGURE} }}\n', "0 or more"),
        (HEAD + f'[data]\nprocessed = {{ usd = "NaN", {FIGURE} }}\n', "0 or more"),
        (HEAD + f"[data]\nprocessed = {{ {FIGURE} }}\n", "either usd or tiers"),
        (HEAD + f'[data]\nprocessed = {{ usd = "1", per = 3, {FIGURE} }}\n', "unknown key 'per'"),
        (HEAD + '[data]\nprocessed = { usd = "1", source = "a" }\n', "is missing"),
        (
            HEAD + f'[data]\nprocessed = {{ usd = "1", {FIGURE.replace("confirmed", "sure")} }}\n',
            "confidence must be one of confirmed, derived, unconfirmed",
        ),
        (
            HEAD + f'[data]\nprocessed = {{ usd = "1", {FIGURE.replace("2026-10", "2026-13")} }}\n',
            "is not a date",
        ),
        (HEAD + f'[gateway]\nrest = {{ tiers = [[5, "1"]], {FIGURE} }}\n', "tiers must rise"),
        (HEAD + f"[gateway]\nrest = {{ tiers = [1, 2], {FIGURE} }}\n", "not pairs"),
        (HEAD + f'[instance]\n"c5.large" = {{ usd = "1", {FIGURE} }}\n', "begins with 'ml.'"),
        (HEAD + f'[instance]\n"ml.x1.large" = {{ usd = "1", {FIGURE} }}\n', "vcpu must be"),
    ],
)
def test_what_is_no_price_file_is_refused_with_the_place(tmp_path: Path, text: str, says: str):
    file = tmp_path / "prices.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        read_prices(file)
    assert says in raised.value.message
    assert str(file) in raised.value.message


def test_a_missing_price_file_is_named(tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"cannot read the prices .*none\.toml"):
        read_prices(tmp_path / "none.toml")
