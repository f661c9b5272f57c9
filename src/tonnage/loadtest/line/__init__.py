"""
The load line: the highest open-loop rate at which an objective holds, with an interval.

``next_trial`` is the search: a pure function of the plan and the trials so far. ``Trials`` runs
them: ``VirtualTarget`` in virtual time, ``EngineTrials`` for real. ``read_trial`` judges what comes
back, ``Belief`` holds what follows from it, and ``conclude`` puts it into words. ``find_line`` is
the loop around them.

A search of 60 s makes 15 to 25 trials and costs a few milliseconds of thought for each.
"""

from .belief import Belief, Evidence
from .curve import CurvePoint, Knee
from .engine import EngineTrials
from .find import find_line
from .finding import LineVerdict
from .measurement import LineMeasurement, line
from .pair import LinePair, find_lines_in_turn, line_pair
from .plan import LinePlan
from .reading import read_trial
from .result import LoadLine, conclude
from .scaling import ScalingLaw, ScalingPoint, fit_scaling
from .search import next_trial
from .sharing import Cores
from .terms import ErrorTerm, GoodputTerm, LatencyTerm, Term, TermResult, parse_terms
from .trials import Trial, TrialOutcome, TrialRun, Trials
from .virtual import TargetShape, VirtualTarget

__all__ = [
    "Belief",
    "Cores",
    "CurvePoint",
    "EngineTrials",
    "ErrorTerm",
    "Evidence",
    "GoodputTerm",
    "Knee",
    "LatencyTerm",
    "LineMeasurement",
    "LinePair",
    "LinePlan",
    "LineVerdict",
    "LoadLine",
    "ScalingLaw",
    "ScalingPoint",
    "TargetShape",
    "Term",
    "TermResult",
    "Trial",
    "TrialOutcome",
    "TrialRun",
    "Trials",
    "VirtualTarget",
    "conclude",
    "find_line",
    "find_lines_in_turn",
    "fit_scaling",
    "line",
    "line_pair",
    "next_trial",
    "parse_terms",
    "read_trial",
]
