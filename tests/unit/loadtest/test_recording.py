"""Samples on their way from the child to the record."""

import math
from pathlib import Path

import numpy as np

from tonnage.loadtest._account import read_samples
from tonnage.loadtest._recording import Recording


def test_samples_come_back_in_the_order_they_were_sent(tmp_path: Path):
    recording = Recording(tmp_path / "samples.bin")
    recording.add(0.1, 0.2, 0.9, 200)
    recording.flush()
    recording.add(0.1, 0.1, 1.0, 503)
    recording.flush()
    samples = read_samples(recording.file)
    assert samples.sent_seconds.tolist() == [0.1, 0.2]
    assert samples.intended_seconds.tolist() == [0.1, 0.1]
    assert samples.done_seconds.tolist() == [1.0, 0.9]
    assert samples.status.tolist() == [503, 200]


def test_a_flush_tells_requests_failures_and_the_latency_of_those_answered(tmp_path: Path):
    recording = Recording(tmp_path / "samples.bin")
    assert recording.flush()[:2] == (0, 0)
    recording.add(0.0, 0.0, 0.25, 200)
    recording.add(0.0, 0.0, 0.5, 503)
    recording.add(0.0, 0.0, 9.0, 0)
    assert recording.flush() == (3, 2, 0.5)
    recording.flush()
    recording.flush()
    assert math.isnan(recording.flush()[2])


def test_a_file_cut_off_in_the_middle_of_a_row_keeps_the_whole_rows(tmp_path: Path):
    file = tmp_path / "samples.bin"
    np.array([0.1, 0.2, 0.3, 200.0, 1.1, 1.2]).tofile(file)
    assert len(read_samples(file)) == 1
