"""
AWS's control-plane protocols on the local port: JSON in, JSON out, AWS's own error shapes.

A service is a table of operations. What arrives is checked against botocore's own model of the
service before an operation sees it, so that an operation is written for valid input alone.

JSON 1.0 and 1.1 are what today's boto3 and AWS CLI speak; CloudWatch is understood in the query
protocol of older ones and in smithy's rpc-v2-cbor of other SDKs as well.
"""

from ._models import JsonValue, Shape, service_model
from ._signature import Credentials
from .front import AwsFront
from .operations import AwsError, AwsService, Operation

__all__ = [
    "AwsError",
    "AwsFront",
    "AwsService",
    "Credentials",
    "JsonValue",
    "Operation",
    "Shape",
    "service_model",
]
