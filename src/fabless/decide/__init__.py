"""Compare the ways on the same scenarios and say what to do."""

from fabless.decide.results import (
    Action,
    BuildUpLine,
    ChipCostLine,
    Decision,
    ProgrammeValue,
    Sensitivity,
    StrategyResult,
    TimelineStage,
)
from fabless.decide.run import decide
from fabless.records import Band

__all__ = [
    "Action",
    "Band",
    "BuildUpLine",
    "ChipCostLine",
    "Decision",
    "ProgrammeValue",
    "Sensitivity",
    "StrategyResult",
    "TimelineStage",
    "decide",
]
