"""
The REST front of a service: one function without I/O, and its OpenAPI document.

Adapters live at the edges: the emulator's event loop, AWS Lambda, Chalice.
"""

from ._draft4 import draft4_schema
from ._faults import FAULT_ANSWERS, UNKNOWN_FAULT, EndpointFault, FaultAnswer
from ._front import CORS_HEADERS, ApiResponse, Front, Invocation, InvocationResult
from ._openapi import openapi_document

__all__ = [
    "CORS_HEADERS",
    "FAULT_ANSWERS",
    "UNKNOWN_FAULT",
    "ApiResponse",
    "EndpointFault",
    "FaultAnswer",
    "Front",
    "Invocation",
    "InvocationResult",
    "draft4_schema",
    "openapi_document",
]
