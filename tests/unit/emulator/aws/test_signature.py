"""
Signatures, made by botocore and spoilt by hand.
"""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from tonnage.emulator.aws import AwsError, Credentials
from tonnage.emulator.aws._signature import check_signature
from tonnage.http import Request

KNOWN = Credentials(access_key_id="AKID", secret_access_key="secret")
TARGET = "/endpoints/a%2Fb/invocations?x=1&a=%20"


def signed(body: bytes = b'{"a": 1}', **headers: str) -> Request:
    """Return a request that botocore has signed now."""
    request = AWSRequest(
        method="POST",
        url=f"http://127.0.0.1:8000{TARGET}",
        headers={"Content-Type": "application/json", **headers},
        data=body,
    )
    signer = SigV4Auth(BotocoreCredentials("AKID", "secret"), "sagemaker", "us-east-1")
    signer.add_auth(request)
    named = {name.lower(): value for name, value in request.headers.items()}
    return Request(
        method="POST", target=TARGET, headers={"host": "127.0.0.1:8000", **named}, body=body
    )


def check(request: Request, *, later_seconds: float = 0.0, service: str = "sagemaker") -> None:
    now = datetime.now(UTC).timestamp() + later_seconds
    check_signature(request, KNOWN, signing_name=service, region="us-east-1", now_epoch_seconds=now)


def with_header(request: Request, name: str, value: str | None) -> Request:
    headers = {key: text for key, text in request.headers.items() if key != name}
    return replace(request, headers=headers if value is None else {**headers, name: value})


def code(request: Request, *, later_seconds: float = 0.0, service: str = "sagemaker") -> str:
    with pytest.raises(AwsError) as raised:
        check(request, later_seconds=later_seconds, service=service)
    return raised.value.code


def test_what_botocore_signed_is_taken():
    check(signed())
    check(signed(b""))
    check(signed(**{"X-Amz-Content-SHA256": hashlib.sha256(b'{"a": 1}').hexdigest()}))


def test_an_unsigned_header_may_change_on_the_way():
    check(with_header(signed(), "user-agent", "a proxy"))


@pytest.mark.parametrize(
    ("name", "value"),
    [("content-type", "text/csv"), ("host", "elsewhere"), ("x-amz-date", None)],
)
def test_a_signed_header_may_not(name: str, value: str | None):
    expected = "IncompleteSignature" if value is None else "InvalidSignatureException"
    assert code(with_header(signed(), name, value)) == expected


def test_neither_may_body_nor_target():
    assert code(replace(signed(), body=b"other")) == "InvalidSignatureException"
    assert code(replace(signed(), target="/endpoints/c/invocations")) == "InvalidSignatureException"
    digest = {"X-Amz-Content-SHA256": hashlib.sha256(b'{"a": 1}').hexdigest()}
    assert code(replace(signed(**digest), body=b"other")) == "InvalidSignatureException"


@pytest.mark.parametrize("later_seconds", [301.0, -301.0])
def test_it_is_fresh(later_seconds: float):
    assert code(signed(), later_seconds=later_seconds) == "InvalidSignatureException"


def test_it_is_for_this_service():
    assert code(signed(), service="monitoring") == "InvalidSignatureException"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "MissingAuthenticationToken"),
        ("", "MissingAuthenticationToken"),
        ("Bearer abc", "IncompleteSignature"),
        ("AWS4-HMAC-SHA256", "IncompleteSignature"),
        ("AWS4-HMAC-SHA256 Credential=AKID/x, Signature=1", "IncompleteSignature"),
        (
            "AWS4-HMAC-SHA256 Credential=X/1, SignedHeaders=a, Signature=1",
            "UnrecognizedClientException",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=AKID/1, SignedHeaders=a, Signature=1",
            "InvalidSignatureException",
        ),
    ],
)
def test_an_authorization_that_is_none_is_told(header: str | None, expected: str):
    assert code(with_header(signed(), "authorization", header)) == expected


def test_a_date_that_is_none_is_told():
    assert code(with_header(signed(), "x-amz-date", "yesterday")) == "IncompleteSignature"
