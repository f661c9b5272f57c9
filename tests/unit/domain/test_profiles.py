"""
Rate profiles: their integral, its inverse, how they are written and how traces are read.
"""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.domain import (
    PROFILE_FORMS,
    ConfigurationError,
    FleetTimeline,
    PiecewiseRate,
    RateProfile,
    RunRecord,
    Samples,
    Sine,
    join_profiles,
    parse_profile,
    read_trace,
    record_profile,
)

RAMP = PiecewiseRate.ramp(0, 1000, 1000)

RATES = st.floats(0, 1e5)
SECONDS = st.floats(0.01, 1e5)


@st.composite
def piecewise(draw: st.DrawFn) -> PiecewiseRate:
    spans = draw(st.lists(SECONDS, min_size=1, max_size=6))
    rates = st.lists(RATES, min_size=len(spans), max_size=len(spans))
    return PiecewiseRate(
        knots_seconds=np.concatenate(([0.0], np.cumsum(spans))),
        start_per_second=np.array(draw(rates)),
        end_per_second=np.array(draw(rates)),
    )


@st.composite
def sines(draw: st.DrawFn) -> Sine:
    mean = draw(st.floats(0.1, 1e5))
    return Sine(
        mean_per_second=mean,
        amplitude_per_second=mean * draw(st.floats(0, 1)),
        period_seconds=draw(SECONDS),
        duration_seconds=draw(SECONDS),
    )


PROFILES = st.lists(piecewise() | sines(), min_size=1, max_size=3).map(
    lambda parts: join_profiles(*parts)
)


def test_a_ramp_has_the_rate_of_its_slope():
    assert RAMP.rate_at([0, 250, 1000]) == pytest.approx([0, 250, 1000])
    assert RAMP.arrivals_by([0, 500, 1000]) == pytest.approx([0, 125_000, 500_000])
    assert RAMP.time_of([0, 125_000, 500_000]) == pytest.approx([0, 500, 1000])


def test_a_step_has_its_new_rate_at_the_moment_it_jumps():
    steps = PiecewiseRate.steps([100, 200, 300], 60)
    assert steps.rate_at([0, 59.999, 60, 180]) == pytest.approx([100, 100, 200, 300])
    assert steps.arrivals_by([60, 90, 180]) == pytest.approx([6000, 12_000, 36_000])


def test_outside_a_profile_nothing_arrives():
    assert RAMP.rate_at([-1, 1001]) == pytest.approx([0, 0])
    assert RAMP.arrivals_by([-1, 2000]) == pytest.approx([0, 500_000])
    assert RAMP.time_of([500_001])[0] == np.inf


def test_a_spike_returns_to_its_base():
    spike = PiecewiseRate.spike(10, 500, start_seconds=60, length_seconds=30, duration_seconds=120)
    assert spike.rate_at([0, 60, 89, 90, 120]) == pytest.approx([10, 500, 500, 10, 10])


def test_a_sine_has_its_mean_over_whole_periods():
    sine = Sine(
        mean_per_second=100, amplitude_per_second=100, period_seconds=60, duration_seconds=120
    )
    assert sine.arrivals_by([60, 120]) == pytest.approx([6000, 12_000])
    assert sine.rate_at([15, 45]) == pytest.approx([200, 0])


def test_arrivals_wait_for_a_rate_above_zero():
    late = PiecewiseRate.steps([0, 1], 10)
    assert late.time_of([0, 0.5, 10]) == pytest.approx([0, 10.5, 20])


