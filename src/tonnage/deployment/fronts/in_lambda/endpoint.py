"""
The endpoint behind the front: ``InvokeEndpoint``, once, and what came of it.
"""

import logging
import os
from typing import Any, Final, Self

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tonnage.api import EndpointFault, Invocation, InvocationResult

from . import ENDPOINT_VARIABLE

__all__ = ["SageMakerEndpoint"]

logger = logging.getLogger(__name__)

_JSON: Final = "application/json"


class SageMakerEndpoint:
    """
    A SageMaker endpoint, asked through botocore, whose client is what boto3 would make, too.

    Region and credentials come from the environment, and so does another place to ask:
    ``AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME``.

    Args:
        name: The endpoint's name.
        client: Asked instead: ``boto3.client("sagemaker-runtime")`` is one, for an app that has
            boto3 and options of its own.
    """

    def __init__(self, name: str, client: Any = None) -> None:  # noqa: ANN401 (no types)
        self._name = name
        self._client: Any = _open_client() if client is None else client

    @classmethod
    def of_this_function(cls) -> Self:
        """Return the endpoint that the function's environment names."""
        return cls(os.environ[ENDPOINT_VARIABLE])

    def invoke(self, invocation: Invocation) -> InvocationResult | EndpointFault:
        """Carry an invocation to the endpoint."""
        try:
            answer = self._client.invoke_endpoint(
                EndpointName=self._name, ContentType=_JSON, Accept=_JSON, Body=invocation.body
            )
            return InvocationResult(status=200, body=answer["Body"].read())
        except ClientError as error:
            return _fault(error.response)
        except BotoCoreError as error:
            logger.warning("the endpoint could not be asked: %s", type(error).__name__)
            return EndpointFault(shape=type(error).__name__)


def _open_client() -> Any:  # noqa: ANN401 (botocore's clients have no types)
    # Asked once: who retries a 503 sends an endpoint that is full three times its load.
    # A read may take what API Gateway waits for, 29 s, less the way there and back.
    config = Config(
        retries={"total_max_attempts": 1},
        connect_timeout=2,
        read_timeout=26,
        parameter_validation=False,
    )
    return botocore.session.get_session().create_client("sagemaker-runtime", config=config)


def _fault(response: Any) -> EndpointFault:  # noqa: ANN401 (botocore's own dictionary)
    shape = response["Error"]["Code"]
    logger.warning("the endpoint answered with an error: %s", shape)
    return EndpointFault(
        shape=shape,
        original_status=response.get("OriginalStatusCode"),
        original_body=response.get("OriginalMessage", "").encode(),
    )
