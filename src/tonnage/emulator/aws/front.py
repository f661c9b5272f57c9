"""
The control plane's front: finds the operation, checks what it is given, answers as AWS would.
"""

import logging
import time
import uuid
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tonnage.domain import ConfigurationError
from tonnage.emulator._place import REGION
from tonnage.http import Request, Response

from ._models import OperationModel, ServiceModel, require_botocore, service_model
from ._query import form_of
from ._signature import Credentials, check_signature
from ._validation import checked_input
from ._wire import CborWire, JsonWire, QueryWire, Refusal, Wire
from .operations import AwsError, AwsService

__all__ = ["AwsFront"]

logger = logging.getLogger(__name__)

_TARGET: Final = "x-amz-target"
_JSON: Final = "application/x-amz-json-1.1"
_FORM: Final = "application/x-www-form-urlencoded"
_CBOR_PATH: Final = "/service/"
_MAX_INFLATED_BYTES: Final = 32 * 1024 * 1024
_CALL_PARTS: Final = 5  # "", "service", its name, "operation", its name


@dataclass(frozen=True, kw_only=True, slots=True)
class _Call:
    """Which operation of which service is called, in which protocol."""

    service: AwsService
    operation_name: str
    wire: Wire


class AwsFront:
    """
    AWS's control-plane protocols in front of services.

    Args:
        services: What can be called.
        credentials: The key that requests must be signed with; None takes any signature, or none.
        region: What a signature's credential must be scoped to.
        now_epoch_seconds: The wall clock.

    Raises:
        ConfigurationError: If signatures are to be checked and botocore is not installed.
    """

    def __init__(
        self,
        services: Iterable[AwsService],
        *,
        credentials: Credentials | None = None,
        region: str = REGION,
        now_epoch_seconds: Callable[[], float] = time.time,
    ) -> None:
        if credentials is not None:
            require_botocore()
        self._services = {service.target_prefix: service for service in services}
        self._credentials = credentials
        self._region = region
        self._now_epoch_seconds = now_epoch_seconds

    @staticmethod
    def takes(request: Request) -> bool:
        """Say whether a request is for the control plane, whatever becomes of it."""
        if request.method != "POST":
            return False
        headers = request.headers
        return (
            _TARGET in headers
            or (headers.get("smithy-protocol") is not None and request.path.startswith(_CBOR_PATH))
            or (request.path == "/" and headers.get("content-type", "").startswith(_FORM))
        )

    async def answer(self, request: Request) -> Response:
        """Return what AWS would answer; a fault of an operation is an ``InternalFailure``."""
        request_id = str(uuid.uuid4())
        try:
            call = self._call(request)
            model = service_model(call.service.name)
        except AwsError as error:
            return self._wire(request).refusal(_unmodelled(error), request_id)
        except ConfigurationError as error:  # botocore is missing
            logger.error("%s; %s", error.message, error.hint)  # noqa: TRY400 (a known fault needs no trace)
            return self._wire(request).refusal(_unmodelled(_not_there(error)), request_id)
        try:
            operation, answer = await self._answered(call, model, request)
        except AwsError as error:
            return call.wire.refusal(_refusal(model, error), request_id)
        except Exception:
            logger.exception("%s of %s failed", call.operation_name, call.service.name)
            fault = AwsError("InternalFailure", f"{call.operation_name} failed", status=500)
            return call.wire.refusal(_refusal(model, fault), request_id)
        return call.wire.answer(operation, answer, request_id)

    async def _answered(
        self, call: _Call, model: ServiceModel, request: Request
    ) -> tuple[OperationModel, Mapping[str, Any]]:
        self.authorise(request, model.signing_name)
        name = call.operation_name
        if name not in model.operation_names:
            raise _unknown(f"{name} is no operation of {call.service.name}")
        if name not in call.service.operations:
            there = ", ".join(sorted(call.service.operations))
            raise _unknown(f"{name} of {call.service.name} is not emulated; these are: {there}")
        operation = model.operation_model(name)
        given = call.wire.parameters(operation, _plain_body(request))
        parameters = checked_input(operation.input_shape, given)
        return operation, await call.service.operations[name](parameters)

    async def call(
        self, service: str, operation: str, parameters: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """
        Return what an operation answers to a caller in this process.

        Args:
            service: botocore's name of the service.
            operation: AWS's name of the operation.
            parameters: What it is given, checked as a client's.

        Raises:
            AwsError: As a client would be told.
        """
        for known in self._services.values():
            if known.name == service and operation in known.operations:
                shape = service_model(service).operation_model(operation).input_shape
                return await known.operations[operation](checked_input(shape, dict(parameters)))
        raise _unknown(f"{operation} of {service} is not emulated")

    def authorise(self, request: Request, signing_name: str) -> None:
        """
        Return if the request is signed as it must be.

        Raises:
            AwsError: If signatures are checked and this one is not valid.
        """
        if self._credentials is not None:
            check_signature(
                request,
                self._credentials,
                signing_name=signing_name,
                region=self._region,
                now_epoch_seconds=self._now_epoch_seconds(),
            )

    def _call(self, request: Request) -> _Call:
        if _TARGET in request.headers:
            prefix, _, name = request.headers[_TARGET].rpartition(".")
            return self._called(prefix, name, request)
        if request.path.startswith(_CBOR_PATH):
            parts = request.path.split("/")
            if len(parts) != _CALL_PARTS or parts[3] != "operation":
                raise _unknown(f"{request.path} names no operation")
            return self._called(parts[2], parts[4], request)
        return self._called_by_form(request)

    def _called(self, prefix: str, name: str, request: Request) -> _Call:
        service = self._services.get(prefix)
        if service is None:
            there = ", ".join(sorted(self._services))
            raise _unknown(f"{prefix}.{name} is of no service here; there are: {there}")
        return _Call(service=service, operation_name=name, wire=self._wire(request))

    def _called_by_form(self, request: Request) -> _Call:
        form = form_of(_plain_body(request))
        name, version = form.get("Action", ""), form.get("Version", "")
        for service in self._services.values():
            metadata = service_model(service.name).metadata
            if "query" in metadata["protocols"] and metadata["apiVersion"] == version:
                wire = QueryWire(metadata["xmlNamespace"])
                return _Call(service=service, operation_name=name, wire=wire)
        raise _unknown(f"the action {name!r} of version {version!r} is of no service here")

    def _wire(self, request: Request) -> Wire:
        if _TARGET in request.headers:
            is_compatible = request.headers.get("x-amzn-query-mode") == "true"
            return JsonWire(request.headers.get("content-type", _JSON), is_compatible)
        if request.path.startswith(_CBOR_PATH):
            return CborWire()
        return QueryWire("http://webservices.amazon.com/AWSFault/2005-15-09")


def _plain_body(request: Request) -> bytes:
    if request.headers.get("content-encoding", "identity") != "gzip":
        return request.body
    inflater = zlib.decompressobj(wbits=31)
    try:
        body = inflater.decompress(request.body, _MAX_INFLATED_BYTES)
    except zlib.error as error:
        raise AwsError("SerializationException", f"the body is no gzip: {error}") from error
    if not inflater.eof:
        raise AwsError("SerializationException", "the body is cut off, or over 32 MiB inflated")
    return body


def _unknown(message: str) -> AwsError:
    return AwsError("UnknownOperationException", message)


def _not_there(error: ConfigurationError) -> AwsError:
    """Return the refusal of every call while a library is missing; clients do not try it again."""
    return AwsError("NotImplemented", f"{error.message}: {error.hint}", status=501)


def _unmodelled(error: AwsError) -> Refusal:
    return Refusal(
        shape=error.code,
        code=error.code,
        message_member="message",
        message=error.message,
        status=error.status,
    )


def _refusal(model: ServiceModel, error: AwsError) -> Refusal:
    """Return a refusal as the service's model spells it, where it has the error."""
    if error.code not in model.shape_names:
        return _unmodelled(error)
    shape = model.shape_for(error.code)
    spelled = (name for name in shape.members if name.lower() == "message")
    described = shape.metadata.get("error", {})
    return Refusal(
        shape=error.code,
        code=described.get("code", error.code),
        message_member=next(spelled, "message"),
        message=error.message,
        status=described.get("httpStatusCode", error.status),
    )
