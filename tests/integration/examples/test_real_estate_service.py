"""
The service takes one positive finite distance and answers with a price to two decimals.
"""

from pathlib import Path
from types import ModuleType

import joblib
import numpy as np
import pytest
from pydantic import ValidationError

from tonnage.artefact import TYPICAL_RANGE


def fault_of(service: ModuleType, body: str) -> tuple[str | int, ...]:
    with pytest.raises(ValidationError) as caught:
        service.House.model_validate_json(body, strict=True)
    (fault,) = caught.value.errors()
    return fault["loc"]


@pytest.mark.parametrize("distance", ["150", "150.5", "1e-3", "6500", "1" + "0" * 300])
def test_any_positive_finite_number_is_a_distance(service: ModuleType, distance: str) -> None:
    house = service.House.model_validate_json(f'{{"distance": {distance}}}', strict=True)

    assert house.distance == float(distance)


@pytest.mark.parametrize(
    "distance",
    [
        "0",
        "-0.0",
        "-150",
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        '"150"',
        "true",
        "null",
        "[150]",
    ],
)
def test_anything_else_is_refused_by_name(service: ModuleType, distance: str) -> None:
    assert fault_of(service, f'{{"distance": {distance}}}') == ("distance",)


def test_missing_distance_is_refused_by_name(service: ModuleType) -> None:
    assert fault_of(service, "{}") == ("distance",)


def test_unknown_field_is_refused_by_name(service: ModuleType) -> None:
    assert fault_of(service, '{"distance": 150, "rooms": 3}') == ("rooms",)


@pytest.mark.parametrize("body", ["", "{", "150", "[]", "null"])
def test_body_that_is_no_object_is_refused(service: ModuleType, body: str) -> None:
    assert fault_of(service, body) == ()


def test_features_are_the_log_distances_in_the_order_of_the_rows(service: ModuleType) -> None:
    rows = [service.House(distance=metres) for metres in (1, 150, 6500)]

    features = service.RealEstate().features(rows)

    assert features.shape == (3, 1)
    assert features.dtype == np.float64
    np.testing.assert_array_equal(features[:, 0], np.log([1.0, 150.0, 6500.0]))


def test_results_are_rounded_to_two_decimals_and_written_as_json(service: ModuleType) -> None:
    results = service.RealEstate().results(np.array([50.30427866, 33.37525957]))

    assert [result.model_dump_json() for result in results] == ['{"cost":50.3}', '{"cost":33.38}']


def test_a_batch_is_priced_by_the_trained_model(service: ModuleType, trained: Path) -> None:
    real_estate = service.RealEstate()
    rows = [service.House(distance=metres) for metres in (100, 150, 1000)]

    predictions = joblib.load(trained / "model.joblib").predict(real_estate.features(rows))

    assert [price.cost for price in real_estate.results(predictions)] == [53.92, 50.3, 33.38]


def test_features_of_service_and_training_are_one_and_the_same(
    service: ModuleType, train: ModuleType
) -> None:
    metres = [0.5, 23.38284, 150.0, 6488.021]
    rows = [service.House(distance=distance) for distance in metres]

    np.testing.assert_array_equal(service.RealEstate().features(rows), train.features(metres))


def test_schema_says_what_a_distance_is(service: ModuleType) -> None:
    schema = service.House.model_json_schema()

    assert schema["additionalProperties"] is False
    assert schema["required"] == ["distance"]
    distance = schema["properties"]["distance"]
    assert distance["type"] == "number"
    assert distance["exclusiveMinimum"] == 0
    assert distance["examples"] == [150]
    assert distance["unit"] == "m"
    assert distance[TYPICAL_RANGE] == [1, 6500]
    assert "nearest MRT station, in metres" in distance["description"]


def test_schema_says_the_unit_of_the_cost(service: ModuleType) -> None:
    cost = service.Price.model_json_schema()["properties"]["cost"]

    assert "10,000 New Taiwan Dollars per ping, 1 ping = 35.58 sq. ft." in cost["description"]
    assert cost["unit"] == "10000 TWD/ping"
