"""
``tonnage plan`` and ``tonnage prices`` as scripts call them.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tonnage.cli import cli
from tonnage.cli._faults import exit_code
from tonnage.config import read_settings

RAMP = "ramp(0/s, 1000/s, 1000s)"
QUICK = ("--measured-only", "--front", "none")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ran(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), standalone_mode=False)


def fault_of(*arguments: str) -> str:
    """Return a refusal's message and hint; it ends as misuse."""
    result = ran(*arguments)
    assert result.exception is not None, result.stdout
    assert exit_code(result.exception) == 2, result.exception
    return f"{result.exception}; {getattr(result.exception, 'hint', '')}"


def planned(*arguments: str) -> dict[str, Any]:
    result = ran("plan", "--json", *arguments)
    assert result.exception is None, result.exception
    assert result.return_value == 0
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_the_json_has_what_scripts_rely_on():
    made = planned("--line", "600", "--profile", RAMP)
    assert {"settings", "cost_usd_month", "failed_fraction"} <= made["best"].keys()
    assert made["best"]["failed_fraction"] < 0.001
    assert made["best"]["settings"]["scaling"]["max_capacity"] == 2
    assert made["best"]["settings"]["endpoint"]["instance_type"] == "ml.c5.large"
    assert made["candidates"][0] == made["best"]
    assert made["best"]["cost_usd_month"] == pytest.approx(
        sum(made["best"]["cost_usd_month_split"].values())
    )
    assert {option["line"] for option in made["candidates"]} == {"measured", "assumed"}


def test_a_line_may_name_its_type_and_unit():
    made = planned("--line", "ml.m5.large=36000/min", "--profile", RAMP, *QUICK)
    assert made["best"]["settings"]["endpoint"]["instance_type"] == "ml.m5.large"
    assert made["best"]["line_per_second"] == 600


def test_a_trace_and_settings_are_planned_from(tmp_path: Path):
    (tmp_path / "trace.csv").write_text(
        "time_seconds,rate_per_second\n0,300\n600,900\n1800,300\n3600,\n"
    )
    (tmp_path / "tonnage.toml").write_text(
        '[endpoint]\ninstance_type = "ml.c5.xlarge"\n[scaling]\nmax_capacity = 4\n'
    )
    made = planned("--line", "500", "--trace", "trace.csv", *QUICK)
    assert made["traffic"]["duration_seconds"] == 3600
    assert made["best"]["settings"]["endpoint"]["instance_type"] == "ml.c5.xlarge"
    assert "as it is set" in {option["what"] for option in made["candidates"]}


def test_the_table_is_on_stdout_and_the_notes_on_stderr():
    result = ran("plan", "--line", "600", "--profile", RAMP)
    assert result.return_value == 0
    assert "1 to 2 x ml.c5.large" in result.stdout
    assert "1 at rest is enough" in result.stdout
    assert "note:" not in result.stdout
    assert "more than a year ago" in result.stderr


def test_settings_are_written_that_up_takes_unchanged(tmp_path: Path):
    (tmp_path / "tonnage.toml").write_text('[service]\nname = "mine"\n')
    ran("plan", "--line", "600", "--profile", RAMP, *QUICK, "-o", "tonnage.plan.toml")
    settings = read_settings(tmp_path / "tonnage.plan.toml")
    assert settings.service.name == "mine"
    assert settings.scaling.max_capacity == 2
    assert settings.api.front == "none"
    assert "# 1 at rest is enough" in (tmp_path / "tonnage.plan.toml").read_text()


def test_a_directory_gets_page_pictures_numbers_and_settings(tmp_path: Path):
    ran("plan", "--line", "600", "--profile", RAMP, *QUICK, "-o", "out")
    written = {file.name for file in (tmp_path / "out").iterdir()}
    assert written == {
        *("plan.html", "plan.json", "tonnage.plan.toml"),
        *("timeline.png", "frontier.png", "what-if.png"),
    }
    page = (tmp_path / "out" / "plan.html").read_text()
    assert "1 at rest is enough" in page
    assert "http://" not in page.split("<script")[0]


