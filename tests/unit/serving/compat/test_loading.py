"""
A model's directory is looked at, and its program becomes a handler, in every form it comes in.
"""

import importlib
import os
from collections.abc import Callable
from pathlib import Path

import joblib
import pytest

from tonnage.domain import ArtefactError, ConfigurationError, ModelLoadError
from tonnage.http import Request, Response
from tonnage.serving.compat import (
    HandlerOptions,
    HandlerSource,
    LoadedHandler,
    find_handler,
    handler_options,
    install_stand_in,
    load_handler,
    opened,
)
from tonnage.serving.compat._opt_ml import lead_to

WriteModel = Callable[..., Path]


class Adder:
    """A model that needs no library."""

    def predict(self, rows: list[list[float]]) -> list[float]:
        return [sum(row) for row in rows]


def found(directory: Path, **options: object) -> HandlerSource:
    source = find_handler(directory, HandlerOptions(**options))
    assert source is not None
    return source


def ask(handler: LoadedHandler, body: bytes = b"[[1, 2]]", **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(method="POST", target="/invocations", headers=named, body=body)
    return handler.respond(request)


FUNCTIONS = """
    import helper

    def model_fn(model_dir):
        return helper.Adder(model_dir)
"""
HELPER = """
    class Adder:
        def __init__(self, model_dir):
            self.model_dir = model_dir

        def predict(self, rows):
            return rows.sum(axis=1)
"""
CLASS = """
    from sagemaker_inference import content_types, decoder, encoder
    from sagemaker_inference.default_inference_handler import DefaultInferenceHandler
    from sagemaker_inference.errors import UnsupportedFormatError

    class InferenceHandler(DefaultInferenceHandler):
        def default_model_fn(self, model_dir):
            with open("/opt/ml/model/offset.txt") as file:
                return file.read()

        def default_input_fn(self, input_data, content_type):
            if content_type != content_types.JSON:
                raise UnsupportedFormatError(content_type)
            return decoder.decode(input_data, content_type)

        def default_predict_fn(self, data, model):
            return data.sum() + float(model)

        def default_output_fn(self, prediction, accept):
            return encoder.encode(prediction, accept)
"""
SERVICE = """
    from inference_handler import InferenceHandler
    from sagemaker_inference.default_handler_service import DefaultHandlerService
    from sagemaker_inference.transformer import Transformer

    class HandlerService(DefaultHandlerService):
        def __init__(self):
            super().__init__(transformer=Transformer(default_inference_handler=InferenceHandler()))

    service = HandlerService()

    def handle(data, context):
        if data is None:
            return None
        return service.handle(data, context)
"""


def test_functions_are_run_and_import_what_lies_beside_them(write_model: WriteModel):
    directory = write_model(inference=FUNCTIONS, helper=HELPER)
    handler = load_handler(found(directory))
    assert handler.model.model_dir == str(directory)
    assert ask(handler).body == b"[3]"
    assert ask(handler, b"1,2", content_type="text/csv").body == b"[3.0]"
    assert not list(directory.rglob("__pycache__"))


@pytest.mark.parametrize("code", [{}, {"handler_service": SERVICE}], ids=["class", "service"])
def test_the_toolkits_handler_object_runs_as_it_is(
    code: dict[str, str], write_model: WriteModel, tmp_path: Path
):
    """It imports sagemaker_inference, which is not installed, and names /opt/ml/model."""
    directory = write_model(inference_handler=CLASS, **code)
    (directory / "offset.txt").write_text("0.5")
    handler = load_handler(found(directory))
    assert ask(handler).body == b"3.5"
    assert ask(handler).content_type == "application/json"
    assert ask(handler, content_type="text/csv").status == 415
    assert ask(handler, accept="text/html").status == 406


def test_inference_py_comes_before_the_others(write_model: WriteModel):
    directory = write_model(inference=FUNCTIONS, helper=HELPER, inference_handler=CLASS)
    source = found(directory)
    assert source.program == directory / "code" / "inference.py"


def test_a_program_of_another_name_is_asked_for(write_model: WriteModel):
    directory = write_model(inference=FUNCTIONS, mine=FUNCTIONS)
    assert found(directory, program="mine.py").program == directory / "code" / "mine.py"
    with pytest.raises(ConfigurationError, match="SAGEMAKER_PROGRAM"):
        find_handler(directory, HandlerOptions(program="yours.py"))


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("x = 1", "no handler"),
        (
            "class A:\n  def default_model_fn(self, d): ...\nclass B(A): ...\nclass C(A): ...",
            "several",
        ),
        ("def model_fn(): ...", "model_fn"),
        ("def model_fn(d): ...\ntransform_fn = input_fn = print", "transform_fn"),
    ],
)
def test_a_program_that_is_no_handler_says_so(code: str, fault: str, write_model: WriteModel):
    with pytest.raises(ConfigurationError, match=fault):
        load_handler(found(write_model(inference=code)))


