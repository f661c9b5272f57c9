"""
What of AWS's APIs the local SageMaker has, from its own tables, botocore's models and the tests.

``python tests/conformance.py`` writes ``docs/reference/conformance.md``; a test checks for drift.
"""

from __future__ import annotations

import functools
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore import xform_name

from tonnage.domain import ScaledClock
from tonnage.emulator._local import LocalSageMaker
from tonnage.emulator._scaler import ScalingControl
from tonnage.emulator.aws import service_model
from tonnage.emulator.options import LocalOptions
from tonnage.emulator.sagemaker import sagemaker_service

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tonnage.emulator.aws import Shape

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "conformance.md"
EMULATOR = ROOT / "src" / "tonnage" / "emulator"
TESTS = ("tests/unit/emulator", "tests/integration/emulator", "tests/aws_story.py")
RUNTIME = ("InvokeEndpoint", "InvokeEndpointWithResponseStream")
COMMON = frozenset(
    {
        "IncompleteSignature",
        "InternalFailure",
        "InvalidSignatureException",
        "MalformedInput",
        "MalformedQueryString",
        "MissingAuthenticationToken",
        "NotImplemented",
        "SerializationException",
        "ThrottlingException",
        "UnknownOperationException",
        "UnrecognizedClientException",
        "ValidationException",
    }
)
STATUSES = {"InternalFailure": 500, "MissingAuthenticationToken": 403, "NotImplemented": 501}

HEAD = """\
# Conformance

What of AWS's APIs the local SageMaker has, and what it has not.
This page is generated from the emulator's own tables of operations, botocore's service models and the tests; `python tests/conformance.py` writes it and a test checks it for drift.

How to read it:

- An operation, or an error, is *shown by* the test files that call or name it.
- A parameter is *taken* where the service's code names it; one that is *without effect* is checked against AWS's model like any other, perhaps given back on describing, and then nothing comes of it.
- An answer's member is *missing* where neither the code nor a parameter of the service could give it.
- What a client sends is held against botocore's model of the operation: a value of the wrong type is a `SerializationException`, a broken constraint a `ValidationException` in AWS's words, an operation that is not here an `UnknownOperationException` that names it.
- Every answer of Application Auto Scaling and CloudWatch is held against the operation's output shape in the tests.
"""  # noqa: E501 (a page has a sentence a line)


@dataclass(frozen=True)
class Service:
    """One service: what it has, and where its code is."""

    title: str
    name: str
    operations: tuple[str, ...]
    sources: tuple[Path, ...]


def services() -> list[Service]:
    """Return the services of the local port."""
    sagemaker = LocalSageMaker(LocalOptions())
    clock = ScaledClock(time_scale=1.0, origin_seconds=0.0)
    cloudwatch, autoscaling = ScalingControl(sagemaker, clock).services()
    hosting = sagemaker_service(sagemaker)
    return [
        Service(
            "SageMaker",
            "sagemaker",
            tuple(hosting.operations),
            (*files("sagemaker"), EMULATOR / "_update.py"),
        ),
        Service(
            "SageMaker Runtime",
            "sagemaker-runtime",
            RUNTIME,
            tuple(
                EMULATOR / name
                for name in ("_runtime.py", "_port.py", "_event_stream.py", "_refusals.py")
            ),
        ),
        Service(
            "Application Auto Scaling",
            "application-autoscaling",
            tuple(autoscaling.operations),
            files("autoscaling"),
        ),
        Service("CloudWatch", "cloudwatch", tuple(cloudwatch.operations), files("cloudwatch")),
    ]


def files(folder: str) -> tuple[Path, ...]:
    return tuple(sorted((EMULATOR / folder).glob("*.py")))


def render() -> str:
    """Return the page."""
    sections = (line for service in services() for line in section(service))
    return "\n".join([HEAD, *common(), *sections])


