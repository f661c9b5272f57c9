"""
What a container does not import to serve a compiled artefact: whoever starts it waits for it.
"""

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
from pathlib import Path

import tonnage.cli.container
import tonnage.serving.container
from tonnage.artefact import LoadedModel

LoadedModel.load(Path(sys.argv[1]))
print(*sys.modules)
"""
NEEDED = {"onnxruntime", "tonnage.artefact._loading", "tonnage.serving._worker", "uvloop"}
NEEDLESS = {
    "click",
    "gzip",
    "sklearn",
    "skops",
    "tarfile",
    "tonnage.artefact._packing",
    "tonnage.cli._group",
    "tonnage.domain.records",
    "tonnage.serving.compat._importing",
    "tonnage.serving.compat._instance",
}


def test_a_container_imports_what_it_serves_with_and_not_the_rest(packed_artefact: Path):
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, packed_artefact],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    imported = set(finished.stdout.split())
    assert imported >= NEEDED
    assert not imported & NEEDLESS
