"""Compare the ways on the same scenarios and say what to do."""

from fabless.decide.detail import DETAILS, Detail, detail_of
from fabless.decide.fresh.results import FreshTest
from fabless.decide.results import (
    Action,
    BuildUpRow,
    ChipCostRow,
    Decision,
    Flip,
    Foresight,
    KnowledgeValue,
    OptionValue,
    ProgrammeValue,
    Questions,
    RegretRow,
    Resale,
    Resilience,
    Sensitivity,
    SobolIndex,
    Stability,
    Surface,
    TimelineStage,
    WayResult,
)
from fabless.decide.run import decide
from fabless.records import Band

__all__ = [
    "DETAILS",
    "Action",
    "Band",
    "BuildUpRow",
    "ChipCostRow",
    "Decision",
    "Detail",
    "Flip",
    "Foresight",
    "FreshTest",
    "KnowledgeValue",
    "OptionValue",
    "ProgrammeValue",
    "Questions",
    "RegretRow",
    "Resale",
    "Resilience",
    "Sensitivity",
    "SobolIndex",
    "Stability",
    "Surface",
    "TimelineStage",
    "WayResult",
    "decide",
    "detail_of",
]
