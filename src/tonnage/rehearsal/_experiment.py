"""
One experiment of a rehearsal: its endpoint up, the load on it, and what both saw as one record.
"""

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import Any, Final
from urllib.parse import urlsplit

from tonnage.domain import FleetTimeline, RunRecord
from tonnage.emulator import up_in_background
from tonnage.loadtest import LoadPlan, LoadProgress, load
from tonnage.loadtest.signals import HeldSignals

from .plan import Experiment, RehearsalPlan

__all__ = ["OnProgress", "run_experiment"]

logger = logging.getLogger(__name__)

OnProgress = Callable[[Experiment, LoadProgress | None], None]
"""Called as an experiment starts, without progress, and then once a second."""

_PRECEDENCE: Final = -10
_GENERATOR_START_SECONDS: Final = 2.5
"""What Locust needs to be imported and ready; the load then begins on a period boundary."""


def run_experiment(
    plan: RehearsalPlan, experiment: Experiment, on_progress: OnProgress
) -> RunRecord:
    """
    Run one experiment and return its record, the fleet's history included.

    Args:
        plan: The rehearsal it belongs to.
        experiment: What to run.
        on_progress: Told how it goes.
    """
    on_progress(experiment, None)
    with _precedence():
        return _loaded(plan, experiment, on_progress)


@contextlib.contextmanager
def _precedence() -> Iterator[None]:
    """
    Let the endpoint and the generator run before whatever else this machine does, where allowed.

    An emulated instance whose process waits 70 ms for a core refuses requests that it would have
    carried. Only root may do this; without it the figures show what else was running.
    """
    before = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, _PRECEDENCE)
    except PermissionError:
        logger.info("not allowed to raise the priority; a busy machine will show in the figures")
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, before)


def _loaded(plan: RehearsalPlan, experiment: Experiment, on_progress: OnProgress) -> RunRecord:
    with HeldSignals() as signals, up_in_background(experiment.up) as endpoint:
        start = endpoint.next_period_monotonic_seconds(
            time.monotonic(), after_seconds=_GENERATOR_START_SECONDS
        )
        record = load(
            _load_plan(plan, experiment, endpoint.url, start),
            on_progress=lambda progress: on_progress(experiment, progress),
        )
        signals.hold()  # an impatient Ctrl-C must not lose the record while the endpoint goes down
        # The load's own start is what the record's times count from.
        offset = time.time() - time.monotonic()
        timeline = endpoint.timeline(record.started_at_epoch_seconds - offset)
    return replace(
        record,
        fleet=_within(timeline, record.duration_seconds),
        settings={**_settings(plan, experiment), **record.settings},
        notes=(*_notes(experiment), *record.notes),
    )


def _load_plan(plan: RehearsalPlan, experiment: Experiment, url: str, start: float) -> LoadPlan:
    return replace(
        plan.load,
        url=url + urlsplit(plan.load.url).path,
        spawn_rate_per_second=plan.spawn_rate_per_second,
        duration_seconds=experiment.duration_seconds,
        start_at_monotonic_seconds=start,
        name=experiment.name,
        title=experiment.title,
    )


def _within(timeline: FleetTimeline, duration_seconds: float) -> FleetTimeline:
    return replace(
        timeline,
        instances=[change for change in timeline.instances if change[0] <= duration_seconds],
        invocations_per_instance=[
            datapoint
            for datapoint in timeline.invocations_per_instance
            if datapoint[0] <= duration_seconds
        ],
    )


def _settings(plan: RehearsalPlan, experiment: Experiment) -> dict[str, Any]:
    """Return the settings in force, with the experiment's own in place of the file's."""
    policy, count = experiment.up.scaling, experiment.up.endpoint.initial_instance_count
    scaling = {
        **plan.settings.get("scaling", {}),
        "enabled": policy is not None,
        **(asdict(policy) if policy else {}),
    }
    endpoint = {**plan.settings.get("endpoint", {}), "initial_instance_count": count}
    return {**plan.settings, "endpoint": endpoint, "scaling": scaling}


def _notes(experiment: Experiment) -> list[str]:
    local = experiment.up.local
    notes = []
    if local.capacity is not None:
        notes.append(
            f"What one instance carries is an emulated cap of"
            f" {local.capacity.rate_per_second:g} requests per second (a queue of"
            f" {local.capacity.queue_seconds * 1000:g} ms), not what this machine carries."
        )
    if local.time_scale != 1:
        notes.append(
            f"Time is compressed {local.time_scale:g} times: a CloudWatch minute lasts"
            f" {60 / local.time_scale:g} s, {local.provisioning_delay_seconds:g} s of provisioning"
            f" {local.provisioning_delay_seconds / local.time_scale:g} s. Rates are not compressed."
        )
    return notes
