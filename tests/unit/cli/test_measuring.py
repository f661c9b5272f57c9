"""
What is sent, by the flags that two verbs share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tonnage.cli._measuring import drawn_ranges, payload_of
from tonnage.config import Settings
from tonnage.domain import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


def test_ranges_are_read_field_by_field():
    assert drawn_ranges(["distance=1..6500", "age=-0.5..1e3"]) == {
        "distance": (1.0, 6500.0),
        "age": (-0.5, 1000.0),
    }


@pytest.mark.parametrize("text", ["distance", "distance=1", "=1..2", "distance=1..", "a=x..y"])
def test_what_is_no_range_is_named(text: str):
    with pytest.raises(ConfigurationError, match="names no range"):
        drawn_ranges([text])


def test_a_template_is_a_body_with_ranges(tmp_path: Path):
    settings = Settings(directory=tmp_path)
    payload = payload_of(settings, {"body": '{"city": "Taipei"}', "draws": ("distance=1..2",)})
    assert (payload.body, payload.ranges) == ({"city": "Taipei"}, {"distance": (1.0, 2.0)})
    assert payload_of(settings, {"draws": ("distance=1..2",)}).body is None


def test_a_function_makes_all_of_a_body(tmp_path: Path):
    settings = Settings(directory=tmp_path)
    assert payload_of(settings, {"payload": "rows:make"}).function == "rows:make"
    for other in ({"body": "1"}, {"draws": ("distance=1..2",)}):
        with pytest.raises(ConfigurationError, match="both say what is sent"):
            payload_of(settings, {"payload": "rows:make", **other})
