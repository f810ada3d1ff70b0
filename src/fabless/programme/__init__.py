"""An own-chip programme as a Monte-Carlo: dates, outcome, spins and spend, then a chain for a
scenario tree.

`parameters` says what a programme is, `route` and `stages` lay out its graph, `posterior` says what
few cases allow, `simulation` draws it, `bands` condenses the draws for a reader, and `chain` turns
them into paths that a planner can branch on without seeing the future.
"""

from fabless.programme.bands import ProgrammeSummary, StageBand, ramp_share, summary
from fabless.programme.chain import ChainState, OutcomeChain, OutcomeGroup, Transition, discretise
from fabless.programme.draws import DrawnOutcomes, End, OutcomeKind, RateDraws
from fabless.programme.parameters import PricePath, ProgrammeModel, Rate, Route, SecondGeneration
from fabless.programme.posterior import (
    CredibleBand,
    LogTime,
    LogTimePrior,
    PseudoCounts,
    beta_quantile,
    credible_band,
    jeffreys,
    log_time,
    pooled_prior,
)
from fabless.programme.route import route_stages
from fabless.programme.simulation import simulate
from fabless.programme.stages import Duration, Gate, Stage, dates, topological_order

__all__ = [
    "ChainState",
    "CredibleBand",
    "DrawnOutcomes",
    "Duration",
    "End",
    "Gate",
    "LogTime",
    "LogTimePrior",
    "OutcomeChain",
    "OutcomeGroup",
    "OutcomeKind",
    "PricePath",
    "ProgrammeModel",
    "ProgrammeSummary",
    "PseudoCounts",
    "Rate",
    "RateDraws",
    "Route",
    "SecondGeneration",
    "Stage",
    "StageBand",
    "Transition",
    "beta_quantile",
    "credible_band",
    "dates",
    "discretise",
    "jeffreys",
    "log_time",
    "pooled_prior",
    "ramp_share",
    "route_stages",
    "simulate",
    "summary",
    "topological_order",
]
