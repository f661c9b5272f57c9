"""
What becomes of an endpoint when something goes wrong that nobody foresaw.
"""

import asyncio
import logging

import pytest

from tonnage.emulator._endpoint import EndpointStatus
from tonnage.emulator._local import LocalSageMaker
from tonnage.emulator.options import LocalOptions
from tonnage.emulator.specs import EndpointConfig, VariantSpec


def test_an_unforeseen_fault_makes_a_failed_endpoint_and_the_log_has_its_trace(
    caplog: pytest.LogCaptureFixture,
):
    config = EndpointConfig(
        config_name="c", variants=(VariantSpec(variant_name="v", model_name="nobody-added-it"),)
    )

    async def created() -> tuple[EndpointStatus, str | None]:
        local = LocalSageMaker(LocalOptions())
        endpoint = local.add_endpoint("e", config)
        endpoint.create_soon()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait_for(asyncio.gather(*others), 30)
        seen = endpoint.status, endpoint.failure_reason
        await local.close()
        return seen

    with caplog.at_level(logging.ERROR):
        status, reason = asyncio.run(created())
    assert status is EndpointStatus.FAILED
    assert reason == "an internal failure, KeyError; the log has its trace"
    assert "KeyError: 'nobody-added-it'" in caplog.text
