"""
``tonnage verify``: what runs, held against what was planned.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tonnage.planning import PriceBook

from .findings import Expected, Finding, equal
from .live import Clients, LiveEndpoint, read_endpoint
from .service_findings import notes_on, service_findings
from .settings_findings import settings_findings

__all__ = ["Verification", "hold_against", "verify"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """
    What came of it.

    Attributes:
        endpoint_name: The endpoint.
        findings: Everything that was compared.
        notes: What could not be.
        window_seconds: How far back was looked.
        minutes: How many minutes of it had traffic.
    """

    endpoint_name: str
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    window_seconds: float
    minutes: int

    @property
    def drift(self) -> tuple[Finding, ...]:
        """What differs."""
        return tuple(finding for finding in self.findings if finding.is_drift)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "endpoint": self.endpoint_name,
            "verdict": "drift" if self.drift else "as planned",
            "drift": [finding.what for finding in self.drift],
            "findings": [
                {
                    "what": finding.what,
                    "planned": finding.planned,
                    "actual": finding.actual,
                    "drift": finding.is_drift,
                }
                for finding in self.findings
            ],
            "notes": list(self.notes),
            "window_seconds": self.window_seconds,
            "minutes_with_traffic": self.minutes,
        }


def verify(
    clients: Clients,
    expected: Expected,
    book: PriceBook,
    *,
    now: datetime,
    window_seconds: float = 3 * 3600.0,
) -> Verification:
    """
    Hold a running endpoint against its plan.

    Args:
        clients: Service → its boto3 client; only read.
        expected: What was planned.
        book: The prices.
        now: The end of the window of metrics.
        window_seconds: How far back to look.

    Raises:
        ConfigurationError: If there is no such endpoint or variant.
        DeploymentError: If AWS does not answer, or refuses.
    """
    live = read_endpoint(
        clients,
        expected.endpoint_name,
        expected.variant.variant_name,
        expected.objective.latency,
        now=now,
        window_seconds=window_seconds,
    )
    return hold_against(expected, live, book)


def hold_against(expected: Expected, live: LiveEndpoint, book: PriceBook) -> Verification:
    """Compare what is with what was planned; pure."""
    findings = (
        equal("EndpointStatus", "InService", live.status),
        *settings_findings(expected.variant, live),
        *service_findings(expected, live, book),
    )
    return Verification(
        endpoint_name=live.name,
        findings=findings,
        notes=tuple(notes_on(expected, live)),
        window_seconds=live.window_seconds,
        minutes=len(live.minutes),
    )
