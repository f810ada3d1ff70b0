"""Designs for a load: those that can be made, those that serve it, and the best of them."""

from fabless.explore.answer import Exploration, Market, Winner, explore
from fabless.explore.checkpoint import Checkpoint
from fabless.explore.found import Found
from fabless.explore.front import Kept, best_of, front_of
from fabless.explore.limits import Limits, screen
from fabless.explore.serving import Served, Serving
from fabless.explore.space import Space, read_space
from fabless.explore.sweep import Score, Scorer, Swept, Task, run_chunk, sweep
from fabless.explore.technology import limits_of, technology_of

__all__ = [
    "Checkpoint",
    "Exploration",
    "Found",
    "Kept",
    "Limits",
    "Market",
    "Score",
    "Scorer",
    "Served",
    "Serving",
    "Space",
    "Swept",
    "Task",
    "Winner",
    "best_of",
    "explore",
    "front_of",
    "limits_of",
    "read_space",
    "run_chunk",
    "screen",
    "sweep",
    "technology_of",
]
