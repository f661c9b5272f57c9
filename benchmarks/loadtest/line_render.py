"""
Render the results of the campaign, its peer and the capped instances into load-line.md.

Usage: python line_render.py. It replaces what stands between the markers of each table.
"""

import json
import re
from pathlib import Path

HERE = Path(__file__).with_name("results")
PAGE = HERE.parents[2] / "docs" / "explanation" / "load-line.md"


def campaign_table() -> str:
    described = json.loads((HERE / "line_campaign.json").read_text(encoding="utf-8"))
    head = (
        "| targets | searches | interval holds the truth | median half-width | median error |"
        " 95 % of errors below | trial time ÷ peer's |\n| --- | --- | --- | --- | --- | --- | --- |"
    )
    groups = {"**all**": described["summary"], **described["by_family"]}
    rows = [
        f"| {name} | {each['searches']} | {each['coverage']:.1%} | {each['median_half_width']:.2%}"
        f" | {each['median_error']:.2%} | {each['p95_error']:.1%} | {each['time_ratio']:.2f} |"
        for name, each in groups.items()
    ]
    summary, machine = described["summary"], described["machine"]
    told = (
        f"{summary['found']} of {summary['searches']} searches gave a line;"
        f" the longest took {summary['longest_elapsed_seconds']:.1f} s of the 60 s in virtual time."
        f"\nThe search's trials took {summary['mean_search_seconds']:.0f} s in the mean, the peer's"
        f" {summary['peer_mean_seconds_at_same_error']:.0f} s at the same median error."
        f"\nPython {machine['python']}, numpy {machine['numpy']};"
        " the results come from seeds, not from the machine."
    )
    return f"{head}\n" + "\n".join(rows) + f"\n\n{told}"


def capped_table() -> str:
    described = json.loads((HERE / "line_capped.json").read_text(encoding="utf-8"))
    head = (
        "| repeat | verdict | line | 95 % interval | wall clock | load average |"
        "\n| --- | --- | --- | --- | --- | --- |"
    )
    rows = [_capped_row(number, each) for number, each in enumerate(described["answers"], 1)]
    summary, machine = described["summary"], described["machine"]
    told = (
        f"Largest error {summary['largest_error']:.1%}, spread (largest less smallest, ÷ median)"
        f" {summary['spread']:.1%}, longest wall clock {summary['longest_wall_seconds']:.1f} s."
        f"\n{machine['cores']} cores, Python {machine['python']}."
    )
    return f"{head}\n" + "\n".join(rows) + f"\n\n{told}"


def mlrsearch_table() -> str:
    described = json.loads((HERE / "line_mlrsearch.json").read_text(encoding="utf-8"))
    head = (
        "| width | windows | searches | median error | 95 % of errors below | trial time, mean |"
        "\n| --- | --- | --- | --- | --- | --- |"
    )
    rows = [
        f"| {row['relative_width']:.1%} | {row['windows']} | {row['searches']} |"
        f" {row['median_error']:.2%} | {row['p95_error']:.1%} |"
        f" {row['mean_search_seconds']:.0f} s |"
        for row in described["rows"]
    ]
    summary = described["summary"]
    told = (
        f"At the search's own median error of {summary['tonnage_median_error']:.2%} MLRsearch's"
        f" trials take {summary['mlrsearch_mean_seconds_at_same_error']:.0f} s, interpolated; the"
        f" search's take {summary['tonnage_mean_search_seconds']:.0f} s,"
        f" {summary['time_ratio']:.2f} of that."
    )
    return f"{head}\n" + "\n".join(rows) + f"\n\n{told}"


def scaling_table() -> str:
    described = json.loads((HERE / "line_scaling.json").read_text(encoding="utf-8"))
    law, machine = described["law"], described["machine"]
    rows = [_scaling_row(each, law) for each in described["rows"]]
    told = (
        f"{law['told'][0].upper()}{law['told'][1:]}."
        f"\n`{described['command']}`, {machine['date']}, {machine['cores']} cores of"
        f" {machine['processor']}, Python {machine['python']}; each instance capped at"
        f" {described['cap_per_second']}/s with a queue of {described['queue']}; the load average"
        f" was {machine['load_average_at_start']:.1f} at the start and"
        f" {described['load_average_at_end']:.1f} at the end."
    )
    head = (
        "| instances | verdict | line | 95 % interval | ÷ one instance's | by the law |"
        "\n| --- | --- | --- | --- | --- | --- |"
    )
    return f"{head}\n" + "\n".join(rows) + f"\n\n{told}"


def _scaling_row(each: dict, law: dict) -> str:
    count, line = each["workers"], each["line"]
    one, contention, coherence = law["one_per_second"], law["contention"], law["coherence"]
    share = 1 + contention * (count - 1) + coherence * count * (count - 1)
    low, high = (f"{end:.0f}" if end else "?" for end in each["interval"])
    told = f"{line:.1f}/s | {low} to {high} | {line / one:.2f}" if line else "none | - | -"
    return f"| {count} | {each['verdict']} | {told} | {one * count / share:.1f}/s |"


def _capped_row(number: int, each: dict) -> str:
    low, high = (f"{end:.0f}" if end else "?" for end in each["interval"])
    line = f"{each['line']:.1f}/s" if each["line"] else "none"
    return (
        f"| {number} | {each['verdict']} | {line} | {low} to {high} |"
        f" {each['wall_seconds']:.1f} s | {each['load_average']:.1f} |"
    )


def main() -> None:
    text = PAGE.read_text(encoding="utf-8")
    tables = [("campaign", campaign_table()), ("capped", capped_table())]
    if (HERE / "line_mlrsearch.json").is_file():
        tables.append(("mlrsearch", mlrsearch_table()))
    if (HERE / "line_scaling.json").is_file():
        tables.append(("scaling", scaling_table()))
    for name, table in tables:
        pattern = rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)"
        text = re.sub(pattern, lambda m, t=table: f"{m[1]}{t}\n{m[2]}", text, flags=re.DOTALL)
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
