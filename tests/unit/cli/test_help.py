"""
``tonnage --help`` and each verb's own.
"""

import re

import click
import pytest
from click.testing import CliRunner, Result

from tonnage import __version__
from tonnage.cli import _VERBS, cli
from tonnage.cli._help import LongVerb

SCREEN_LINES = 30
STORY = ["init", "pack", "serve", "up", "load", "line", "rehearse", "report"]


def run(*arguments: str, width: int = 80) -> Result:
    return CliRunner().invoke(
        cli, arguments, prog_name="tonnage", terminal_width=width, catch_exceptions=False
    )


def test_help_lists_every_verb_in_the_order_of_the_story():
    shown = run("--help")
    assert shown.exit_code == 0
    listed = re.findall(r"^  ([a-z]+) {2,}\S", shown.output, re.MULTILINE)
    assert [name for name in listed if name in _VERBS] == list(_VERBS)
    known = [name for name in STORY if name in _VERBS]
    assert known == [name for name in _VERBS if name in STORY]


def test_help_has_the_exit_codes():
    shown = " ".join(run("--help").output.split())
    for code in ("0 done", "1 fault", "2 misuse", "3 objective missed", "130 interrupted"):
        assert code in shown


@pytest.mark.parametrize("verb", list(_VERBS))
@pytest.mark.parametrize("width", [80, 100])
def test_a_verbs_help_fits_and_names_its_example(verb: str, width: int):
    shown = run(verb, "--help", width=width)
    assert shown.exit_code == 0
    assert max(map(len, shown.output.splitlines())) <= width
    words = " ".join(shown.output.split())
    assert re.search(rf"Examples?: tonnage {verb} \S", words)


@pytest.mark.parametrize("verb", list(_VERBS))
def test_a_verbs_help_fits_a_screen_and_ends_in_its_example(verb: str):
    lines = run(verb, "--help").output.splitlines()
    assert len(lines) <= SCREEN_LINES
    last = "\n".join(lines).rpartition("\n\n")[2]
    assert last.lstrip().startswith("Example")


def listed(told: Result) -> int:
    return len(re.findall(r"^  -", told.output, re.MULTILINE))


@pytest.mark.parametrize("verb", list(_VERBS))
def test_all_options_are_listed_on_request(verb: str):
    command = cli.get_command(click.Context(cli), verb)
    assert command is not None
    wanted = {
        name
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for name in parameter.opts
    }
    short = set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", run(verb, "--help").output))
    if not isinstance(command, LongVerb):
        assert wanted <= short
        return
    assert wanted - short
    told = run(verb, "--help-all")
    assert told.exit_code == 0
    assert wanted <= set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", told.output))
    count = re.search(r"List all options: (\d+) more", told.output)
    assert count is not None
    assert int(count[1]) == listed(told) - listed(run(verb, "--help"))


def test_a_common_option_that_is_none_is_refused():
    with pytest.raises(ValueError, match="sails"):
        LongVerb("tow", params=[click.Option(["--rope"])], common=["rope", "sails"])


@pytest.mark.parametrize("verb", list(_VERBS))
def test_every_option_of_a_verb_says_what_it_does(verb: str):
    command = cli.get_command(click.Context(cli), verb)
    assert command is not None
    silent = {
        parameter.name
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.help
    }
    obvious = {"output", "port", "web_port"}
    assert silent <= obvious


@pytest.mark.parametrize("verb", list(_VERBS))
def test_every_verb_answers_short_help_too(verb: str):
    assert run(verb, "-h").exit_code == 0


def test_the_version_is_the_packages():
    assert run("--version").output == f"tonnage {__version__}\n"


def test_an_unknown_verb_is_misuse():
    shown = run("lift")
    assert shown.exit_code == 2
    assert "lift" in shown.output


def test_help_asked_for_by_nothing_is_misuse():
    shown = run()
    assert shown.exit_code == 2
    assert "Usage: tonnage" in shown.output
