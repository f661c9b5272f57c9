"""
An endpoint's options travel to another process as JSON.
"""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tonnage.emulator import (
    EndpointOptions,
    Fault,
    FaultAction,
    LocalOptions,
    ScalingOptions,
    TemplateOptions,
    UpOptions,
)
from tonnage.serving import InstanceCapacity

positive = st.floats(min_value=1e-9, max_value=1e12)
seconds = st.floats(min_value=0, max_value=1e9)
names = st.text(min_size=1, max_size=63)
options = st.builds(
    UpOptions,
    artefact=st.text(
        alphabet=st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1
    ).map(lambda name: Path("a") / name),
    endpoint=st.builds(
        EndpointOptions,
        endpoint_name=names,
        variant_name=names,
        initial_instance_count=st.integers(1, 100),
        route=names,
    ),
    scaling=st.none()
    | st.builds(
        ScalingOptions,
        policy_name=names,
        min_capacity=st.integers(1, 10),
        max_capacity=st.integers(10, 100),
        target_value=positive,
        scale_in_cooldown_seconds=seconds,
        scale_out_cooldown_seconds=seconds,
    ),
    local=st.builds(
        LocalOptions,
        capacity=st.none()
        | st.builds(InstanceCapacity, rate_per_second=positive, queue_seconds=seconds),
        provisioning_delay_seconds=seconds,
        metric_delay_seconds=seconds,
        time_scale=positive,
        max_body_bytes=st.integers(1, 2**40),
        seed=st.integers(0, 2**31),
    ),
    faults=st.lists(
        st.builds(
            Fault,
            action=st.sampled_from(FaultAction),
            at_seconds=seconds,
            endpoint=st.none() | names,
            instance=st.integers(0, 9) | st.just("all"),
        ),
        max_size=3,
    ).map(tuple),
    template=st.none()
    | st.builds(
        TemplateOptions,
        file=st.just(Path("a.template.json")),
        model_data=st.dictionaries(names, st.just(Path("artefact")), max_size=2),
        parameters=st.dictionaries(names, names, max_size=2),
    ),
    host=names,
    port=st.integers(0, 65535),
)


@given(options)
def test_reading_what_was_written_is_the_identity(whole: UpOptions):
    assert UpOptions.from_json(whole.to_json()) == whole


def test_the_defaults_are_awss_or_this_machines():
    given_least = UpOptions(artefact=Path("a"), endpoint=EndpointOptions(endpoint_name="e"))
    assert given_least.scaling is None
    assert given_least.host == "127.0.0.1"
    assert given_least.local.capacity is None
    assert given_least.local.time_scale == 1.0


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"artefact": 1}'])
def test_what_are_no_options_is_refused(text: str):
    with pytest.raises(ValidationError):
        UpOptions.from_json(text)