def test_an_objective_that_nothing_meets_ends_with_3_and_the_nearest():
    result = ran(
        *("plan", "--line", "600", "--profile", "ramp(0/s, 8000/s, 20m)", *QUICK, "--json")
    )
    assert result.return_value == 3
    assert json.loads(result.stdout)["best"] is None
    assert "no policy within max_capacity 10 meets it; the nearest fails" in result.stderr


def test_prices_of_the_users_own_are_used(tmp_path: Path):
    (tmp_path / "mine.toml").write_text(
        'format = "tonnage-prices/1"\ndate = 2026-10-01\n[instance]\n'
        '"ml.c5.large" = { usd = "1.02",'
        ' source = "our contract", date = "2026-10-01", confidence = "confirmed" }\n'
    )
    listed = planned("--line", "600", "--profile", RAMP, *QUICK)["best"]
    ours = planned("--line", "600", "--profile", RAMP, *QUICK, "--prices", "mine.toml")["best"]
    ratio = ours["cost_usd_month_split"]["instances"] / listed["cost_usd_month_split"]["instances"]
    assert ratio == pytest.approx(10, rel=1e-3)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("0,5\n60,-1\n", "a rate must be 0 or more, not -1"),
        ("0,5\n60,many\n", "'many' is not a number"),
        ("0,5\n60,6/s\n", "'6/s' is not a number"),
        ("60,5\n0,6\n", "0 does not come after 60"),
        ("0,5\n", "has 1 rows"),
        ("0,\n60,\n", "knows no rate at all"),
    ],
)
def test_a_trace_that_is_none_is_refused(tmp_path: Path, rows: str, says: str):
    (tmp_path / "trace.csv").write_text(f"time_seconds,rate_per_second\n{rows}")
    assert says in fault_of("plan", "--line", "600", "--trace", "trace.csv")


@pytest.mark.parametrize(
    ("rows", "where"),
    [
        ("0,5\n60,-1\n", "trace.csv, line 3, column rate_per_second: a rate must be 0 or more"),
        ("0,5\n60,5MB\n", "trace.csv, line 3, column rate_per_second: '5MB' is not a number"),
        ("0,5\n1m,5\n", "trace.csv, line 3, column time_seconds: '1m' is not a number"),
        ("0,5\n9,6\n5,5\n", "trace.csv, line 4, column time_seconds: 5 does not come after 9"),
        ("0,5\n,6\n", "trace.csv, line 3, column time_seconds: '' is not a number"),
        ("0,5\n60\n", "trace.csv, line 3: 1 columns, the first line has 2"),
    ],
)
def test_a_wrong_value_of_a_trace_is_named_by_line_and_column(
    tmp_path: Path, rows: str, where: str
):
    (tmp_path / "trace.csv").write_text(f"time_seconds,rate_per_second\n{rows}")
    assert where in fault_of("plan", "--line", "600", "--trace", "trace.csv")


def test_a_trace_in_other_units_is_refused_with_those_it_needs(tmp_path: Path):
    (tmp_path / "trace.csv").write_text("time_seconds,rate_per_minute\n0,5\n60,6\n")
    said = fault_of("plan", "--line", "600", "--trace", "trace.csv")
    assert "has no column rate_per_second" in said
    assert "seconds, and requests per second" in said


def test_a_gap_of_a_trace_is_declared_by_an_empty_rate(tmp_path: Path):
    (tmp_path / "trace.csv").write_text("time_seconds,rate_per_second\n0,300\n900,\n1800,300\n")
    result = ran("plan", "--line", "600", "--trace", "trace.csv", *QUICK)
    assert "33.3% of the traffic is a gap" in result.stderr


def test_schedules_are_planned_for_a_calendar_that_is_given(tmp_path: Path):
    (tmp_path / "trace.csv").write_text(
        "time_seconds,rate_per_second\n0,100\n7200,2500\n10800,100\n21600,\n"
    )
    arguments = ("plan", "--line", "600", "--trace", "trace.csv", *QUICK, "--json")
    dated = ("--starts-at", "2099-12-01T08:00", "--timezone", "Europe/Berlin")
    made = json.loads(ran(*arguments, *dated).stdout)["best"]
    first = made["settings"]["scaling"]["scheduled"][0]
    assert first["schedule"] == "at(2099-12-01T09:40:00)"
    assert first["timezone"] == "Europe/Berlin"
    simple = json.loads(ran(*arguments, *dated, "--simple").stdout)["best"]
    assert "scheduled" not in simple["settings"]["scaling"]


