"""
What the fronts' constructs share.
"""

from collections.abc import Mapping
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_logs
from constructs import IConstruct

__all__ = ["acknowledge", "log_retention"]

_DAYS: Final[Mapping[int, aws_logs.RetentionDays]] = {
    1: aws_logs.RetentionDays.ONE_DAY,
    3: aws_logs.RetentionDays.THREE_DAYS,
    5: aws_logs.RetentionDays.FIVE_DAYS,
    7: aws_logs.RetentionDays.ONE_WEEK,
    14: aws_logs.RetentionDays.TWO_WEEKS,
    30: aws_logs.RetentionDays.ONE_MONTH,
    60: aws_logs.RetentionDays.TWO_MONTHS,
    90: aws_logs.RetentionDays.THREE_MONTHS,
    120: aws_logs.RetentionDays.FOUR_MONTHS,
    150: aws_logs.RetentionDays.FIVE_MONTHS,
    180: aws_logs.RetentionDays.SIX_MONTHS,
    365: aws_logs.RetentionDays.ONE_YEAR,
    400: aws_logs.RetentionDays.THIRTEEN_MONTHS,
    731: aws_logs.RetentionDays.TWO_YEARS,
}


def log_retention(days: int) -> aws_logs.RetentionDays:
    """Return CloudWatch's period for a number of days: the shortest that is as long."""
    return _DAYS[min((each for each in _DAYS if each >= days), default=max(_DAYS))]


def acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Note why a finding of cdk-nag's AwsSolutions pack is accepted here."""
    cdk.Validations.of(construct).acknowledge(
        *(
            cdk.Acknowledgment(id=f"AwsSolutions::{rule}", reason=reason)
            for rule, reason in reasons.items()
        )
    )
