"""
A record as tables and as a page of the documentation.

    python benchmarks/serving/render.py [results.json] [page.md]
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from string import Template

from catalogue import CATALOGUE, HERE
from figures import Cell, Record, Spread, kept, ratio, spread, start
from goals import goals

NOTHING = "\N{EN DASH}"
QUIET_CORES = 0.15
BUSY = """
**The machine was busy with other work: the numbers show that the benchmark runs, and little else.**
They are to be taken again on a quiet machine.
"""
PAGE = HERE.parents[1] / "docs" / "explanation" / "serving-benchmarks.md"


def table(record: Record) -> str:
    """Return what a terminal shows: the goals and the linear model's tables."""
    parts = [_goals(record), _throughput(record, "linear", "linear", (64, 8))]
    parts.append(_throughput(record, "linear-two", "linear", (64, 8), workers=2))
    return "\n\n".join(part for part in parts if part)


def page(record: Record) -> str:
    """Return the whole page: what to keep in mind first, then the numbers."""
    machine = record["machine"]
    samples = record["samples"]
    foreign = [sample["foreign_cores"] for sample in samples] or [0.0]
    values = {
        **{name: machine[name] for name in ("cores", "processor", "memory_gib", "kernel")},
        **{name: record[name] for name in ("date", "command", "minutes", "rounds", "seconds")},
        "settle_seconds": record["settle_seconds"],
        "load_average": machine["load_average"][0],
        "foreign_median": f"{median(foreign):.2f}",
        "foreign_most": f"{max(foreign):.2f}",
        "busy": BUSY if median(foreign) > QUIET_CORES else "",
        "dropped": sum(1 for sample in samples if sample["dropped"]),
        "samples": len(samples),
        "notes": "\n".join(f"- {one.title}: {one.note}." for one in CATALOGUE.values() if one.note),
        "goals": _goals(record),
        "linear": _throughput(record, "linear", "linear", (64, 8)),
        "linear_two": _throughput(record, "linear-two", "linear", (64, 8), workers=2),
        "forest_one": _throughput(record, "forest", "forest-1", (64,)),
        "forest_many": _throughput(record, "forest", "forest-100", (64,)),
        "slow": _slow(record),
        "starts": _starts(record),
        "ready": _ready(record),
        "processes": _processes(record),
        "bodies": _bodies(record),
        "revision": record["revision"],
        "versions": _versions(record),
        "absent": _absent(record),
    }
    return Template((HERE / "page.template.md").read_text()).substitute(values)


def _goals(record: Record) -> str:
    rows = []
    for goal in goals(record):
        bound = f"{'≤' if goal.is_most else '≥'} {goal.bound:g}"
        by_cost = _number(goal.by_cost) if goal.by_cost else NOTHING
        rows.append([goal.what, bound, _spread(goal.seen), by_cost, goal.verdict])
    return _table(["goal", "to reach", "seen", "by processor time", ""], rows)


def _throughput(
    record: Record, phase: str, case: str, connections: Sequence[int], *, workers: int = 1
) -> str:
    most = connections[0]
    head = ["server", f"requests/s at {most}", "÷ nginx", "Tonnage ÷", "p50 / p99 ms"]
    head += ["µs a request", "wrk cores"]
    for count in connections[1:]:
        head += [f"requests/s at {count}", "p50 / p99 ms"]

    def cell(name: str, count: int = most) -> Cell:
        return Cell(phase=phase, server=name, case=case, connections=count, workers=workers)

    names = [name for name in CATALOGUE if kept(record, cell(name))]
    names.sort(key=lambda name: -_median(spread(record, cell(name), "requests_per_second")))
    rows = []
    for name in names:
        row = [CATALOGUE[name].title, _spread(spread(record, cell(name), "requests_per_second"))]
        row.append(_short(ratio(record, cell(name), cell("nginx"))))
        row.append(
            NOTHING if name == "tonnage" else _short(ratio(record, cell("tonnage"), cell(name)))
        )
        row.append(_latency(record, cell(name)))
        row.append(_short(spread(record, cell(name), "server_us_per_request")))
        row.append(_short(spread(record, cell(name), "generator_cores")))
        for count in connections[1:]:
            row.append(_spread(spread(record, cell(name, count), "requests_per_second")))
            row.append(_latency(record, cell(name, count)))
        rows.append(row)
    return _table(head, rows) if rows else "Not measured in this run."


