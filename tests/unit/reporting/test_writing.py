import dataclasses
from pathlib import Path

import pytest

import tonnage.reporting
from tonnage.domain import ConfigurationError, RunRecord
from tonnage.reporting import report
from tonnage.reporting.writing import _file_names


def test_pictures_get_names_that_any_file_system_takes(empty: RunRecord):
    names = ["../../etc/passwd", "a b", "A-B", "overview", "...", "x" * 300]
    records = [dataclasses.replace(empty, name=name) for name in names]
    assert _file_names(records) == [
        "etc-passwd",
        "a-b",
        "A-B-3",
        "overview-4",
        "experiment-5",
        "x" * 80,
    ]


def test_nothing_to_report_is_refused(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="nothing to report"):
        report([], tmp_path)


def test_an_output_that_is_a_file_is_refused(tmp_path: Path, empty: RunRecord):
    taken = tmp_path / "taken"
    taken.touch()
    with pytest.raises(ConfigurationError, match="not a directory"):
        report([empty], taken)


def test_public_names_are_those_listed():
    public = {
        name
        for name, value in vars(tonnage.reporting).items()
        if not name.startswith("_")
        and not hasattr(value, "__path__")
        and not hasattr(value, "__file__")
    }
    assert public == set(tonnage.reporting.__all__)