def section(service: Service) -> Iterator[str]:
    """Yield the lines about a service."""
    model = service_model(service.name)
    source = "\n".join(file.read_text(encoding="utf-8") for file in service.sources)
    has = sorted(service.operations)
    absent = [name for name in model.operation_names if name not in service.operations]
    yield f"## {service.title}"
    yield ""
    yield f"{len(has)} of {len(model.operation_names)} operations."
    yield ""
    yield "| operation | parameters taken | without effect | missing of the answer | shown by |"
    yield "| --- | --- | --- | --- | --- |"
    given_back = {
        member for name in has for member in members(model.operation_model(name).input_shape)
    }
    for name in has:
        operation = model.operation_model(name)
        taken, idle = split(operation.input_shape, source)
        _, unnamed = split(operation.output_shape, source)
        missing = [member for member in unnamed if member not in given_back]
        row = (f"`{name}`", f"{len(taken)}", listed(idle), listed(missing), proof(shown_by(name)))
        yield f"| {' | '.join(row)} |"
    yield ""
    yield from errors(service, source)
    yield f"Not emulated: {listed(absent)}."
    yield ""


def errors(service: Service, source: str) -> Iterator[str]:
    """Yield the table of a service's own error cases."""
    model = service_model(service.name)
    codes = sorted(code for code in KNOWN_CODES() if f'"{code}"' in source)
    if not codes:
        return
    called = {file for name in service.operations for file in shown_by(name)}
    yield "| error | HTTP | in AWS's model | shown by |"
    yield "| --- | --- | --- | --- |"
    for code in codes:
        is_modelled = code in model.shape_names
        error = model.shape_for(code).metadata.get("error", {}) if is_modelled else {}
        everywhere = mentioning(rf"\b{code}\b")
        found = [file for file in everywhere if file in called] or everywhere
        status = error.get("httpStatusCode", STATUSES.get(code, 400))
        row = (f"`{code}`", str(status), "yes" if is_modelled else "no", proof(found))
        yield f"| {' | '.join(row)} |"
    yield ""


@functools.cache
def KNOWN_CODES() -> frozenset[str]:  # noqa: N802 (a constant that is costly to make)
    """Return the names of all errors that the services' models have, and of AWS's common ones."""
    models = [service_model(service.name) for service in services()]
    return COMMON | {
        name
        for model in models
        for name in model.shape_names
        if model.shape_for(name).metadata.get("exception")
    }


def proof(files: Iterable[str]) -> str:
    return ", ".join(f"`{file}`" for file in files) or "**nothing**"


def common() -> Iterator[str]:
    """Yield what every operation of the control plane may answer."""
    source = "\n".join(file.read_text(encoding="utf-8") for file in files("aws"))
    yield "## Errors of every operation of the control plane"
    yield ""
    yield "| error | HTTP | shown by |"
    yield "| --- | --- | --- |"
    for code in sorted(code for code in COMMON if f'"{code}"' in source):
        status = STATUSES.get(code, 400)
        yield f"| `{code}` | {status} | {proof(mentioning(rf'{code}'))} |"
    yield ""


def split(shape: Shape | None, source: str) -> tuple[list[str], list[str]]:
    """Return the members that the code names, by AWS's name or its header, and the others."""
    every = members(shape)
    taken = [name for name in every if shape is not None and is_taken(shape, name, source)]
    return taken, [name for name in every if name not in taken]


def is_taken(shape: Shape, name: str, source: str) -> bool:
    wire = shape.members[name].serialization
    if wire.get("location") == "uri" or shape.serialization.get("payload") == name:
        return True
    stem = name.removesuffix("Before").removesuffix("After")  # ``_listing`` puts them together
    is_range = stem != name and f'"{stem}' in source and "Before" in source
    return is_range or named(name, source) or named(wire.get("name", name), source)


def named(name: str, source: str) -> bool:
    return f'"{name.lower()}"' in source.lower()


def members(shape: Shape | None) -> list[str]:
    return list(shape.members) if shape is not None else []


def shown_by(operation: str) -> list[str]:
    """Return the test files that call an operation, by any client."""
    snake = xform_name(operation)
    kebab = snake.replace("_", "-")
    return mentioning(rf'"{operation}"|\.{snake}\(|"{snake}"|"{kebab}"')


def mentioning(pattern: str) -> list[str]:
    found = []
    for place in TESTS:
        path = ROOT / place
        found += [
            file.relative_to(ROOT / "tests").as_posix()
            for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path])
            if re.search(pattern, file.read_text("utf-8"))
        ]
    return found


def listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
