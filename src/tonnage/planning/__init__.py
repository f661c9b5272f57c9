"""
Traffic, load lines and dated prices → the cheapest policy that meets an objective, and why.

``plan`` looks for it: it searches, once for each different load line, a grid of target-tracking
policies and the neighbourhood of its best (``search``), and around it schedules, steps and the
metric of 10 seconds (``alternatives``), each tried by the simulator (``trials``).
What was tried becomes options with a price (``making``, ``costs``), next to serverless inference
(``serverless``) and the fronts; what AWS would refuse is refused (``limits``); the reasons are put
into sentences (``explaining``). Prices are a file, each figure with its source, region, date and
confidence (``prices``, ``price_file``); ``refresh`` asks AWS for those it names.

The price: an answer rests on a load line that was measured. Types without one are considered, on a
line scaled by vCPU, but never chosen. A week of traffic takes some ten seconds.
"""

from .alternatives import with_alternatives
from .calendars import UNKNOWN_CALENDAR, Calendar
from .costs import HOURS_A_MONTH, CallShape, Front, MonthlyCost, Usage, monthly_cost
from .kinds import CONCURRENCY, INVOCATIONS, PolicyKind
from .limits import (
    Limits,
    check_capacity,
    check_front,
    check_real_time,
    check_serverless,
    find_type,
)
from .lines import LoadLine, load_lines
from .options import Option
from .planner import PUBLIC_FRONTS, SAFETY_FACTOR, plan
from .plans import Plan, Traffic
from .policies import Policies, PolicySettings
from .price_file import read_prices
from .price_writing import prices_document, write_prices
from .prices import Confidence, InstanceType, Price, PriceBook, Tier, price_warnings
from .refresh import RefreshedPrices, price_list_client, refresh_prices
from .search import search_policies
from .searched import Alternative, Outcomes, Searched
from .series import (
    PolicyTimeline,
    WhatIfSeries,
    instance_dollars,
    policy_timeline,
    what_if,
)
from .serverless import ServerlessAssumptions, ServerlessSettings, try_serverless
from .settings_text import planned_settings
from .space import DEFAULT_FAILED_SHARE, DEFAULT_MARGIN, SearchSpace
from .tables import MARKS, plan_rows, plan_table, prices_table
from .trials import FleetTrial, RaisedProfile, peak_rate_per_second

__all__ = [
    "CONCURRENCY",
    "DEFAULT_FAILED_SHARE",
    "DEFAULT_MARGIN",
    "HOURS_A_MONTH",
    "INVOCATIONS",
    "MARKS",
    "PUBLIC_FRONTS",
    "SAFETY_FACTOR",
    "UNKNOWN_CALENDAR",
    "Alternative",
    "Calendar",
    "CallShape",
    "Confidence",
    "FleetTrial",
    "Front",
    "InstanceType",
    "Limits",
    "LoadLine",
    "MonthlyCost",
    "Option",
    "Outcomes",
    "Plan",
    "Policies",
    "PolicyKind",
    "PolicySettings",
    "PolicyTimeline",
    "Price",
    "PriceBook",
    "RaisedProfile",
    "RefreshedPrices",
    "SearchSpace",
    "Searched",
    "ServerlessAssumptions",
    "ServerlessSettings",
    "Tier",
    "Traffic",
    "Usage",
    "WhatIfSeries",
    "check_capacity",
    "check_front",
    "check_real_time",
    "check_serverless",
    "find_type",
    "instance_dollars",
    "load_lines",
    "monthly_cost",
    "peak_rate_per_second",
    "plan",
    "plan_rows",
    "plan_table",
    "planned_settings",
    "policy_timeline",
    "price_list_client",
    "price_warnings",
    "prices_document",
    "prices_table",
    "read_prices",
    "refresh_prices",
    "search_policies",
    "try_serverless",
    "what_if",
    "with_alternatives",
    "write_prices",
]
