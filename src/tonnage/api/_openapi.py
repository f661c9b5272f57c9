"""
The service's OpenAPI document, derived from its two pydantic models.
"""

import json
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from tonnage.artefact import LoadedService

__all__ = ["openapi_document"]

_REFUSALS: Final = {
    "400": "The body is not what the service takes; the fields at fault are named.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "424": "The model failed on this request.",
    "503": "No instance has room now; try again later.",
}


def openapi_document(service: LoadedService, *, name: str, route: str) -> bytes:
    """Return the OpenAPI 3.1 document of a service behind ``route``, as JSON."""
    row, result = service.service.row, service.service.result
    references, schemas = models_json_schema(
        [(row, "validation"), (result, "serialization")],
        ref_template="#/components/schemas/{model}",
    )
    definitions: dict[str, Any] = {**schemas.get("$defs", {}), _ERROR_NAME: _ERROR}
    golden = service.manifest.golden
    operation = {
        "operationId": "predict",
        "summary": _first_line(service.service.__doc__) or f"Predict with {name}.",
        "requestBody": {
            "required": True,
            "content": _content(references[row, "validation"], golden.rows[0]),
        },
        "responses": {
            "200": {
                "description": "The prediction.",
                "content": _content(references[result, "serialization"], golden.results[0]),
            },
            **{
                status: {"description": text, "content": _content(_ERROR_REFERENCE)}
                for status, text in _REFUSALS.items()
            },
        },
    }
    document = {
        "openapi": "3.1.0",
        "info": {"title": name, "version": service.manifest.digest[:12]},
        "paths": {route: {"post": operation}},
        "components": {"schemas": definitions},
    }
    return json.dumps(document, indent=1).encode()


# No Python class has a dot in its name, so no model of the user's is called this.
_ERROR_NAME: Final = "Tonnage.Error"
_ERROR_REFERENCE: Final = {"$ref": f"#/components/schemas/{_ERROR_NAME}"}
_ERROR: Final = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "fields": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["field", "message"],
                        "properties": {
                            "field": {"type": "string"},
                            "message": {"type": "string"},
                        },
                    },
                },
            },
        }
    },
}


def _content(schema: object, example: object = None) -> dict[str, Any]:
    media = {"schema": schema} if example is None else {"schema": schema, "example": example}
    return {"application/json": media}


def _first_line(text: str | None) -> str:
    return next((line.strip() for line in (text or "").splitlines() if line.strip()), "")
