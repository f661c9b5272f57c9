import dataclasses

from tonnage.domain import RunRecord
from tonnage.reporting import Section, facts


def cells(section: Section) -> dict[str, tuple[str, ...]]:
    return {row[0]: tuple(row[1:]) for row in section.rows}


def test_outcome_names_where_failures_begin_and_what_was_carried(records: list[RunRecord]):
    table = cells(facts.outcome(records))
    assert table["Offered at peak"] == ("20/s", "20/s")
    assert table["Requests"] == ("240", "240")
    assert table["Failed"] == ("30 (12.5 %)", "0")
    assert table["Failures begin"] == ("at 20/s, 6.2 s into the run", "never")
    assert table["Carried"] == ("15/s", "20/s")
    assert table["Instances in service"] == ("1", "1 → 3")
    assert table["Lasted"] == ("12 s (4 min of AWS time)",) * 2


def test_outcome_of_nothing_says_so_without_a_number(empty: RunRecord):
    table = cells(facts.outcome([empty]))
    assert table["Requests"] == ("0",)
    assert table["Latency p99"] == table["Users at peak"] == table["Sends spread over"] == ("-",)
    assert table["Failures begin"] == ("never",)


def test_a_note_that_holds_for_all_is_said_once(records: list[RunRecord]):
    lines = facts.notes(records).lines
    assert lines[0] == "An emulated cap of 15/s, not what this machine carries."
    assert lines[1] == "A: one instance: Noisy <machine>."
    assert len(lines) == 2


def test_only_settings_that_differ_are_called_different(records: list[RunRecord]):
    assert cells(facts.differences(records)) == {"scaling.enabled": ("false", "true")}
    assert set(cells(facts.settings(records))) == {"scaling.enabled", "local.instance_rate"}


def test_a_setting_that_one_record_lacks_differs(records: list[RunRecord]):
    other = dataclasses.replace(records[1], settings={"scaling": {"enabled": False}})
    assert cells(facts.differences([records[0], other])) == {"local.instance_rate": ("15/s", "-")}


def test_every_scaling_activity_is_listed_with_its_cause(records: list[RunRecord]):
    (row,) = facts.activities(records).rows
    assert row[0] == "1 → 3"
    assert row[2] == "3.0 s → 5.5 s"
    assert row[3] == "1,200 invocations per instance | target 60"
    assert facts.activities(records[:1]).lines == ("None.",)


def test_a_clock_that_says_nonsense_is_left_out(empty: RunRecord):
    assert cells(facts.machine([empty]))["began"] == ("-",)
