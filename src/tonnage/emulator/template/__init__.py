"""
A CloudFormation template, applied to the local SageMaker.

The resources that are known become the same calls that a client would make, in the order of their
references; the others are named, never skipped in silence.
"""

from .applying import AppliedResource, AppliedTemplate, apply_template
from .reading import read_template

__all__ = ["AppliedResource", "AppliedTemplate", "apply_template", "read_template"]
