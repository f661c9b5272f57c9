"""
Measure Tonnage beside the servers its users come from, and write ``results.json`` and the page.

    python benchmarks/serving/run.py [--peers NAME …] [--rounds N] [--seconds S]

Environments and models are made first when they are missing. Every server of a phase is started
once and stays up; the rounds go round-robin over all of them, so that what the machine does
otherwise falls on all alike. wrk keeps its connections busy (closed loop): its latencies are what
a client waits after it has sent, at the highest rate the server gives.
"""

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import environments
import load
import machine
import render
from catalogue import CATALOGUE, HERE, Ask, Server
from instances import THREADS, Instance, running

FORMAT: Final = "tonnage.bench-serving/1"
SETTLE_SECONDS: Final = 1
READY_REPETITIONS: Final = 7
IMPORTS: Final = "import numpy, onnxruntime, pydantic, uvloop"
_MAIN: Final = ("nginx", "tonnage", "tonnage-sklearn", "fastapi", "toolkit")


@dataclass(frozen=True, kw_only=True, slots=True)
class Phase:
    """
    Servers that are up at the same time, and what they are asked in turn.

    Attributes:
        name: Its name in the results.
        model: Which model they hold.
        cases: Pairs of case and connections.
        servers: Names; None for all.
        workers: One run of the servers for each.
        server_cores: Where the servers run.
        generator_cores: Where wrk runs.
    """

    name: str
    model: str
    cases: tuple[tuple[str, int], ...]
    servers: tuple[str, ...] | None = None
    workers: tuple[int, ...] = (1,)
    server_cores: str = "0"
    generator_cores: str = "1"


