"""
``tonnage up``: a local SageMaker with one endpoint, on one local port, in the foreground.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from signal import SIGINT, SIGTERM
from typing import Any, Final

import uvloop

from tonnage.api import Front
from tonnage.artefact import LoadedService
from tonnage.domain import ConfigurationError
from tonnage.http import Limits, Server

from ._fault_schedule import FaultSchedule
from ._local import LocalSageMaker
from ._port import Port
from ._scaler import ScalingControl
from ._state import StatePages
from ._utilisation import UtilisationSampler
from ._variant import ProductionVariant
from .aws import AwsFront, Credentials
from .options import TemplateOptions, UpOptions
from .page import LivePage
from .sagemaker import sagemaker_service
from .specs import EndpointConfig, Model, VariantSpec
from .template import AppliedTemplate, apply_template, read_template

__all__ = ["run", "up"]

_DRAIN_SECONDS: Final = 10.0


def up(
    options: UpOptions,
    *,
    on_ready: Callable[[str], None] = lambda _url: None,
    on_applied: Callable[[AppliedTemplate], None] = lambda _applied: None,
    credentials: Credentials | None = None,
) -> None:
    """
    Run an endpoint until SIGTERM or Ctrl-C, then drain.

    Args:
        options: What to run.
        on_ready: Called with its URL when it answers.
        on_applied: Called with what became of the template, if there is one, before that.
        credentials: The key that AWS clients must sign with; None takes any signature, or none.

    Raises:
        ArtefactError: If the artefact is missing, changed, or fails its self-test.
        ConfigurationError: If the template cannot be resolved.
        DeploymentError: If something that the template describes is refused or fails.
        PortInUseError: If the port is taken.
        CapacityError: If the first instances do not come up.
    """
    uvloop.run(run(options, on_ready, on_applied=on_applied, credentials=credentials))


async def run(
    options: UpOptions,
    on_ready: Callable[[str], None],
    *,
    on_applied: Callable[[AppliedTemplate], None] = lambda _applied: None,
    credentials: Credentials | None = None,
    lifeline: int | None = None,
) -> None:
    """
    Do what ``up`` does.

    Args:
        options: What to run.
        on_ready: As ``up`` has it.
        on_applied: Likewise.
        credentials: Likewise.
        lifeline: A pipe that nothing is written to; when its other end closes, this ends.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for signal_number in (SIGTERM, SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    if lifeline is not None:
        _when_closed(lifeline, stop.set)
    service = LoadedService.load(options.artefact)
    sagemaker = LocalSageMaker(options.local)
    scaling = ScalingControl(
        sagemaker,
        sagemaker.clock,
        metric_delay_seconds=options.local.metric_delay_seconds,
        now_epoch_seconds=sagemaker.wall_clock,
    )
    _connect(sagemaker, scaling)
    faults = FaultSchedule(sagemaker, scaling.timelines)
    aws = AwsFront([sagemaker_service(sagemaker), *scaling.services()], credentials=credentials)
    port = Port(sagemaker, aws=aws)
    limits = Limits(max_body_bytes=options.local.max_body_bytes)
    server = await Server.start(port.handle, host=options.host, port=options.port, limits=limits)
    try:
        if options.template is None:
            variant = await _bring_up(sagemaker, scaling, options)
        else:
            applied = await _apply(options.template, aws, options.artefact)
            variant = _first_variant(sagemaker, applied)
            on_applied(applied)
        front = Front(
            service,
            name=variant.endpoint_name,
            route=options.endpoint.route,
            cors_origins=options.cors_origins,
        )
        port.put_front(front, variant.endpoint_name)
        timeline = scaling.timelines.of(variant.endpoint_name, variant.variant_name)
        port.put_pages(StatePages(sagemaker, variant, timeline).pages())
        port.put_pages(faults.pages())
        live = LivePage(
            service=service,
            front=front,
            invoke=port.invoke,
            sagemaker=sagemaker,
            scaling=scaling,
            endpoint_name=variant.endpoint_name,
            route=options.endpoint.route,
            local=options.local,
            charts=options.charts,
        )
        port.put_pages(live.pages())
        gc.freeze()  # what is loaded stays: a full collection would stop the loop to look at it
        sampler = UtilisationSampler(sagemaker.all, sagemaker.clock)
        async with _running(scaling.loop.run()), _running(sampler.run()), live.running():
            faults.begin(options.faults)
            on_ready(f"http://{options.host}:{server.port}")
            await stop.wait()
    finally:
        await faults.close()
        await server.drain(timeout_seconds=_DRAIN_SECONDS)
        await sagemaker.close()


async def _bring_up(
    sagemaker: LocalSageMaker, scaling: ScalingControl, options: UpOptions
) -> ProductionVariant:
    """Bring up the endpoint of the settings, and return its variant."""
    wanted = options.endpoint
    sagemaker.add_model(Model(model_name=wanted.endpoint_name, artefact=options.artefact))
    spec = VariantSpec(
        variant_name=wanted.variant_name,
        model_name=wanted.endpoint_name,
        instance_type=wanted.instance_type,
        initial_instance_count=wanted.initial_instance_count,
    )
    config = sagemaker.add_config(
        EndpointConfig(config_name=wanted.endpoint_name, variants=(spec,))
    )
    endpoint = sagemaker.add_endpoint(wanted.endpoint_name, config)
    await endpoint.create()
    if options.scaling is not None:
        await scaling.put(wanted, options.scaling)
    return endpoint.variants[wanted.variant_name]


async def _apply(template: TemplateOptions, aws: AwsFront, artefact: Path) -> AppliedTemplate:
    return await apply_template(
        read_template(template.file),
        aws,
        model_data={"": artefact, **template.model_data},
        parameters=template.parameters,
    )


def _first_variant(sagemaker: LocalSageMaker, applied: AppliedTemplate) -> ProductionVariant:
    for endpoint_name in applied.endpoint_names:
        for variant in sagemaker.endpoints[endpoint_name].variants.values():
            return variant
    raise ConfigurationError(
        "the template describes no endpoint", hint="give one with an AWS::SageMaker::Endpoint"
    )


def _connect(sagemaker: LocalSageMaker, scaling: ScalingControl) -> None:
    """Let updates of endpoints know what is scaled, and which alarms have gone off."""

    def is_scalable_target(endpoint_name: str, variant_name: str) -> bool:
        return f"endpoint/{endpoint_name}/variant/{variant_name}" in scaling.book.targets

    def alarm_state(alarm_name: str) -> str | None:
        alarm = scaling.cloudwatch.alarms.get(alarm_name)
        return None if alarm is None else alarm.state

    sagemaker.is_scalable_target = is_scalable_target
    sagemaker.alarm_state = alarm_state


@asynccontextmanager
async def _running(endless: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do something beside the block, as long as it lasts."""
    task = asyncio.create_task(endless)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _when_closed(lifeline: int, act: Callable[[], None]) -> None:
    """Act once when the other end of a pipe, which nothing is written to, is closed."""
    loop = asyncio.get_running_loop()

    def closed() -> None:
        loop.remove_reader(lifeline)
        act()

    loop.add_reader(lifeline, closed)
