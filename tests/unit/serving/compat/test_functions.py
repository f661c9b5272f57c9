"""
Functions are called with what they take, in the toolkit's order.
"""

from pathlib import Path
from typing import Any

import pytest

from tonnage.domain import ConfigurationError
from tonnage.serving.compat import Context, InvocationError
from tonnage.serving.compat._errors import UnsupportedFormatError
from tonnage.serving.compat._functions import chosen_functions

MODEL_DIR = Path("model")


def model_fn(model_dir: str) -> str:
    return f"model in {model_dir}"


def invoke(written: dict[str, Any], body: bytes = b"[1]", handler: object = None) -> object:
    functions = chosen_functions({"model_fn": model_fn, **written}, handler)
    context = Context(MODEL_DIR)
    model = functions.load(MODEL_DIR, context)
    return functions.invoke(model, body, "application/json", "text/csv", context)


def test_the_three_steps_get_what_the_toolkit_gives_them():
    result = invoke(
        {
            "input_fn": lambda data, content_type: ("data", data, content_type),
            "predict_fn": lambda data, model: ("prediction", data, model),
            "output_fn": lambda prediction, accept: (prediction, accept),
        }
    )
    data = ("data", "[1]", "application/json")
    assert result == (("prediction", data, "model in model"), "text/csv")


def test_transform_fn_gets_everything_at_once():
    result = invoke({"transform_fn": lambda *everything: everything}, handler=None)
    assert result == ("model in model", "[1]", "application/json", "text/csv")


def test_one_argument_more_is_the_context():
    seen = []

    def transform_fn(
        model: str, data: str, content_type: str, accept: str, context: Context
    ) -> str:
        seen.append(context)
        return "done"

    def with_context(model_dir: str, context: Context) -> str:
        seen.append(context)
        return "model"

    invoke({"model_fn": with_context, "transform_fn": transform_fn})
    assert [type(context) for context in seen] == [Context, Context]


def test_one_argument_more_with_a_default_is_the_context_too():
    given = invoke(
        {
            "predict_fn": lambda data, model, context=None: context,
            "output_fn": lambda prediction, accept: prediction,
        }
    )
    assert isinstance(given, Context)


def test_further_arguments_with_defaults_are_left_alone():
    given = invoke(
        {
            "predict_fn": lambda data, model, scale=2, shift=3: (scale, shift),
            "output_fn": lambda prediction, accept: prediction,
        }
    )
    assert given == (2, 3)


def test_a_function_that_cannot_be_called_is_named_before_the_first_request():
    with pytest.raises(ConfigurationError, match=r"predict_fn\(data\)"):
        chosen_functions({"model_fn": model_fn, "predict_fn": lambda data: data})


@pytest.mark.parametrize("step", ["input_fn", "predict_fn", "output_fn"])
def test_transform_fn_with_a_step_of_it_is_an_error(step: str):
    written = {"transform_fn": lambda *a: a, step: lambda a, b: a}
    with pytest.raises(ConfigurationError, match=f"transform_fn .* {step}"):
        chosen_functions({"model_fn": model_fn, **written})


def test_without_model_fn_loading_says_what_to_write():
    functions = chosen_functions({"predict_fn": lambda data, model: data})
    with pytest.raises(NotImplementedError, match="model_fn"):
        functions.load(MODEL_DIR, Context(MODEL_DIR))


def test_hooks_run_around_loading():
    seen: list[Any] = []
    functions = chosen_functions(
        {
            "pre_model_fn": lambda model_dir: seen.append(("before", model_dir)),
            "model_fn": lambda model_dir: seen.append("load") or "model",
            "model_warmup_fn": lambda model_dir, model: seen.append(("after", model)),
        }
    )
    functions.load(MODEL_DIR, Context(MODEL_DIR))
    assert seen == [("before", "model"), "load", ("after", "model")]


class Doubling:
    """A handler object that leaves reading and writing to the defaults."""

    def default_model_fn(self, model_dir: str) -> int:
        return 2

    def default_predict_fn(self, data: object, model: int, context: Context) -> object:
        return data * model


def test_a_handler_object_is_completed_by_the_defaults():
    functions = chosen_functions({}, Doubling())
    context = Context(MODEL_DIR)
    model = functions.load(MODEL_DIR, context)
    result = functions.invoke(model, b"1,2", "text/csv", "text/csv", context)
    assert result == ("2.0,4.0\n", "text/csv")


def test_what_input_fn_does_not_read_is_a_415():
    def refuse(data: object, content_type: str) -> object:
        raise UnsupportedFormatError(content_type)

    with pytest.raises(InvocationError) as refused:
        invoke({"input_fn": refuse})
    assert refused.value.status == 415


def test_what_output_fn_does_not_write_is_a_406():
    def refuse(prediction: object, accept: str) -> object:
        raise UnsupportedFormatError(accept)

    with pytest.raises(InvocationError) as refused:
        invoke({"predict_fn": lambda data, model: data, "output_fn": refuse})
    assert refused.value.status == 406


@pytest.mark.parametrize(("refused_type", "status"), [("text/csv", 406), ("application/json", 415)])
def test_what_transform_fn_refuses_is_known_by_its_name(refused_type: str, status: int):
    def transform_fn(model: object, data: object, content_type: str, accept: str) -> object:
        raise UnsupportedFormatError(refused_type)

    with pytest.raises(InvocationError) as refused:
        invoke({"transform_fn": transform_fn})
    assert refused.value.status == status
