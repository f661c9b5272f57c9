"""
The pictures of a plan: what happens over time, what attainment costs, what one knob does.

Plain data in, charts out; nothing here knows how the numbers came about.
"""

from .frontier import CostPoint, frontier_chart
from .over_time import PlanTimeline, timeline_chart
from .what_if import WhatIf, what_if_chart

__all__ = [
    "CostPoint",
    "PlanTimeline",
    "WhatIf",
    "frontier_chart",
    "timeline_chart",
    "what_if_chart",
]
