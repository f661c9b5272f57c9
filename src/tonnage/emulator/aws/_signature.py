"""
Signature Version 4: whether a request was signed with the key that is configured.

The signature is computed again by botocore's own signer, from the headers that the client says it
signed, and compared.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from tonnage.http import Request

from .operations import AwsError

__all__ = ["Credentials", "check_signature"]

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_PARAMETERS: Final = ("Credential", "SignedHeaders", "Signature")
_PARAMETER: Final = re.compile(r"\s*(\w+)=([^,]*)")
_SKEW_SECONDS: Final = 300.0
_UNSIGNED: Final = "UNSIGNED-PAYLOAD"
_MISMATCH: Final = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """
    The access key that requests must be signed with.

    Attributes:
        access_key_id: Named in the request.
        secret_access_key: Never sent, never shown.
    """

    access_key_id: str
    secret_access_key: str = field(repr=False)


def check_signature(
    request: Request,
    credentials: Credentials,
    *,
    signing_name: str,
    region: str,
    now_epoch_seconds: float,
) -> None:
    """
    Return if the request carries a valid signature.

    Args:
        request: What came.
        credentials: The key it must be signed with.
        signing_name: The service that its credential must be scoped to, as botocore names it.
        region: The region likewise.
        now_epoch_seconds: The wall clock.

    Raises:
        AwsError: If it does not; the code says what is wrong.
    """
    parameters = _parameters(request.headers.get("authorization"))
    moment = request.headers.get("x-amz-date", "")
    if not moment:
        raise AwsError(
            "IncompleteSignature",
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
        )
    _check_moment(moment, now_epoch_seconds)
    key_id, _, scope = parameters["Credential"].partition("/")
    if key_id != credentials.access_key_id:
        raise AwsError(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        )
    _check_scope(scope, (moment[:8], region, signing_name, "aws4_request"))
    _check_body(request)
    expected = _signature(request, credentials, parameters["SignedHeaders"], scope, moment)
    if not hmac.compare_digest(expected, parameters["Signature"]):
        raise AwsError("InvalidSignatureException", _MISMATCH)


def _parameters(header: str | None) -> dict[str, str]:
    if not header:
        raise AwsError("MissingAuthenticationToken", "Missing Authentication Token", status=403)
    algorithm, _, rest = header.partition(" ")
    if algorithm != _ALGORITHM:
        raise AwsError("IncompleteSignature", f"'{algorithm}' is no algorithm; {_ALGORITHM} is.")
    parameters = dict(_PARAMETER.findall(rest))
    missing = [name for name in _PARAMETERS if not parameters.get(name)]
    if missing:
        needs = " ".join(f"Authorization header requires '{name}' parameter." for name in missing)
        raise AwsError("IncompleteSignature", needs)
    return parameters


def _check_moment(moment: str, now_epoch_seconds: float) -> None:
    try:
        signed = datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise AwsError(
            "IncompleteSignature",
            f"Date must be in ISO-8601 'basic format'. Got '{moment}'.",
        ) from error
    now = datetime.fromtimestamp(now_epoch_seconds, UTC)
    if abs((now - signed).total_seconds()) > _SKEW_SECONDS:
        how = "expired" if signed < now else "not yet current"
        raise AwsError(
            "InvalidSignatureException",
            f"Signature {how}: {moment} is more than 5 min from {now:%Y%m%dT%H%M%SZ}",
        )


def _check_scope(scope: str, expected: tuple[str, ...]) -> None:
    found = scope.split("/")
    for name, allowed, value in zip(
        ("date", "region", "service", "terminator"), expected, [*found, *[""] * 4], strict=False
    ):
        if value != allowed:
            raise AwsError(
                "InvalidSignatureException",
                f"Credential should be scoped to a valid {name}: '{allowed}', not '{value}'.",
            )


def _check_body(request: Request) -> None:
    declared = request.headers.get("x-amz-content-sha256", _UNSIGNED)
    if declared not in {_UNSIGNED, hashlib.sha256(request.body).hexdigest()}:
        raise AwsError("InvalidSignatureException", _MISMATCH)


def _signature(
    request: Request, credentials: Credentials, signed_headers: str, scope: str, moment: str
) -> str:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials as BotocoreCredentials

    names = signed_headers.lower().split(";")
    _, region, signing_name, _ = scope.split("/")
    known = BotocoreCredentials(credentials.access_key_id, credentials.secret_access_key)
    signer = SigV4Auth(known, signing_name, region)
    signed = AWSRequest(
        method=request.method,
        url=f"http://{request.headers.get('host', '')}{request.target}",
        headers=_signed(request.headers, names),
        data=request.body,
    )
    signed.context["timestamp"] = moment
    canonical = signer.canonical_request(signed)
    signature: Any = signer.signature(signer.string_to_sign(signed, canonical), signed)
    return str(signature)


def _signed(headers: Mapping[str, str], names: list[str]) -> dict[str, str]:
    return {name: headers[name] for name in names if name in headers}