@given(profile=PROFILES, share=st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_time_of_is_the_inverse_of_arrivals_by(profile: RateProfile, share: list[float]):
    total = float(profile.arrivals_by(profile.duration_seconds))
    counts = total * np.array(share)
    moments = profile.time_of(counts)
    assert (moments <= profile.duration_seconds * (1 + 1e-9)).all()
    assert profile.arrivals_by(moments) == pytest.approx(counts, rel=1e-6, abs=1e-6 * (1 + total))


@given(profile=PROFILES)
def test_arrivals_are_the_integral_of_the_rate(profile: RateProfile):
    duration = profile.duration_seconds
    edges = np.linspace(0, duration, 4001)
    middle = (edges[1:] + edges[:-1]) / 2
    highest = profile.rate_at(np.concatenate((edges, middle))).max()
    if isinstance(profile, PiecewiseRate):  # a narrow piece may lie between two of these moments
        highest = max(profile.start_per_second.max(), profile.end_per_second.max())
    sums = np.concatenate(([0.0], np.cumsum(profile.rate_at(middle) * duration / 4000)))
    if isinstance(profile, PiecewiseRate):  # a fast sine needs finer steps than these
        assert profile.arrivals_by(edges) == pytest.approx(sums, abs=highest * duration / 500)
    assert (np.diff(profile.arrivals_by(edges)) >= -1e-9 * (1 + highest * duration)).all()


@given(first=piecewise(), second=piecewise() | sines())
def test_a_joined_profile_is_one_after_the_other(first: PiecewiseRate, second: RateProfile):
    joined = first.then(second)
    shift, moment = first.duration_seconds, second.duration_seconds / 3
    assert joined.duration_seconds == pytest.approx(shift + second.duration_seconds)
    total = first.arrivals_by(shift) + second.arrivals_by(moment)
    assert joined.arrivals_by(shift + moment) == pytest.approx(total, rel=1e-6, abs=1e-3)


@pytest.mark.parametrize(
    ("text", "profile"),
    [
        ("ramp(0/s, 1000/s, 1000s)", RAMP),
        ("constant(600/s, 60s)", PiecewiseRate.constant(600, 60)),
        ("steps(100/s, 200/s, 300/s, 60s)", PiecewiseRate.steps([100, 200, 300], 60)),
        (
            " spike(60/min,500/s , 60s, 30s, 2m)",
            PiecewiseRate.spike(
                1, 500, start_seconds=60, length_seconds=30, duration_seconds=120
            ),
        ),
        (
            "sine(100/s, 50/s, 1d, 7d)",
            Sine(
                mean_per_second=100,
                amplitude_per_second=50,
                period_seconds=86_400,
                duration_seconds=604_800,
            ),
        ),
        ("ramp(0/s, 9/s, 1m) then constant(9/s, 1m)", PiecewiseRate.ramp(0, 9, 60).then(
            PiecewiseRate.constant(9, 60)
        )),
    ],
)  # fmt: skip
def test_a_written_profile_is_read(text: str, profile: RateProfile):
    read = parse_profile(text)
    moments = np.linspace(0, profile.duration_seconds, 101)
    assert read.duration_seconds == profile.duration_seconds
    assert read.arrivals_by(moments) == pytest.approx(profile.arrivals_by(moments))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "''"),
        ("600/s", "'600/s'"),
        ("surge(1/s, 60s)", "'surge(1/s, 60s)'"),
        ("constant(600, 60s)", "'600' is not a rate"),
        ("constant(-1/s, 60s)", "'-1/s' is not a rate"),
        ("constant(600/s, 60)", "'60' is not a duration"),
        ("constant(600/s, 0s)", "times must begin at 0 and increase"),
        ("ramp(0/s, 10s)", "2 arguments, ramp takes 3"),
        ("steps(60s)", "1 arguments, steps takes two or more"),
        ("spike(1/s, 2/s, 60s, 60s, 90s)", "must lie within"),
        ("sine(10/s, 20/s, 60s, 60s)", "amplitude"),
        ("constant(1/s, 60s) then", "'constant(1/s, 60s) then'"),
        ("constant(1/s, 60s) then ramp(0/s, x, 1s)", "'ramp(0/s, x, 1s)'"),
    ],
)
def test_a_faulty_profile_is_named_and_the_forms_are_shown(text: str, part: str):
    with pytest.raises(ConfigurationError) as refusal:
        parse_profile(text)
    assert part in refusal.value.message
    assert refusal.value.hint is not None
    assert all(form in refusal.value.hint for form in PROFILE_FORMS)


@given(text=st.text() | st.text(st.sampled_from("constaramp(0/s, 1000/s, 1000s) then nan1e9")))
def test_junk_raises_only_configuration_error(text: str):
    try:
        profile = parse_profile(text)
    except ConfigurationError:
        return
    assert profile.duration_seconds > 0


@pytest.mark.parametrize(
    ("knots", "rates"),
    [
        ([0, 10], [-1]),
        ([0, 10], [np.nan]),
        ([0, 10], [np.inf]),
        ([0, 10, 10], [1, 1]),
        ([0, 10, 5], [1, 1]),
        ([1, 10], [1]),
        ([0, np.nan], [1]),
        ([0], []),
        ([0, 10], [1, 1]),
    ],
)
def test_impossible_rates_and_times_are_refused(knots: list[float], rates: list[float]):
    with pytest.raises(ConfigurationError):
        PiecewiseRate.held(np.array(knots, dtype=float), np.array(rates, dtype=float))


def trace(directory: Path, text: str) -> Path:
    path = directory / "trace.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_row_of_a_trace_holds_until_the_next(tmp_path: Path):
    read = read_trace(trace(tmp_path, "time_seconds,rate_per_second\n0,10\n60,20\n90,5\n"))
    assert read.rate_at([0, 59, 60, 89, 90]) == pytest.approx([10, 10, 20, 20, 5])


def test_the_last_row_holds_as_long_as_the_one_before(tmp_path: Path):
    read = read_trace(trace(tmp_path, "time_seconds,rate_per_second\n0,10\n60,20\n90,5\n"))
    assert read.duration_seconds == 120


