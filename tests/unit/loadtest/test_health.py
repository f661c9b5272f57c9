"""When a generator's word is good."""

import numpy as np
import pytest

from tonnage.domain import Samples
from tonnage.loadtest import GeneratorHealth, judge


def sent_late_by(lateness_seconds: float, count: int = 100) -> Samples:
    intended = np.arange(count) / 100
    return Samples(
        intended_seconds=intended,
        sent_seconds=intended + lateness_seconds,
        done_seconds=intended + lateness_seconds + 0.01,
        status=np.full(count, 200, dtype=np.uint16),
    )


def test_a_punctual_generator_with_cpu_to_spare_is_believed():
    verdict = judge(sent_late_by(0.002), GeneratorHealth(cpu_fractions=(0.3, 0.5, 0.4)))
    assert verdict.word == "VALID"
    assert "2 ms late" in verdict.reason
    assert "50 % of a core" in verdict.reason


def test_nothing_sent_is_nothing_measured():
    assert judge(Samples.empty(), GeneratorHealth()).word == "INVALID"


@pytest.mark.parametrize(
    ("cpu_fractions", "word"),
    [
        ((0.5, 0.95, 0.97, 0.5, 0.99), "VALID"),
        ((0.5, 0.95, 0.97, 0.91), "DOUBTFUL"),
        ((0.9, 0.9, 0.9, 0.9), "VALID"),
    ],
)
def test_three_busy_seconds_in_a_row_are_doubtful(cpu_fractions: tuple[float, ...], word: str):
    verdict = judge(sent_late_by(0.0), GeneratorHealth(cpu_fractions=cpu_fractions))
    assert verdict.word == word
    assert word == "VALID" or "for 3 s in a row" in verdict.reason


def test_late_sends_are_doubtful():
    verdict = judge(sent_late_by(0.3), GeneratorHealth(cpu_fractions=(0.2,)))
    assert verdict.word == "DOUBTFUL"
    assert "300 ms late" in verdict.reason


def test_health_without_a_measurement_reads_zero():
    health = GeneratorHealth()
    assert (health.cpu_fraction_mean, health.cpu_fraction_max, health.busy_seconds) == (0, 0, 0)


def test_health_tells_mean_and_busiest_second():
    health = GeneratorHealth(cpu_fractions=(0.2, 0.4))
    assert health.cpu_fraction_mean == pytest.approx(0.3)
    assert health.cpu_fraction_max == 0.4
