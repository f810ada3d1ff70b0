"""An own-chip programme as a Monte-Carlo: dates, outcome, spins and spend, then a chain for a scenario tree.

`parameters` says what a programme is, `simulation` draws it, `bands` condenses the draws for a reader, and `chain`
turns them into paths that a planner can branch on without seeing the future.
"""

from fabless.programme.bands import ProgrammeSummary, StageBand, summary
from fabless.programme.chain import PathOutcome, ProgrammeChain, ProgrammePath, Transition, discretise
from fabless.programme.parameters import ProgrammeParameters, PseudoCounts, Route
from fabless.programme.simulation import ProgrammeDraws, ProgrammeOutcome, simulate

__all__ = [
    "PathOutcome",
    "ProgrammeChain",
    "ProgrammeDraws",
    "ProgrammeOutcome",
    "ProgrammeParameters",
    "ProgrammePath",
    "ProgrammeSummary",
    "PseudoCounts",
    "Route",
    "StageBand",
    "Transition",
    "discretise",
    "simulate",
    "summary",
]
