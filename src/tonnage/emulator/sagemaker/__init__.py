"""
SageMaker's control plane for the local SageMaker: models, endpoint configs, endpoints, tags.
"""

from ._service import sagemaker_service

__all__ = ["sagemaker_service"]