def test_a_last_row_without_a_rate_ends_the_trace(tmp_path: Path):
    read = read_trace(trace(tmp_path, "time_seconds,rate_per_second\n0,10\n60,\n"))
    assert read.duration_seconds == 60
    assert len(read.gaps_seconds) == 0


def test_rows_without_a_rate_are_a_gap(tmp_path: Path):
    text = "time_seconds,rate_per_second\n0,10\n60,\n120,\n180,5\n240,\n250,5\n"
    read = read_trace(trace(tmp_path, text))
    assert read.gaps_seconds.tolist() == [[60, 180], [240, 250]]
    assert read.rate_at([60, 200, 245]) == pytest.approx([0, 5, 0])


def test_a_trace_begins_at_its_first_row(tmp_path: Path):
    text = "time_seconds,rate_per_second\n1700000000,10\n1700000060,20\n"
    assert read_trace(trace(tmp_path, text)).duration_seconds == 120


def test_other_columns_blank_lines_and_windows_line_ends_do_no_harm(tmp_path: Path):
    text = '\ufeffnote,rate_per_second,time_seconds\r\n\r\n"a, b",10,0\r\nc,,60\r\nd,20,120\r\n'
    read = read_trace(trace(tmp_path, text))
    assert read.duration_seconds == 180
    assert read.gaps_seconds.tolist() == [[60, 120]]


@pytest.mark.parametrize(
    ("rows", "part"),
    [
        ("0,10\n60,-1\n", "line 3, column rate_per_second: a rate must be 0 or more, not -1"),
        ("0,10\n60,nan\n", "line 3, column rate_per_second: 'nan' is not a number"),
        ("0,10\n60,inf\n", "line 3, column rate_per_second: 'inf' is not a number"),
        ("0,10\n60,600/s\n", "line 3, column rate_per_second: '600/s' is not a number"),
        ("0,10\n,20\n", "line 3, column time_seconds: '' is not a number"),
        ("0,10\n60,20\n30,5\n", "line 4, column time_seconds: 30 does not come after 60"),
        ("0,10\n0,20\n", "line 3, column time_seconds: 0 does not come after 0"),
        ("0,10\n60\n", "line 3: 1 columns, the first line has 2"),
        ("0,10\n60,1,2\n", "line 3: 3 columns, the first line has 2"),
        ("0,10\n", "1 rows"),
        ("", "0 rows"),
        ("0,\n60,\n", "no rate at all"),
        ("0,10\n\n60,x\n", "line 4, column rate_per_second: 'x' is not a number"),
    ],
)
def test_a_faulty_trace_names_line_and_column(tmp_path: Path, rows: str, part: str):
    with pytest.raises(ConfigurationError) as refusal:
        read_trace(trace(tmp_path, "time_seconds,rate_per_second\n" + rows))
    assert part in refusal.value.message


@pytest.mark.parametrize("header", ["", "time,rate", "time_seconds,rate_per_minute", "0,10"])
def test_a_trace_in_other_columns_is_told_which_it_needs(tmp_path: Path, header: str):
    with pytest.raises(ConfigurationError) as refusal:
        read_trace(trace(tmp_path, header + "\n0,10\n60,20\n"))
    assert refusal.value.hint is not None
    assert "time_seconds,rate_per_second" in refusal.value.hint


def test_a_trace_that_is_no_text_or_not_there_is_refused(tmp_path: Path):
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x01")
    for name in ("binary.csv", "none.csv"):
        with pytest.raises(ConfigurationError, match=name):
            read_trace(tmp_path / name)


@given(body=st.text(st.sampled_from('0123456789.,\n\r"eE-+n ai\x00'), max_size=60))
def test_junk_in_a_trace_raises_only_configuration_error(
    tmp_path_factory: pytest.TempPathFactory, body: str
):
    path = tmp_path_factory.getbasetemp() / "junk.csv"
    path.write_text("time_seconds,rate_per_second\n" + body, encoding="utf-8", newline="")
    try:
        profile = read_trace(path)
    except ConfigurationError:
        return
    assert profile.duration_seconds > 0


def test_a_run_record_offers_what_was_sent():
    sends = np.concatenate((np.linspace(0, 0.999, 10), np.linspace(1, 1.999, 30)))
    record = RunRecord(
        name="run",
        title="A run",
        started_at_epoch_seconds=0,
        duration_seconds=2,
        samples=Samples(
            intended_seconds=sends,
            sent_seconds=sends,
            done_seconds=sends,
            status=np.full(40, 200, dtype=np.uint16),
        ),
        fleet=FleetTimeline(time_scale=20),
    )
    profile = record_profile(record)
    assert profile.duration_seconds == 40
    assert profile.rate_at([0, 19, 20, 39]) == pytest.approx([10, 10, 30, 30])
