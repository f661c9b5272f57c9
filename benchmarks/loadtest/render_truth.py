"""
Write the campaigns' tables into docs/explanation/truth.md, between their markers.

    python benchmarks/loadtest/render_truth.py [--check]
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

import described

PAGE = described.RESULTS.parents[2] / "docs" / "explanation" / "truth.md"


def speed(result: Mapping[str, Any]) -> list[str]:
    rows = [
        f"| {row['rate']:,.0f} | {ms(row['slip_p99_seconds_median'])} |"
        f" {ms(row['own_p99_seconds_median'])} ({ms(row['own_p99_seconds_worst'])}) |"
        f" {row['cpu_seconds_per_request_median'] * 1e6:.0f} |"
        f" {row['valid']} of {len(result['rows']) // len(result['summary'])} |"
        for row in result["summary"]
    ]
    return [
        "| requests/s | slip p99, ms | its own at p99, ms: median (worst) | CPU, µs | believed |",
        "| --- | --- | --- | --- | --- |",
        *rows,
    ]


def freeze(result: Mapping[str, Any]) -> list[str]:
    names = list(result["rows"][0]["measured"])
    return [
        "| run | " + " | ".join(f"{name}, s: measured (analytic)" for name in names) + " | worst |",
        "| --- |" + " --- |" * (len(names) + 1),
        *(
            f"| {number} | "
            + " | ".join(f"{row['measured'][n]:.3f} ({row['analytic'][n]:.3f})" for n in names)
            + f" | {row['worst_relative_error']:.2%} |"
            for number, row in enumerate(result["rows"], 1)
        ),
    ]


def h2load(result: Mapping[str, Any]) -> list[str]:
    return [
        "| | ratio, median | worst deviation of a run |",
        "| --- | --- | --- |",
        *(
            f"| {name.replace('_', ' ')} | {ratio:.3f} | {result['worst_deviation'][name]:.1%} |"
            for name, ratio in result["median_ratio"].items()
        ),
    ]


def faults(result: Mapping[str, Any]) -> list[str]:
    verdict = (
        f"Flagged: {result['flagged']} of {len(result['rows'])} faults."
        f" Doubted: {result['false_alarms']} of {len(result['clean'])} clean runs."
    )
    return [
        verdict,
        "",
        "| fault | verdict | what the generator said |",
        "| --- | --- | --- |",
        *(
            f"| {row['what'].rstrip('.')} | {row['verdict'] or 'not injected'} | {row['reason']} |"
            for row in result["rows"]
        ),
    ]


TABLES: dict[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "generator_speed": speed,
    "freeze": freeze,
    "against_h2load": h2load,
    "generator_faults": faults,
}


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f}"


def rendered(page: str) -> str:
    for name, table in TABLES.items():
        result = json.loads((described.RESULTS / f"{name}.json").read_text())
        at = result["machine"]
        caveat = (
            f"`{result['command']}`, {at['date']}, {at['cores']} cores of {at['processor']},"
            f" Python {at['python']}; the load average was"
            f" {at['load_average_at_start']:.1f} at the start."
        )
        block = "\n".join([caveat, "", *table(result)])
        pattern = rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)"
        page, count = re.subn(
            pattern, lambda m, block=block: m[1] + block + m[2], page, flags=re.DOTALL
        )
        assert count == 1, f"{PAGE.name} has no markers for {name}"
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say whether the page is stale")
    page = PAGE.read_text(encoding="utf-8")
    if parser.parse_args().check:
        sys.exit(0 if rendered(page) == page else f"{PAGE.name} is stale: run {sys.argv[0]}")
    PAGE.write_text(rendered(page), encoding="utf-8")


if __name__ == "__main__":
    main()
