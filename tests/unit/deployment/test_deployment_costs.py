"""
What a deployment costs a month, before it is made.
"""

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tonnage.deployment import DeploymentOptions, InstanceVariant, deployment_cost
from tonnage.deployment.fronts import FrontOptions
from tonnage.planning import Front, read_prices

BOOK = read_prices(None)
HOW_TO = Path(__file__).parents[3] / "docs" / "how-to" / "deploy.md"


def fronted(options: DeploymentOptions, front: Front) -> DeploymentOptions:
    return replace(
        options,
        front=FrontOptions(
            front=front, name="a", route="/evaluate", artefact=options.model.artefact
        ),
    )


def test_a_rest_api_at_1000_per_second_costs_93_instances(options: DeploymentOptions):
    """730 h of 3,600 s at 1,000/s are 2,628 million requests, each part of them in its tier."""
    cost = deployment_cost(fronted(options, Front.REST), BOOK, rate_per_second=1000.0)
    millions = Decimal(2628)
    by_hand = 333 * Decimal("3.5") + 667 * Decimal("2.8") + (millions - 1000) * Decimal("2.38")
    assert cost.gateway_usd == by_hand == Decimal("6907.74")
    assert cost.lambda_usd == 0
    assert round(cost.front_in_instances) == 93
    assert "92.8 times one ml.c5.large" in " ".join(cost.sentences())


def test_an_http_api_costs_32_instances_and_its_function_more(options: DeploymentOptions):
    cost = deployment_cost(fronted(options, Front.HTTP), BOOK, rate_per_second=1000.0)
    assert cost.gateway_usd == 300 + (2628 - 300) * Decimal("0.9") == Decimal("2395.2")
    assert round(cost.gateway_in_instances) == 32
    # 20 ms at 512 MB: 0.20 a million requests, and 0.01 GB-seconds each.
    assert cost.lambda_usd == pytest.approx(
        2628 * Decimal("0.2") + 2_628_000_000 * Decimal("0.01") * Decimal("0.0000166667")
    )
    assert round(cost.front_in_instances) == 45


def test_instances_are_priced_at_their_least_and_most(options: DeploymentOptions):
    cost = deployment_cost(options, BOOK, rate_per_second=0.0)
    assert (cost.least.instances, cost.most.instances) == (Decimal("74.46"), Decimal("744.6"))
    assert (cost.what_least, cost.what_most) == ("1 x ml.c5.large", "10 x ml.c5.large")


def test_a_scheduled_maximum_counts(cases: dict[str, DeploymentOptions]):
    everything = cases["everything"]
    assert isinstance(everything.variant, InstanceVariant)
    cost = deployment_cost(everything, BOOK, rate_per_second=1.0)
    assert (cost.what_least, cost.what_most) == ("3 x ml.c7g.xlarge", "17 x ml.c7g.xlarge")
    assert "a KMS key" in cost.not_included


def test_serverless_costs_nothing_idle_and_its_concurrency_at_most(
    cases: dict[str, DeploymentOptions],
):
    cost = deployment_cost(cases["serverless"], BOOK, rate_per_second=0.0)
    assert cost.least.serverless == 0
    assert cost.most.serverless == 42 * 730 * 3600 * Decimal("0.00006")
    assert any("ProvisionedConcurrency 7" in each for each in cost.not_included)


def test_the_how_to_gives_these_sums(options: DeploymentOptions):
    """docs/how-to/deploy.md is held to the planning room's arithmetic."""
    page = HOW_TO.read_text(encoding="utf-8")
    for front, name in ((Front.REST, "REST API"), (Front.HTTP, "HTTP API")):
        cost = deployment_cost(fronted(options, front), BOOK, rate_per_second=1000.0)
        row = re.search(rf"^\| {name} .*$", page, re.MULTILINE)
        assert row is not None
        assert f"{cost.gateway_usd:,.2f}" in row[0]
        assert f"{cost.gateway_in_instances:.0f} \u00d7" in row[0]
