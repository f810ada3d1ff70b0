"""Designs for a load: those that can be made, those that serve it, and the best of them."""

from fabless.explore.answer import Exploration, Market, Winner, explore
from fabless.explore.checkpoint import Checkpoint
from fabless.explore.found import SweepState
from fabless.explore.front import Kept, best_designs, front_of
from fabless.explore.limits import DesignLimits, screen
from fabless.explore.serving import Served, ServingScorer
from fabless.explore.space import Space, read_space
from fabless.explore.sweep import DesignScores, Scorer, Swept, Task, run_chunk, sweep
from fabless.explore.technology import limits_of, technology_of

__all__ = [
    "Checkpoint",
    "DesignLimits",
    "DesignScores",
    "Exploration",
    "Kept",
    "Market",
    "Scorer",
    "Served",
    "ServingScorer",
    "Space",
    "SweepState",
    "Swept",
    "Task",
    "Winner",
    "best_designs",
    "explore",
    "front_of",
    "limits_of",
    "read_space",
    "run_chunk",
    "screen",
    "sweep",
    "technology_of",
]