PHASES: Final = (
    Phase(name="linear", model="linear", cases=(("linear", 64), ("linear", 8))),
    Phase(
        name="linear-two",
        model="linear",
        cases=(("linear", 64), ("linear", 8)),
        servers=_MAIN,
        workers=(2,),
        server_cores="0,1",
        generator_cores="0,1",
    ),
    Phase(
        name="forest",
        model="forest",
        cases=(("forest-1", 64), ("forest-100", 64)),
        servers=_MAIN[1:],
    ),
    Phase(
        name="slow",
        model="slow",
        cases=(("slow", 64),),
        servers=("tonnage",),
        workers=(1, 2),
        server_cores="0,1",
        generator_cores="0,1",
    ),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write, render."""
    options = _parser().parse_args(arguments)
    if options.lock:
        environments.lock()
        return
    chosen = [CATALOGUE[name] for name in options.peers or CATALOGUE]
    began = time.monotonic()
    absent = environments.prepare(chosen)
    servers = [server for server in chosen if server.name not in absent]
    for name, reason in absent.items():
        _say(f"{name} is left out: {reason}")
    if options.prepare_only:
        return
    record: dict[str, Any] = {
        "format": FORMAT,
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "command": _command(options),
        "rounds": options.rounds,
        "seconds": options.seconds,
        "settle_seconds": SETTLE_SECONDS,
        "warm_up_seconds": {server.name: server.warm_up_seconds for server in servers},
        "revision": environments.revision(),
        "machine": machine.describe(),
        "tools": machine.tool_versions(),
        "versions": {server.name: environments.versions(server) for server in servers},
        "absent": absent,
        "starts": [],
        "samples": [],
        "ready": [],
    }
    if not options.skip_ready and "tonnage" in {server.name for server in servers}:
        record["ready"] = measure_ready()
    for phase in PHASES:
        if options.phases is None or phase.name in options.phases:
            run_phase(phase, servers, options, record)
    record["minutes"] = round((time.monotonic() - began) / 60, 1)
    options.output.write_text(json.dumps(record, indent=1) + "\n")
    print(render.table(record))
    if options.page is not None:
        options.page.write_text(render.page(record))
        _say(f"wrote {os.path.relpath(options.output)} and {os.path.relpath(options.page)}")


def measure_ready() -> list[dict[str, float]]:
    """Start the compiled service and the bare imports in turn, and return how long each took."""
    rows = []
    server = CATALOGUE["tonnage"]
    for repetition in range(READY_REPETITIONS + 1):
        started = time.perf_counter()
        subprocess.run(
            ["taskset", "-c", "0", str(server.python), "-c", IMPORTS],
            check=True,
            env={"PATH": os.environ["PATH"], **THREADS},
        )
        imports = time.perf_counter() - started
        with running(server, model="linear", workers=1, cores="0", case="linear") as instance:
            row = {"imports_seconds": imports, "tonnage_seconds": instance.ready_seconds}
        if repetition:  # the first fills the page cache
            rows.append(row)
    return rows


def run_phase(
    phase: Phase, servers: Sequence[Server], options: argparse.Namespace, record: dict[str, Any]
) -> None:
    """Start a phase's servers, go round, and note starts, samples and memory."""
    members = [s for s in servers if phase.servers is None or s.name in phase.servers]
    with ExitStack() as stack:
        instances = []
        for workers in phase.workers:
            for server in members:
                instance = _started(stack, phase, server, workers, record)
                if instance is not None:
                    instances.append(instance)
        asks = {
            (id(instance), case): ask
            for instance in instances
            for case, _ in phase.cases
            if (ask := _ask(instance, phase, case, record)) is not None
        }
        for number in range(1, options.rounds + 1):
            for case, connections in phase.cases:
                for instance in instances:
                    ask = asks.get((id(instance), case))
                    if ask is not None:
                        what = (phase, instance, case, ask, connections, number)
                        record["samples"] += _samples(*what, options.seconds)
        for instance in instances:
            record["starts"].append(
                {
                    "phase": phase.name,
                    "server": instance.server.name,
                    "workers": instance.start.workers,
                    "ready_seconds": instance.ready_seconds,
                    "processes_after_load": machine.memory(instance.processes()),
                }
            )


def _started(
    stack: ExitStack, phase: Phase, server: Server, workers: int, record: dict[str, Any]
) -> Instance | None:
    _say(f"{phase.name}: starting {server.name}, {workers} worker(s)")
    try:
        instance = stack.enter_context(
            running(
                server,
                model=phase.model,
                workers=workers,
                cores=phase.server_cores,
                case=phase.cases[0][0],
            )
        )
    except TimeoutError as error:
        record["absent"][f"{server.name}, {phase.name}"] = str(error)
        _say(str(error))
        return None
    load.warm_up(
        instance,
        instance.ask_for(phase.cases[0][0]),
        connections=64,
        seconds=server.warm_up_seconds,
        cores=phase.generator_cores,
    )
    return instance


def _ask(instance: Instance, phase: Phase, case: str, record: dict[str, Any]) -> Ask | None:
    try:
        return instance.ask_for(case)
    except ValueError as error:
        record["absent"][f"{instance.server.name}, {phase.name}, {case}"] = str(error)
        _say(str(error))
        return None


def _samples(
    phase: Phase,
    instance: Instance,
    case: str,
    ask: Ask,
    connections: int,
    number: int,
    seconds: int,
) -> list[dict[str, Any]]:
    """Take one sample, and another one in its place when it must be dropped."""
    cores = phase.generator_cores
    taken: list[dict[str, Any]] = []
    while not taken or (len(taken) == 1 and taken[0]["dropped"]):
        load.warm_up(instance, ask, connections=connections, seconds=SETTLE_SECONDS, cores=cores)
        seen = load.sample(instance, ask, connections=connections, seconds=seconds, cores=cores)
        taken.append(
            {
                "phase": phase.name,
                "server": instance.server.name,
                "case": case,
                "content_type": ask.content_type,
                "workers": instance.start.workers,
                "connections": connections,
                "round": number,
                **seen,
            }
        )
        _say(
            f"{phase.name} {number} {case} {instance.server.name} x{instance.start.workers}"
            f" -c{connections}: {seen['requests_per_second']:,.0f}/s"
            f" p99 {seen['p99_ms']:.1f} ms, foreign {seen['foreign_cores']:.2f} cores"
            f"{', DROPPED: ' + seen['dropped'] if seen['dropped'] else ''}"
        )
    return taken


def _command(options: argparse.Namespace) -> str:
    """Return the command as far as it decides what is measured: where results go is left out."""
    parts = ["python benchmarks/serving/run.py"]
    chosen = {"peers": options.peers, "phases": options.phases}
    parts += [f"--{name} {' '.join(names)}" for name, names in chosen.items() if names]
    parts.append(f"--rounds {options.rounds} --seconds {options.seconds}")
    return " ".join(parts + ["--skip-ready"] * options.skip_ready)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--peers", nargs="+", choices=list(CATALOGUE), help="default: all")
    parser.add_argument("--phases", nargs="+", choices=[phase.name for phase in PHASES])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of one sample")
    parser.add_argument("--output", type=Path, default=HERE / "results.json")
    parser.add_argument(
        "--page",
        type=Path,
        default=HERE.parents[1] / "docs" / "explanation" / "serving-benchmarks.md",
    )
    parser.add_argument("--no-page", dest="page", action="store_const", const=None)
    parser.add_argument("--skip-ready", action="store_true", help="leave time to ready out")
    parser.add_argument("--lock", action="store_true", help="resolve the versions again and stop")
    parser.add_argument("--prepare-only", action="store_true", help="make environments and stop")
    return parser


if __name__ == "__main__":
    main()
