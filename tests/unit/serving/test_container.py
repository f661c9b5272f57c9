"""
What the container reads of its environment, and how it logs.
"""

import json
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.domain import ConfigurationError
from tonnage.serving._json_logs import JsonLines
from tonnage.serving.container import ContainerOptions, container_options

VARIABLES = (
    "SAGEMAKER_BASE_DIR",
    "SAGEMAKER_BIND_TO_PORT",
    "SAGEMAKER_CONTAINER_LOG_LEVEL",
    "SAGEMAKER_MAX_PAYLOAD_IN_MB",
    "SAGEMAKER_MODEL_SERVER_WORKERS",
    "SAGEMAKER_MULTI_MODEL",
)


def test_an_empty_environment_is_the_contracts_defaults():
    options = container_options({})
    assert options == ContainerOptions()
    assert (options.model, options.port, options.workers) == (Path("/opt/ml/model"), 8080, None)
    assert options.log_level == logging.INFO


def test_an_empty_variable_counts_as_unset():
    assert container_options(dict.fromkeys(VARIABLES, "")) == ContainerOptions()


def test_every_variable_has_its_say():
    options = container_options(
        {
            "SAGEMAKER_BASE_DIR": "/srv",
            "SAGEMAKER_BIND_TO_PORT": "9104",
            "SAGEMAKER_SAFE_PORT_RANGE": "9105-9110",
            "SAGEMAKER_CONTAINER_LOG_LEVEL": "0",
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": "20",
            "SAGEMAKER_MODEL_SERVER_WORKERS": " 3 ",
            "SAGEMAKER_MULTI_MODEL": "false",
        }
    )
    assert options.model == Path("/srv/model")
    assert options.port == 9104
    assert options.log_level == 0
    assert options.worker.max_body_bytes == 20 * 1024 * 1024
    assert options.workers == 3


@pytest.mark.parametrize(("text", "may"), [("", False), ("false", False), ("true", True)])
def test_a_pickle_is_opened_only_where_the_environment_says_so(text: str, *, may: bool):
    options = container_options({"TONNAGE_SERVING_ALLOW_PICKLE": text})
    assert options.handler.allow_pickle is may


@pytest.mark.parametrize("name", VARIABLES[1:-1])
@pytest.mark.parametrize("text", ["-1", "1.5", "auto", "99999999999999999999999", "²", "0x10"])
def test_a_number_that_cannot_be_is_named_with_its_value(name: str, text: str):
    with pytest.raises(ConfigurationError, match=f"^{name} is '{text}'") as caught:
        container_options({name: text})
    assert caught.value.hint


def test_many_models_in_one_container_are_refused():
    with pytest.raises(ConfigurationError, match="SAGEMAKER_MULTI_MODEL"):
        container_options({"SAGEMAKER_MULTI_MODEL": "true"})


@given(st.dictionaries(st.sampled_from(VARIABLES), st.text()))
def test_whatever_the_environment_says_only_the_documented_fault_comes_out(
    environment: dict[str, str],
):
    try:
        options = container_options(environment)
    except ConfigurationError:
        return
    assert 1 <= options.port <= 65535
    assert options.workers is None or options.workers >= 1


def test_a_log_record_is_one_line_of_json_with_what_it_carries():
    record = logging.makeLogRecord(
        {"name": "a.b", "levelname": "INFO", "msg": "%d\nlines", "args": (2,), "port": 8080}
    )
    line = JsonLines().format(record)
    assert "\n" not in line
    described = json.loads(line)
    assert (described["message"], described["port"]) == ("2\nlines", 8080)
    assert set(described) == {
        "time",
        "level",
        "logger",
        "process_id",
        "message",
        "port",
    }


def test_a_log_record_holds_its_trace():
    with pytest.raises(ConfigurationError) as caught:
        container_options({"SAGEMAKER_MULTI_MODEL": "1"})
    record = logging.makeLogRecord({"exc_info": (caught.type, caught.value, caught.tb)})
    trace = json.loads(JsonLines().format(record))["trace"]
    assert trace.startswith("Traceback")
    assert "SAGEMAKER_MULTI_MODEL is set" in trace


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, 60),
        ({"SAGEMAKER_MODEL_SERVER_TIMEOUT": "7"}, 7),
        ({"SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS": "5"}, 5),
        (
            {
                "SAGEMAKER_MODEL_SERVER_TIMEOUT": "7",
                "SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS": "5",
            },
            5,
        ),
        (
            {"SAGEMAKER_MODEL_SERVER_TIMEOUT": "7", "SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS": ""},
            7,
        ),
    ],
)
def test_one_deadline_holds_for_artefacts_and_handlers(environment: dict[str, str], seconds: float):
    options = container_options(environment)
    assert options.worker.batching.deadline_seconds == seconds
    assert options.handler.timeout_seconds == seconds


@pytest.mark.parametrize(
    "name", ["SAGEMAKER_MODEL_SERVER_TIMEOUT", "SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS"]
)
@pytest.mark.parametrize("text", ["0", "-1", "1.5", "soon", "²", "9" * 30])
def test_a_deadline_that_cannot_be_is_named_with_its_value(name: str, text: str):
    with pytest.raises(ConfigurationError, match=f"^{name} is '{text}'"):
        container_options({name: text})


def test_the_default_format_of_answers_is_taken_from_the_environment():
    options = container_options({"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "Text/CSV"})
    assert options.worker.default_accept == "text/csv"


def test_a_container_logs_each_request_unless_it_is_told_not_to():
    name = "TONNAGE_SERVING_ACCESS_LOG"
    assert container_options({}).worker.access_log
    assert not container_options({name: "false"}).worker.access_log
    with pytest.raises(ConfigurationError, match=f"^{name} is 'maybe'"):
        container_options({name: "maybe"})
