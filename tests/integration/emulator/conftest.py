"""
A real client of the runtime API.
"""

from collections.abc import Callable

import boto3
import pytest
from botocore.client import BaseClient
from botocore.config import Config


@pytest.fixture(scope="session")
def runtime_client() -> Callable[[str], BaseClient]:
    """Makes boto3's client for a URL; it does not try again by itself."""

    def make(url: str) -> BaseClient:
        return boto3.client(
            "sagemaker-runtime",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )

    return make