def _bodies(record: Record) -> str:
    asked: dict[str, list[str]] = {}
    for name, server in CATALOGUE.items():
        for sample in kept(record, Cell(phase="forest", server=name, case="forest-100")).values():
            names = asked.setdefault(sample["content_type"], [])
            if server.title not in names:
                names.append(server.title)
    kinds = (f"{', '.join(names)} as `{kind}`" for kind, names in asked.items())
    return f"They were sent to {'; to '.join(kinds)}." if asked else ""


def _slow(record: Record) -> str:
    rows = []
    for workers in (1, 2):
        cell = Cell(phase="slow", server="tonnage", case="slow", workers=workers)
        rate = _spread(spread(record, cell, "requests_per_second"))
        rows.append([f"{workers}", rate, _latency(record, cell)])
    return _table(["workers", "requests/s", "p50 / p99 ms"], rows)


def _starts(record: Record) -> str:
    rows = []
    for name, server in CATALOGUE.items():
        one, two = start(record, "linear", name), start(record, "linear-two", name, workers=2)
        if one is None:
            continue
        total = _total_mib(one)
        more = f"{_total_mib(two) - total:.0f}" if two else NOTHING
        count = len(one["processes_after_load"])
        rows.append([server.title, f"{one['ready_seconds']:.2f}", f"{count}", f"{total:.0f}", more])
    head = ["server", "ready s", "processes", "memory MiB", "second worker MiB"]
    return _table(head, rows)


def _ready(record: Record) -> str:
    if not record["ready"]:
        return "The time to ready was not measured apart in this run."
    ours = Spread.of([row["tonnage_seconds"] for row in record["ready"]])
    imports = Spread.of([row["imports_seconds"] for row in record["ready"]])
    return (
        f"Apart from that, in turn, {len(record['ready'])} times: Tonnage compiled was ready in"
        f" {_spread(ours)} s; `python -c 'import numpy, onnxruntime, pydantic, uvloop'`"
        f" took {_spread(imports)} s."
    )


def _processes(record: Record) -> str:
    rows = []
    for phase, workers in (("linear", 1), ("linear-two", 2)):
        one = start(record, phase, "tonnage", workers)
        for number, process in enumerate(one["processes_after_load"] if one else []):
            role = "parent" if number == 0 else f"worker {number} of {workers}"
            values = (process[f"{name}_mib"] for name in ("resident", "proportional", "own"))
            rows.append([role, *(f"{value:.0f}" for value in values)])
    if not rows:
        return ""
    head = ["Tonnage, compiled", "resident MiB", "proportional MiB", "its own MiB"]
    return _table(head, rows)


def _versions(record: Record) -> str:
    pythons = {versions["python"] for versions in record["versions"].values() if versions}
    lines = [f"- Python {' and '.join(sorted(pythons))}."]
    lines += [f"- {tool}: {version}." for tool, version in record["tools"].items()]
    for name, versions in record["versions"].items():
        told = ", ".join(f"{key} {value}" for key, value in versions.items() if key != "python")
        if told:
            lines.append(f"- {CATALOGUE[name].title}: {told}.")
    return "\n".join(lines)


def _absent(record: Record) -> str:
    lines = [f"- {name}: {reason.splitlines()[0]}." for name, reason in record["absent"].items()]
    return "\n".join(lines) or "Everything that was asked for was measured."


def _latency(record: Record, cell: Cell) -> str:
    p50, p99 = (spread(record, cell, name) for name in ("p50_ms", "p99_ms"))
    return f"{_short(p50)} / {_short(p99)}"


def _total_mib(one: Record) -> float:
    return float(sum(process["proportional_mib"] for process in one["processes_after_load"]))


def _median(value: Spread | None) -> float:
    return value.median if value else 0.0


def _short(value: Spread | None) -> str:
    return _number(value.median) if value else NOTHING


def _spread(value: Spread | None) -> str:
    if value is None:
        return NOTHING
    if value.count == 1:
        return _number(value.median)
    return f"{_number(value.median)} ({_number(value.low)} to {_number(value.high)})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    given = [Path(argument) for argument in sys.argv[1:]]
    source = given[0] if given else HERE / "results.json"
    (given[1] if len(given) > 1 else PAGE).write_text(page(json.loads(source.read_text())))
