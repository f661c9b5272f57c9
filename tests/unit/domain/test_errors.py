"""
The error tree, and the one body that every refusal has.
"""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage import domain
from tonnage.domain import ArtefactError, FieldFault, ModelLoadError, TonnageError, error_body

ERRORS = [
    value
    for value in vars(domain).values()
    if isinstance(value, type) and issubclass(value, Exception)
]


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_is_of_the_tree_and_drawn_in_it(error: type[Exception]):
    assert issubclass(error, TonnageError)
    assert error.__name__ in (domain.errors.__doc__ or "")


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_carries_its_message(error: type[TonnageError]):
    assert error("what was seen").message == "what was seen"
    assert str(error("what was seen")) == "what was seen"


def test_a_hint_is_the_next_step():
    assert TonnageError("seen", hint="do this").hint == "do this"
    assert TonnageError("seen").hint is None


def test_a_model_that_does_not_load_is_an_artefact_at_fault():
    assert issubclass(ModelLoadError, ArtefactError)


@given(
    message=st.text(),
    faults=st.lists(st.builds(FieldFault, field=st.text(), message=st.text()), max_size=3),
)
def test_a_refusal_is_one_json_object(message: str, faults: list[FieldFault]):
    error = json.loads(error_body("invalid_payload", message, faults))["error"]
    assert (error["code"], error["message"]) == ("invalid_payload", message)
    named = [(fault["field"], fault["message"]) for fault in error.get("fields", [])]
    assert named == [(fault.field, fault.message) for fault in faults]


def test_a_lone_surrogate_does_not_break_a_refusal():
    assert json.loads(error_body("not_found", "\udcff"))["error"]["message"] == "\udcff"