def test_a_program_that_does_not_import_says_why(write_model: WriteModel):
    with pytest.raises(ModelLoadError, match="no_such_library"):
        load_handler(found(write_model(inference="import no_such_library")))


def test_a_pickle_alone_is_opened_only_with_leave(tmp_path: Path):
    joblib.dump(Adder(), tmp_path / "model.joblib")
    with pytest.raises(ArtefactError, match="whatever code"):
        find_handler(tmp_path, HandlerOptions())
    handler = load_handler(found(tmp_path, allow_pickle=True))
    assert ask(handler, b"[[1, 2], [3, 4]]").body == b"[3, 7]"


def test_an_artefact_and_an_empty_directory_hold_no_handler(tmp_path: Path):
    assert find_handler(tmp_path, HandlerOptions()) is None
    assert find_handler(tmp_path / "missing", HandlerOptions()) is None
    (tmp_path / "inference.py").touch()
    (tmp_path / "manifest.json").touch()
    assert find_handler(tmp_path, HandlerOptions()) is None


def test_an_archive_is_extracted_for_as_long_as_it_is_used(write_model: WriteModel, tmp_path: Path):
    import tarfile

    directory = write_model(inference=FUNCTIONS, helper=HELPER)
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        tar.add(directory, arcname=".")
    with opened(tmp_path / "model.tar.gz") as extracted:
        assert found(extracted).program == extracted / "code" / "inference.py"
    assert not extracted.exists()
    with opened(directory) as same:
        assert same == directory
    assert directory.exists()


def test_the_environment_says_how_a_handler_runs(tmp_path: Path):
    options = handler_options(
        {
            "SAGEMAKER_PROGRAM": "mine.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": str(tmp_path),
            "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv",
            "SAGEMAKER_MODEL_SERVER_TIMEOUT": "7",
        }
    )
    assert options == HandlerOptions(
        program="mine.py",
        code_directory=tmp_path,
        default_accept="text/csv",
        timeout_seconds=7.0,
    )
    assert handler_options({"SAGEMAKER_PROGRAM": ""}) == HandlerOptions()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SAGEMAKER_SUBMIT_DIRECTORY", "s3://bucket/sourcedir.tar.gz"),
        ("SAGEMAKER_MODEL_SERVER_TIMEOUT", "soon"),
        ("SAGEMAKER_MODEL_SERVER_TIMEOUT", "0"),
    ],
)
def test_an_environment_that_cannot_be_is_named(name: str, value: str):
    with pytest.raises(ConfigurationError, match=name):
        handler_options({name: value})


def test_the_stand_in_leaves_a_real_package_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "sagemaker_inference").mkdir()
    (tmp_path / "sagemaker_inference" / "__init__.py").write_text("is_real = True")
    monkeypatch.syspath_prepend(tmp_path)
    assert not install_stand_in()
    assert importlib.import_module("sagemaker_inference").is_real


def test_the_stand_in_has_what_handlers_import():
    assert install_stand_in()
    errors = importlib.import_module("sagemaker_inference.errors")
    utils = importlib.import_module("sagemaker_inference.utils")
    assert issubclass(errors.GenericInferenceToolkitError, errors.BaseInferenceToolkitError)
    assert utils.retrieve_content_type_header({"ContentType": "text/csv"}) == "text/csv"
    assert utils.remove_crlf("a\r\nb") == "a  b"


def test_a_path_that_does_not_exist_leads_to_the_models_directory(tmp_path: Path):
    model, prefix = tmp_path / "model", tmp_path / "opt" / "ml" / "model"
    model.mkdir()
    (model / "a.txt").write_text("content")
    assert lead_to(model, prefix=prefix)
    with open(f"{prefix}/a.txt") as file:  # noqa: PTH123 (the door that is tested)
        assert file.read() == "content"
    with open(file=prefix / "a.txt") as file:  # noqa: PTH123
        assert file.read() == "content"
    assert (prefix / "a.txt").read_text() == "content"
    assert os.listdir(prefix) == ["a.txt"]  # noqa: PTH208
    assert prefix.is_dir()
    assert not Path(f"{prefix}-other").exists()


def test_a_path_that_exists_leads_where_it_leads(tmp_path: Path):
    assert not lead_to(tmp_path / "model", prefix=tmp_path)
