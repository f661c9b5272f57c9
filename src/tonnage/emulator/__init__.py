"""
A local SageMaker: an endpoint whose instances are real processes, scaled by AWS's rules.

One process listens on one local port, routes invocations and evaluates the scaling policy; a zygote
beside it forks the instances. Time can be compressed, rates cannot. It needs no Docker, account,
network or root.
"""

from ._up import BackgroundEndpoint, up, up_in_background
from .options import DEFAULT_PORT, EndpointOptions, LocalOptions, ScalingOptions, UpOptions

__all__ = [
    "DEFAULT_PORT",
    "BackgroundEndpoint",
    "EndpointOptions",
    "LocalOptions",
    "ScalingOptions",
    "UpOptions",
    "up",
    "up_in_background",
]
