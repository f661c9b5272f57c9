"""
Every fault ends with the exit code of the table, in one line and a hint.
"""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import tonnage
from tonnage.cli._faults import EXIT_CODES, exit_code, show
from tonnage.domain import TonnageError, errors

TABLE = {
    "ArtefactError": 1,
    "ModelLoadError": 1,
    "CapacityError": 1,
    "InvalidPayloadError": 1,
    "RecordError": 1,
    "PortInUseError": 1,
    "ConfigurationError": 2,
    "MeasurementError": 4,
    "TransportError": 5,
    "InterruptedRunError": 130,
    "TonnageError": 1,
}
"""By hand, from the exit codes of the command line's design."""


def tree(root: type[TonnageError]) -> Iterator[type[TonnageError]]:
    yield root
    for kind in root.__subclasses__():
        yield from tree(kind)


def everywhere() -> list[type[TonnageError]]:
    """Return the whole tree, with what rooms may add to it."""
    for room in pkgutil.iter_modules(tonnage.__path__, "tonnage."):
        importlib.import_module(room.name)
    return list(dict.fromkeys(tree(TonnageError)))


@pytest.mark.parametrize("kind", everywhere(), ids=lambda kind: kind.__name__)
def test_every_class_of_the_tree_has_an_exit_code_that_is_chosen(kind: type[TonnageError]):
    """Not the root's, which is for what nobody has thought of."""
    chosen = [ancestor for ancestor in kind.__mro__ if ancestor in EXIT_CODES]
    assert chosen[0] is not TonnageError or kind is TonnageError
    assert exit_code(kind.__new__(kind)) == EXIT_CODES[chosen[0]]


@pytest.mark.parametrize(("name", "code"), TABLE.items())
def test_the_table_is_the_designs(name: str, code: int):
    kind = getattr(errors, name)
    assert exit_code(kind("x")) == code


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), OSError("x")])
def test_what_is_no_fault_of_the_tree_has_none(error: Exception):
    """It is a bug, and its trace is what helps."""
    assert exit_code(error) is None


def test_a_fault_is_shown_on_stderr_with_its_hint(capsys: pytest.CaptureFixture[str]):
    show(TonnageError("the port is taken", hint="choose another"))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "error: the port is taken\nhint: choose another\n"


def test_without_a_hint_it_is_one_line(capsys: pytest.CaptureFixture[str]):
    show(TonnageError("the port is taken"))
    assert capsys.readouterr().err == "error: the port is taken\n"
