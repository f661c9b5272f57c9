"""
Lists in pages: nothing twice, nothing left out, whatever the order and the size of a page.
"""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.emulator.aws import AwsError
from tonnage.emulator.sagemaker._listing import Listed, page

resources = st.lists(
    st.builds(
        Listed,
        name=st.text("abc-", min_size=1, max_size=4),
        created_epoch_seconds=st.sampled_from([1.0, 1.5, 2.0]),
        summary=st.just({}),
        modified_epoch_seconds=st.sampled_from([2.0, 3.0]),
        status=st.sampled_from(["InService", "Failed"]),
    ),
    max_size=20,
    unique_by=lambda resource: resource.name,
).map(
    lambda listed: [
        Listed(
            name=one.name,
            created_epoch_seconds=one.created_epoch_seconds,
            summary={"Name": one.name},
            modified_epoch_seconds=one.modified_epoch_seconds,
            status=one.status,
        )
        for one in listed
    ]
)


def pages(listed: list[Listed], **parameters: object) -> list[list[str]]:
    found: list[list[str]] = []
    token: dict[str, Any] = {}
    while True:
        answer = page("Them", listed, {**parameters, **token})
        found.append([summary["Name"] for summary in answer["Them"]])
        if "NextToken" not in answer:
            return found
        token = {"NextToken": answer["NextToken"]}


@given(
    resources,
    st.sampled_from(["Name", "CreationTime", "Status"]),
    st.sampled_from(["Ascending", "Descending"]),
    st.integers(1, 5),
)
def test_all_pages_together_are_the_whole_in_order(
    listed: list[Listed], sort_by: str, order: str, size: int
):
    found = pages(listed, SortBy=sort_by, SortOrder=order, MaxResults=size)
    assert all(len(names) == size for names in found[:-1])
    wanted = sorted(listed, key=lambda one: one.key(sort_by), reverse=order == "Descending")
    assert [name for names in found for name in names] == [one.name for one in wanted]


@given(resources, st.text("abc-", max_size=2))
def test_only_what_matches_is_listed(listed: list[Listed], part: str):
    found = page(
        "Them",
        listed,
        {"NameContains": part, "StatusEquals": "InService", "CreationTimeAfter": 1.0},
    )
    names = {summary["Name"] for summary in found["Them"]}
    expected = {
        one.name
        for one in listed
        if part in one.name and one.status == "InService" and one.created_epoch_seconds > 1.0
    }
    assert names <= expected
    assert len(names) == min(10, len(expected))


@pytest.mark.parametrize("token", ["", "nonsense", "bm8=", "WzEsIDJd", "é", "WyJhIl0="])
def test_a_token_of_elsewhere_is_refused(token: str):
    with pytest.raises(AwsError) as caught:
        page("Them", [], {"NextToken": token})
    assert caught.value.code == "ValidationException"


@given(st.text(max_size=30))
def test_whatever_the_token_only_a_refusal_comes_out(token: str):
    with contextlib.suppress(AwsError):
        page("Them", [], {"NextToken": token})
