"""
Why an invocation reaches no container.
"""

from ._place import ACCOUNT

__all__ = ["InvocationRefused"]


class InvocationRefused(Exception):  # noqa: N818 (a refusal, as the client sees it; no fault of ours)
    """
    A refusal by the router itself.

    Attributes:
        shape: The error's name in ``sagemaker-runtime``.
        status: The HTTP status.
        message: In AWS's style.
    """

    def __init__(self, shape: str, status: int, message: str) -> None:
        super().__init__(message)
        self.shape = shape
        self.status = status
        self.message = message

    @classmethod
    def validation(cls, message: str) -> "InvocationRefused":
        """Return the refusal of an invocation that can reach nothing."""
        return cls("ValidationError", 400, message)

    @classmethod
    def not_found(cls, endpoint_name: str) -> "InvocationRefused":
        """Return the refusal for an endpoint that is not there, or not yet, or no more."""
        return cls.validation(f"Endpoint {endpoint_name} of account {ACCOUNT} not found.")

    @classmethod
    def throttled(cls, variant_name: str, max_concurrency: int) -> "InvocationRefused":
        """Return the refusal of a serverless variant that is full."""
        return cls(
            "ThrottlingException",
            429,
            f"Rate exceeded: variant {variant_name} serves {max_concurrency} invocations at a time"
            " (MaxConcurrency).",
        )

    @classmethod
    def not_ready(cls, variant_name: str) -> "InvocationRefused":
        """Return the refusal of a serverless variant whose instance does not come up."""
        return cls(
            "ModelNotReadyException",
            429,
            f"The resources of serverless variant {variant_name} are still being provisioned."
            " Wait and try your request again.",
        )

    @classmethod
    def unavailable(cls, variant_name: str) -> "InvocationRefused":
        """Return the refusal of a variant without an instance in service."""
        return cls(
            "ServiceUnavailable",
            503,
            f"Variant {variant_name} has no instance in service.",
        )
