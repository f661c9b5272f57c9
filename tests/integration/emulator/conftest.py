"""
Real clients of AWS's APIs.
"""

from collections.abc import Callable
from functools import partial

import boto3
import pytest
from botocore.client import BaseClient
from botocore.config import Config

from sagemaker_clients import Sagemaker
from tonnage.emulator import BackgroundEndpoint


@pytest.fixture(scope="session")
def service_client() -> Callable[[str, str], BaseClient]:
    """Makes boto3's client of a service at a URL; it does not try again by itself."""

    def make(service: str, url: str) -> BaseClient:
        return boto3.client(
            service,
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )

    return make


@pytest.fixture(scope="session")
def runtime_client(
    service_client: Callable[[str, str], BaseClient],
) -> Callable[[str], BaseClient]:
    """Makes boto3's client of the runtime at a URL."""
    return partial(service_client, "sagemaker-runtime")


@pytest.fixture(scope="session")
def control_client(
    service_client: Callable[[str, str], BaseClient],
) -> Callable[[str], BaseClient]:
    """Makes boto3's client of SageMaker's control plane at a URL."""
    return partial(service_client, "sagemaker")


@pytest.fixture(scope="session")
def sagemaker_at(
    control_client: Callable[[str], BaseClient], runtime_client: Callable[[str], BaseClient]
) -> Callable[[BackgroundEndpoint], Sagemaker]:
    """Makes the clients of an emulator's control plane and of its runtime."""
    return lambda started: Sagemaker(
        started, control_client(started.url), runtime_client(started.url)
    )
