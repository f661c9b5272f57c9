"""
A short run of the campaign that ``make campaigns`` runs a thousand times.
"""

import json
import subprocess
import sys
from pathlib import Path

CAMPAIGN = Path(__file__).parents[3] / "benchmarks" / "serving" / "drain_campaign.py"


def test_fifty_sigterms_under_load_lose_nothing_and_a_killed_worker_only_what_it_had_in_hand(
    packed_artefact: Path, tmp_path: Path
):
    record = tmp_path / "record.json"
    arguments = ("--artefact", packed_artefact, "--drains", "50", "--kills", "2", "-o", record)
    finished = subprocess.run(
        [sys.executable, CAMPAIGN, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    seen = json.loads(record.read_text())
    assert seen["drains"]["lost"] == {}
    assert seen["drains"]["turned_away"] == 0
    assert seen["drains"]["exit_codes"] == {"0": 50}
    assert list(seen["drains"]["statuses"]) == ["200"]
    assert seen["drains"]["statuses"]["200"] >= 50 * 8
    assert seen["kills"]["most_failed_at_once"] <= seen["kills"]["connections"]
    assert list(seen["kills"]["statuses"]) == ["200"]
