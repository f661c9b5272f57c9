"""
A local SageMaker: endpoints whose instances are real processes, scaled by AWS's rules.

One process listens on one local port, routes invocations, answers AWS's control plane and evaluates
the scaling policies; beside it a zygote for each model forks the instances. Time can be compressed,
rates cannot. It needs no Docker, account, network or root.
"""

from ._background import BackgroundEndpoint, up_in_background
from ._up import up
from .aws import Credentials
from .faults import Fault, FaultAction, read_faults
from .options import (
    DEFAULT_PORT,
    EndpointOptions,
    LocalOptions,
    ScalingOptions,
    TemplateOptions,
    UpOptions,
)
from .template import AppliedTemplate

__all__ = [
    "DEFAULT_PORT",
    "AppliedTemplate",
    "BackgroundEndpoint",
    "Credentials",
    "EndpointOptions",
    "Fault",
    "FaultAction",
    "LocalOptions",
    "ScalingOptions",
    "TemplateOptions",
    "UpOptions",
    "read_faults",
    "up",
    "up_in_background",
]