def test_settings_with_a_metric_that_is_not_simulated_are_not_compared_with(tmp_path: Path):
    (tmp_path / "tonnage.toml").write_text(
        '[[scaling.step]]\npolicy_name = "cpu"\nmetric = "CPUUtilization"\nthreshold = 70\n'
        "step_adjustments = [{ metric_interval_lower_bound = 0, scaling_adjustment = 1 }]\n"
    )
    made = planned("--line", "600", "--profile", RAMP, *QUICK)
    assert any("CPUUtilization" in reason for reason in made["refused"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--line", "600", "--profile", RAMP, "--starts-at", "soon"), "'soon' is not a date"),
        (("--line", "600", "--profile", RAMP, "--timezone", "Europe/Berlin"), "--starts-at"),
        (("--line", "0", "--profile", RAMP), "must be above 0/s"),
        (("--line", "600MB", "--profile", RAMP), "'600MB' is not a rate"),
        (
            (
                "--line",
                "600",
            ),
            "one traffic is needed",
        ),
        (("--line", "600", "--profile", RAMP, "--trace", "x.csv"), "one traffic is needed"),
        (("--line", "600", "--line", "700", "--profile", RAMP), "names ml.c5.large twice"),
        (("--line", "ml.t3.medium=600", "--profile", RAMP), "ml.t3.medium is not a hosting type"),
        (("--line", "ml.c5.large1=600", "--profile", RAMP), "did you mean ml.c5.large?"),
        (("--line", "600", "--profile", "ramp(0, 1, 1)"), "is not a"),
        (("--line", "600", "--profile", RAMP, "--quota", "3"), "quota of 3 ml.c5.large"),
        (("--line", "600", "--profile", RAMP, "--margin", "x"), "'x' is not a percentage"),
        (("--line", "600", "--profile", RAMP, "--prices", "none.toml"), "cannot read the prices"),
        (("--line", "600", "--trace", "none.csv"), "cannot read the trace none.csv"),
    ],
)
def test_misuse_is_refused_in_words(arguments: tuple[str, ...], says: str):
    assert says in fault_of("plan", *arguments)


def test_prices_are_shown_as_a_table_and_as_json():
    table = ran("prices").stdout
    assert "instance.ml.c5.large" in table
    assert "unconfirmed" in table
    document = json.loads(ran("prices", "--json").stdout)
    assert document["types"]["ml.c5.large"]["usd_per_hour"] == "0.102"


def test_a_refresh_of_a_type_that_is_not_known_is_refused():
    assert "does not know ml.x9.large" in fault_of(
        "prices", "refresh", "--type", "ml.x9.large", "-o", "new.toml"
    )


def test_a_refresh_writes_a_file_that_a_plan_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The client is a hand-written one that answers in the recorded shape."""
    monkeypatch.setattr("tonnage.cli.prices.price_list_client", _OnePrice)
    result = ran("prices", "refresh", "--type", "ml.c5.large", "-o", "new.toml", "--json")
    assert json.loads(result.stdout)["changed"] == {"ml.c5.large": {"from": "0.102", "to": "0.204"}}
    shown = json.loads(ran("prices", "--prices", "new.toml", "--json").stdout)
    assert shown["types"]["ml.c5.large"]["usd_per_hour"] == "0.204"


class _OnePrice:
    """Answers every question with one price."""

    def get_products(self, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 (boto3's own)
        wanted = {item["Field"]: item["Value"] for item in arguments["Filters"]}
        dimension = {"unit": "Hrs", "pricePerUnit": {"USD": "0.2040000000"}}
        product = {
            "product": {"attributes": {"instanceName": wanted["instanceName"]}},
            "terms": {"OnDemand": {"T": {"priceDimensions": {"D": dimension}}}},
        }
        return {"PriceList": [json.dumps(product)]}
