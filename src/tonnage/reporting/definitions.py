"""
What each number in a report means, printed beside the numbers.
"""

from typing import Final

from .sections import Section

__all__ = ["definitions"]

_DEFINITIONS: Final = {
    "Second": (
        "Time since the load began. A request counts in the second it was sent. Of a long run "
        "several seconds are taken together, as its time axis says, and rates are their mean."
    ),
    "Offered": "Requests sent per second, answered or not; at peak, the most in one whole second.",
    "Succeeded": "Requests answered with a 2xx status, in the second they were sent.",
    "Failed": "All other requests: another status, or no answer at all.",
    "Failures begin": (
        "At the failure that opens the first three seconds with at least 1 % failed in each; the "
        "rate is what was sent in the second before it."
    ),
    "Carried": (
        "Requests answered with a 2xx status per second: the median over all whole seconds that "
        "began after failures did or, where they never do, over those within 5 % of the peak."
    ),
    "Latency": (
        "From the moment a request was meant to be sent to the last byte of its answer, over all "
        "answered requests, failed ones too. A percentile is the smallest latency that this share "
        "of them does not exceed: one of the measured values, never an interpolation."
    ),
    "Sends spread over": (
        "The shortest stretch of a second that holds 90 % of its sends, median over all full "
        "seconds: 0.9 s when users are evenly spread, close to 0 when they go in step."
    ),
    "Desired, in service": (
        "Instances that scaling has asked for; instances that take requests now. Between them "
        "lies the provisioning delay."
    ),
    "Emulated cap": (
        "What the instances in service carry together where each is held to the rate that the "
        "settings name: a stand-in for another machine, not a property of this one."
    ),
}


def definitions() -> Section:
    """Return how each number is defined."""
    return Section(
        title="How each number is defined",
        columns=("Number", "Definition"),
        rows=list(_DEFINITIONS.items()),
    )
