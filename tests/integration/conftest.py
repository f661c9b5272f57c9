"""
Real processes for the integration tests: one instance, and an endpoint in compressed time.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from support import Command, Serve, Up, tonnage
from tonnage.emulator import (
    BackgroundEndpoint,
    EndpointOptions,
    LocalOptions,
    ScalingOptions,
    UpOptions,
    up_in_background,
)


@pytest.fixture(scope="session")
def serve(packed_artefact: Path) -> Serve:
    """Starts ``tonnage serve`` on a free port; gives the process and its URL once it listens."""

    @contextmanager
    def started(
        *flags: str, artefact: Path = packed_artefact, workers: int = 1
    ) -> Iterator[tuple[Command, str]]:
        arguments = ("serve", artefact, "--host", "127.0.0.1", "--port", "0")
        with tonnage(*arguments, "--workers", str(workers), *flags) as command:
            address = command.until_line("serving ").rpartition(" on ")[2].strip()
            yield command, f"http://{address}"

    return started


@pytest.fixture(scope="session")
def up_options(probe_artefact: Path) -> Callable[..., UpOptions]:
    """Makes an endpoint's options; the service tells which process answered."""

    def make(
        *,
        scaling: ScalingOptions | None = None,
        count: int = 1,
        artefact: Path = probe_artefact,
        **local: object,
    ) -> UpOptions:
        return UpOptions(
            artefact=artefact,
            endpoint=EndpointOptions(
                endpoint_name="real-estate-evaluation",
                variant_name="linear-model",
                initial_instance_count=count,
            ),
            scaling=scaling,
            local=replace(LocalOptions(provisioning_delay_seconds=60.0, time_scale=300.0), **local),
            port=0,
        )

    return make


@pytest.fixture(scope="session")
def start_up(up_options: Callable[..., UpOptions]) -> Up:
    """Runs an endpoint in the background; takes what ``up_options`` takes."""

    @contextmanager
    def started(**options: object) -> Iterator[BackgroundEndpoint]:
        with up_in_background(up_options(**options)) as endpoint:
            yield endpoint

    return started
