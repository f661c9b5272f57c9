"""
The REST front of a service: one function without I/O, and its OpenAPI document.

Adapters live at the edges: the emulator's event loop, AWS Lambda, Chalice.
"""

from ._front import ApiResponse, Front, Invocation, InvocationResult
from ._openapi import openapi_document

__all__ = ["ApiResponse", "Front", "Invocation", "InvocationResult", "openapi_document"]
