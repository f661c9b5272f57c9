"""
What a front runs on AWS: copied into the Lambda package, as ``tonnage_front``, and never run here.

It stands on ``tonnage.api`` and botocore alone. Importing it costs what the front needs before its
first request; the model, numpy and the runtime that predicts stay on the endpoint.
"""

from typing import Final

__all__ = ["ENDPOINT_VARIABLE"]

ENDPOINT_VARIABLE: Final = "TONNAGE_ENDPOINT_NAME"
"""The function's environment variable that names the endpoint."""
