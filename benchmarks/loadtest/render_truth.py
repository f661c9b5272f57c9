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


def comparisons(result: Mapping[str, Any]) -> list[str]:
    method = {"interleaved": "in turn", "apart": "apart"}
    rows = [
        f"| {method[row['method']]} | {row['factor'] - 1:+.0%} | {row['runs']} |"
        f" {row['share_worse']:.1%} | {row['share_better']:.1%} |"
        f" {row['answers'].get('no difference', 0) / row['runs']:.1%} |"
        f" {row['p50_median_half_width']:.1%} |"
        for row in result["rows"]
    ]
    conditions = [
        f"{row['condition']}, cores {row['machine_busy_fraction']:.0%} busy"
        for row in result["noise"]["rows"]
    ]
    head = ("compared", "head's latency", "comparisons", "worse", "better", "no difference")
    return [
        f"| {' | '.join(head)} | half-width of the median's interval |",
        "| --- " * (len(head) + 1) + "|",
        *rows,
        "",
        f"The noise: {'; '.join(conditions)}.",
    ]


def real_comparisons(result: Mapping[str, Any]) -> list[str]:
    return [
        f"Runs of {result['seconds']:g} s, each of them `tonnage load --against` anew.",
        "",
        "| head | runs | worse | better | no difference |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {row['pair']} | {row['runs']} | {row['answers'].get('worse', 0)} |"
            f" {row['answers'].get('better', 0)} | {row['answers'].get('no difference', 0)} |"
            for row in result["summary"]
        ),
    ]


TABLES: dict[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "generator_speed": speed,
    "freeze": freeze,
    "against_h2load": h2load,
    "generator_faults": faults,
    "compare_campaign": comparisons,
    "compare_real": real_comparisons,
}


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f}"


def rendered(page: str) -> str:
    for name, table in TABLES.items():
        file = described.RESULTS / f"{name}.json"
        if not file.is_file():
            continue  # a campaign that has not been run has no table yet
        result = json.loads(file.read_text())
        at = result["machine"]
        caveat = (
            f"`{result['command']}`, {at['date']}, {at['cores']} cores of {at['processor']},"
            f" Python {at['python']}; the load average was"
            f" {at['load_average_at_start']:.1f} at the start."
        )
        block = "\n".join([caveat, "", *table(result)])
        pattern = rf"(<!-- {name} -->)\n.*?(<!-- /{name} -->)"
        page, count = re.subn(
            pattern, lambda m, block=block: f"{m[1]}\n{block}\n{m[2]}", page, flags=re.DOTALL
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
