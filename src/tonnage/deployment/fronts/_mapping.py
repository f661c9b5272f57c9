"""
The mapping templates of the REST API: SageMaker's answers and API Gateway's own, in our envelope.

They say in Velocity what ``api.Front`` says in Python; both read one table, so they cannot drift.
Two languages are spoken here. *Integration responses* are Velocity: they can look into a
``ModelError`` and override the status. *Gateway responses* only substitute variables; of those
``$context.error.messageString`` alone is quoted for JSON.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tonnage.api import FAULT_ANSWERS, UNKNOWN_FAULT, FaultAnswer
from tonnage.domain import error_body

__all__ = [
    "GatewayAnswer",
    "IntegrationAnswer",
    "gateway_answers",
    "integration_answers",
    "request_template",
]

_MESSAGE: Final = "$context.error.messageString"
REFUSED_BY_MODEL: Final = error_body("model_refused", "the model does not take this request")


@dataclass(frozen=True, kw_only=True, slots=True)
class IntegrationAnswer:
    """
    What becomes of SageMaker's answers with some statuses.

    Attributes:
        status: The client's.
        pattern: Which of SageMaker's statuses; None is the default, a good answer.
        template: The body in Velocity; None passes it on.
        headers: Fixed headers.
    """

    status: int
    pattern: str | None = None
    template: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class GatewayAnswer:
    """What a client gets for one of API Gateway's own refusals; without a status, its own."""

    kind: str
    status: int | None
    template: str
    headers: Mapping[str, str] = field(default_factory=dict)


def request_template() -> str:
    """Return what becomes of a valid request's body: itself, byte for byte."""
    return "$input.body"


def integration_answers(origins: Sequence[str] = ()) -> Iterator[IntegrationAnswer]:
    """
    Yield one answer a status; the patterns exclude each other, for API Gateway has no order.

    Args:
        origins: Where browsers may call from; several need Velocity even in a good answer.
    """
    prefix = origin_template(origins)
    yield IntegrationAnswer(status=200, template=f"{prefix}$input.json('$')" if prefix else None)
    known: dict[int, FaultAnswer] = {}
    for answer in FAULT_ANSWERS.values():
        known.setdefault(answer.status, answer)
    for status, answer in known.items():
        is_models = answer is FAULT_ANSWERS["ModelError"]
        yield IntegrationAnswer(
            status=status,
            pattern=str(status),
            template=prefix + (_model_error() if is_models else answer.body.decode()),
            headers=dict(answer.headers),
        )
    others = "|".join(map(str, known))
    yield IntegrationAnswer(
        status=UNKNOWN_FAULT.status,
        pattern=rf"(?!{others})[1345]\d{{2}}",
        template=prefix + UNKNOWN_FAULT.body.decode(),
    )


def origin_template(origins: Sequence[str]) -> str:
    """Return Velocity that allows the caller's origin, if it is one of several."""
    if len(origins) < 2 or "*" in origins:  # noqa: PLR2004 (one is a fixed header)
        return ""
    ask = "$input.params().header.get"
    is_one = " || ".join(f'$origin == "{origin}"' for origin in origins)
    return (
        f'#set($origin = {ask}("origin"))#if(!$origin || $origin == "")'
        f'#set($origin = {ask}("Origin"))#end'
        f"#if({is_one})#set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)"
        '#end#set($context.responseOverride.header.Vary = "Origin")'
    )


def _model_error() -> str:
    """Return Velocity for a ``ModelError``: what its container said decides, as it does locally."""
    full, failed = FAULT_ANSWERS["ServiceUnavailable"], FAULT_ANSWERS["ModelError"]
    override = "#set($context.responseOverride"
    over_capacity = full.body.decode()
    retry = "".join(f'{override}.header.{name} = "{value}")' for name, value in full.headers)
    status = "$input.path('$.OriginalStatusCode')"
    return (
        # As text, because comparing a number that is missing fails.
        f"""#set($status = "{status.replace("$", "$!", 1)}")"""
        "#set($said = $input.path('$.OriginalMessage'))"
        f'#if($status == "{full.status}"){override}.status = {full.status}){retry}{over_capacity}'
        f'#elseif($status.matches("4[0-9][0-9]")){override}.status = {status})'
        """#if($said && $said.matches('[{]"error":.*[}][}]'))$said"""
        f"#else{REFUSED_BY_MODEL.decode()}#end"
        f"#else{failed.body.decode()}#end"
    )


def gateway_answers(*, signed: bool) -> Iterator[GatewayAnswer]:
    """
    Yield one answer for each refusal of API Gateway's own that has a counterpart in the front.

    Args:
        signed: Whether requests must be signed. API Gateway has one refusal for a request without
            a signature and for a path that does not exist; where nothing is signed it is the
            second.
    """
    retry = dict(FAULT_ANSWERS["ThrottlingException"].headers)
    later = FAULT_ANSWERS["ThrottlingException"]
    yield _told("BAD_REQUEST_BODY", 400, "invalid_payload")
    yield _told("BAD_REQUEST_PARAMETERS", 400, "invalid_payload")
    yield _told(
        "UNSUPPORTED_MEDIA_TYPE",
        415,
        "unsupported_media_type",
        "this content-type is not supported; application/json is",
    )
    yield _told("REQUEST_TOO_LARGE", 413, "payload_too_large", "the body is too large")
    for kind in ("THROTTLED", "QUOTA_EXCEEDED"):
        yield _told(kind, later.status, later.code, later.message, headers=retry)
    for kind in ("ACCESS_DENIED", "EXPIRED_TOKEN", "INVALID_API_KEY", "INVALID_SIGNATURE"):
        yield _told(kind, 403, "forbidden")
    yield _told("UNAUTHORIZED", 401, "unauthorized")
    yield (
        _told("MISSING_AUTHENTICATION_TOKEN", 403, "forbidden", _NOT_SIGNED)
        if signed
        else _told("MISSING_AUTHENTICATION_TOKEN", 404, "not_found", "there is no such path here")
    )
    yield _told("INTEGRATION_TIMEOUT", 504, "endpoint_timeout", "the endpoint took too long")
    yield _told(
        "INTEGRATION_FAILURE", UNKNOWN_FAULT.status, UNKNOWN_FAULT.code, UNKNOWN_FAULT.message
    )
    yield _told("API_CONFIGURATION_ERROR", 500, "internal", "the front failed on this request")
    yield _told("RESOURCE_NOT_FOUND", 404, "not_found", "there is no such path here")
    yield _told("DEFAULT_4XX", None, "refused")
    yield _told("DEFAULT_5XX", None, "internal", "the front failed on this request")


_NOT_SIGNED: Final = "the request is not signed, or there is no such path here"


def _told(
    kind: str,
    status: int | None,
    code: str,
    message: str | None = None,
    *,
    headers: Mapping[str, str] | None = None,
) -> GatewayAnswer:
    """Without a message of ours it is API Gateway's own, which it quotes itself."""
    quoted = _MESSAGE if message is None else json.dumps(message)
    return GatewayAnswer(
        kind=kind,
        status=status,
        template=f'{{"error":{{"code":{json.dumps(code)},"message":{quoted}}}}}',
        headers=headers or {},
    )
