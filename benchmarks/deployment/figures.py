"""
Measure what a deployment is made of: time to synthesise, the Lambda package, the image.

    python benchmarks/deployment/figures.py [--runs 7] [--base IMAGE]

Synthesis is the command as a user calls it, Node.js's start included. The package is imported in a
fresh interpreter that finds it and what Lambda's Python brings (botocore and what that needs), and
nothing else; the processor's time is what the aim is held against, for the clock on the wall counts
other programs, too. The image is built only where a Docker engine answers and --base is given; its
size is what it adds to that base.

Written to `figures.json`: each run, the median and the range, and how busy the machine was.
"""

import argparse
import importlib.util
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tonnage.artefact import pack
from tonnage.deployment.fronts import write_lambda_package

EXAMPLE = Path(__file__).parents[2] / "examples" / "real_estate"
RESULTS = Path(__file__).with_name("figures.json")
TONNAGE = Path(sys.executable).with_name("tonnage")
LAMBDA_BRINGS = ("botocore", "urllib3", "jmespath", "dateutil", "six", "certifi", "idna")
AIMS = {
    "synth_seconds": 15.0,
    "package_bytes": 15_000_000,
    "import_cpu_seconds": 0.3,
    "image_bytes": 350 * 1024**2,
}
QUIET_LOAD = 1.0

IMPORT = """
import sys, time
sys.path[:0] = sys.argv[1:]
cpu, wall = time.process_time(), time.perf_counter()
import tonnage_front.handler
print(time.process_time() - cpu, time.perf_counter() - wall)
"""
ENVIRONMENT = {
    "TONNAGE_ENDPOINT_NAME": "real-estate-evaluation",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "any",
    "AWS_SECRET_ACCESS_KEY": "any",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def project_in(directory: Path) -> Path:
    """Copy the example and pack its model."""
    project = directory / "project"
    project.mkdir()
    for name in ("service.py", "locustfile.py", "tonnage.toml", "model.joblib"):
        if not (EXAMPLE / name).is_file():
            sys.exit(f"there is no {name}: run `python examples/real_estate/train.py` first")
        shutil.copy(EXAMPLE / name, project)
    pack(
        project / "model.joblib",
        service="service:RealEstate",
        output=project / "artefact",
        code=project,
    )
    return project


def synthesise(project: Path, output: Path) -> float:
    began = time.perf_counter()
    subprocess.run([TONNAGE, "synth", "-o", output], cwd=project, check=True, capture_output=True)
    return time.perf_counter() - began


def lambda_python(directory: Path) -> Path:
    """Make a directory with what Lambda's Python brings, from this environment."""
    directory.mkdir()
    for name in LAMBDA_BRINGS:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (directory / source.name).symlink_to(source)
    return directory


def import_package(package: Path, given: Path) -> tuple[float, float]:
    """Return the processor's seconds and the wall's of one cold import."""
    told = subprocess.run(
        [sys.executable, "-I", "-S", "-c", IMPORT, package, given],
        env={**os.environ, **ENVIRONMENT},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    return float(told[0]), float(told[1])


def build_image(project: Path, base: str | None) -> dict[str, Any]:
    if base is None:
        return {"not_measured": "no --base was given"}
    answers = (
        shutil.which("docker") is not None
        and not subprocess.run(["docker", "version"], capture_output=True, check=False).returncode
    )
    if not answers:
        return {"not_measured": "no Docker engine answers"}
    told = subprocess.run(
        [TONNAGE, "image", "artefact", "--tag", "tonnage-figures", "--base", base, "--json"],
        cwd=project,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    own = json.loads(told)["own_size_bytes"]
    return {
        "base": base,
        "bytes": own,
        "aim": AIMS["image_bytes"],
        "met": own <= AIMS["image_bytes"],
    }


def spread(values: Sequence[float], aim: float | None = None) -> dict[str, Any]:
    median = statistics.median(values)
    found: dict[str, Any] = {
        "runs": [round(value, 4) for value in values],
        "median": round(median, 4),
        "least": round(min(values), 4),
        "most": round(max(values), 4),
    }
    return found if aim is None else {**found, "aim": aim, "met": median <= aim}


def repeated(measure: Callable[[], float], runs: int) -> list[float]:
    measure()  # the first reads files that the others find in memory
    return [measure() for _ in range(runs)]


def machine() -> dict[str, Any]:
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "node": node.stdout.strip(),
        "load_average_before": round(os.getloadavg()[0], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--base", help="The image's base, e.g. python:3.12-slim.")
    arguments = parser.parse_args()
    described = machine()
    with tempfile.TemporaryDirectory(prefix="tonnage-figures-") as scratch:
        project = project_in(Path(scratch))
        package = write_lambda_package(
            Path(scratch, "package"),
            artefact=project / "artefact",
            name="real-estate-evaluation",
            route="/evaluate",
        )
        given = lambda_python(Path(scratch, "given"))
        import_package(package.directory, given)
        imports = [import_package(package.directory, given) for _ in range(arguments.runs)]
        synths = repeated(lambda: synthesise(project, project / "cdk.out"), arguments.runs)
        image = build_image(project, arguments.base)
    quiet = described["load_average_before"] < QUIET_LOAD
    results = {
        "machine": described,
        "is_quiet": quiet,
        "synth_seconds": spread(synths, AIMS["synth_seconds"]),
        "package": {
            "bytes": package.size_bytes,
            "aim": AIMS["package_bytes"],
            "met": package.size_bytes <= AIMS["package_bytes"],
        },
        "import_cpu_seconds": spread([cpu for cpu, _ in imports], AIMS["import_cpu_seconds"]),
        "import_wall_seconds": spread([wall for _, wall in imports]),
        "image": image,
    }
    print(json.dumps(results, indent=1))
    if quiet:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    else:
        print("the machine was busy: nothing was written", file=sys.stderr)


if __name__ == "__main__":
    main()
