"""
``InvokeEndpoint`` requests, signed with SigV4 by botocore.
"""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tonnage.domain import ConfigurationError
from tonnage.http import encode_request
from tonnage.loadtest.open_plan import Target

if TYPE_CHECKING:
    from botocore.credentials import Credentials

__all__ = ["Signer"]


class Signer:
    """
    Signs requests to one endpoint.

    botocore's own client is not used: it retries, so that a failure would count as often as it
    cares to try, and it costs a millisecond a request.

    Raises:
        ConfigurationError: If botocore is not installed or finds no credentials.
    """

    def __init__(self, target: Target) -> None:
        assert target.sagemaker is not None
        self._target = target
        self._endpoint = target.sagemaker
        self._credentials = _credentials()

    def message(self, body: bytes) -> bytes:
        """Return the whole signed request with this body."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        payload = self._target.payload
        headers = {"Content-Type": payload.content_type, "Accept": "application/json"}
        if self._endpoint.target_variant is not None:
            headers["X-Amzn-SageMaker-Target-Variant"] = self._endpoint.target_variant
        request = AWSRequest("POST", self._target.full_url, headers=headers, data=body)
        frozen = self._credentials.get_frozen_credentials()
        SigV4Auth(frozen, "sagemaker", self._endpoint.region).add_auth(request)
        return encode_request(
            "POST",
            self._target.request_target,
            host=urlsplit(self._target.full_url).netloc,
            headers={name: str(value) for name, value in request.headers.items()},
            body=body,
        )


def _credentials() -> "Credentials":
    try:
        from botocore.session import Session
    except ImportError as error:
        raise ConfigurationError(
            "botocore, which signs InvokeEndpoint, is not installed",
            hint="pip install 'tonnage[load]'",
        ) from error
    credentials = Session().get_credentials()
    if credentials is None:
        raise ConfigurationError(
            "no AWS credentials were found",
            hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile",
        )
    return credentials
