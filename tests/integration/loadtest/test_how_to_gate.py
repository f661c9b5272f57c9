"""The commands of the how-to "Gate a pull request on capacity", with shorter times."""

import re
import shlex
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from support import TONNAGE, Command

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "gate-a-pull-request.md"
BLOCKS = re.findall(r"```console\n\$ (.*?)\n```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
SHORTER = {"60s": "12s", "30s": "1s"}


def words_of(block: str) -> list[str]:
    """The command's words, its programs and times replaced by those that are here."""
    command = block.replace("\\\n", " ").replace("base/.venv/bin/tonnage", "tonnage")
    command = command.replace("base/artefact", "artefact").replace(
        "tonnage serve", f"{TONNAGE} serve"
    )
    return [SHORTER.get(word, word) for word in shlex.split(command)]


@pytest.fixture(scope="module")
def project(packed_artefact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("gate")
    shutil.copytree(packed_artefact, directory / "artefact")
    return directory


@pytest.mark.parametrize("place", [0, 1])
def test_a_gate_runs_as_it_is_written(place: int, project: Path):
    _, *words = words_of(BLOCKS[place])
    with Command([TONNAGE, *words], cwd=project) as command:
        assert command.exit_code(90) in {0, 3, 4}, command.stderr
    suite = ET.parse(project / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    assert int(suite.attrib["tests"]) >= 2
    assert (project / "summary.md").read_text().startswith("## ")


def test_every_command_is_tried_or_needs_a_service_that_runs():
    assert [words_of(block)[1] for block in BLOCKS] == ["line", "load", "load"]
    assert "--require" in words_of(BLOCKS[2])


def test_the_exit_codes_are_the_command_lines_own():
    from tonnage.cli._faults import EXIT_CODES, MEASUREMENT_INVALID, OBJECTIVE_MISSED
    from tonnage.domain import TransportError

    told = {int(code) for code in re.findall(r"^\| (\d) \|", PAGE.read_text(), re.MULTILINE)}
    assert told == {0, OBJECTIVE_MISSED, MEASUREMENT_INVALID, EXIT_CODES[TransportError]}
