"""
AWS's control-plane protocols on the local port: JSON in, JSON out, AWS's own error shapes.

A service is a table of operations. What arrives is checked against botocore's own model of the
service before an operation sees it, so that an operation is written for valid input alone.
"""

from .operations import AwsError, AwsService, Operation

__all__ = ["AwsError", "AwsService", "Operation"]
