"""What a plan answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from fabless.plan.problem.costs import CostParts
from fabless.records import Array


class Status(StrEnum):
    """How the solve ended."""

    OPTIMAL = "optimal"
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"
    TIME_LIMIT = "time limit"
    """The best plan found in the time given; its gap is proven."""
    INTERRUPTED = "interrupted"
    FAILED = "solver failed"

    @property
    def is_ok(self) -> bool:
        """Whether the plan is the best there is, to the solver's tolerance."""
        return self is Status.OPTIMAL


@dataclass(frozen=True)
class Binding:
    """A limit that costs money."""

    family: str
    """cap | floor | level cap | allocation | power | cash | draw limit | take or pay | exclusive | retirement | readiness |
    moves | deliveries"""
    name: str
    """The offer, group or agreement; the family itself where there is only one."""
    price_usd: float
    """Objective saved when the limit is one unit (chip, W, USD) looser at every node-quarter, to first order."""
    percent_usd: float
    """Objective saved when it is one percent looser everywhere, to first order: comparable across families."""
    share: float
    """Share of node-quarters where it binds."""


@dataclass(frozen=True)
class Shortfall:
    """How far a limit must give before any plan exists."""

    family: str
    """floor | allocation | power | cash | draw limit"""
    name: str
    amount: float
    """Sum over node-quarters of the least give [chip, W or USD]."""
    node: int
    """Node-quarter of the largest give."""
    alone: bool
    """True: giving way in this family is enough; false: every family listed must give."""


@dataclass(frozen=True)
class Ray:
    """A decision that can grow without end while the objective falls."""

    family: str
    """orders | level | ..."""
    name: str
    """The offer or agreement."""
    direction: int
    """1: more and more; -1: less and less."""
    node: int
    """Node-quarter where it pays most."""
    gain_usd: float
    """Fall of the objective for one unit more, with all that follows from it."""
    remedy: str


@dataclass(frozen=True, eq=False)
class PlanResult:
    """A plan, the best known when the time ran out; every number is NaN where there is none (see `has_plan`)."""

    status: Status
    objective_usd: float
    """``(1 - w) expected cost + w CVaR``."""
    lower_bound_usd: float
    """No plan costs less; -inf where nothing is proven."""
    gap: float
    """``(objective - lower bound) / |objective|``."""
    orders: Array
    """(O, K) chips ordered."""
    active: Array
    """(O, K) chips in service."""
    serve: Array
    """(O, L, K) chips given to each load."""
    unmet: Array
    """(L, K) load left unserved."""
    levels: Array
    """(agreements, K) units signed."""
    untaken: Array
    """(agreements, K) units of the least draw not taken."""
    retired: Array
    """(O, K) chips retired and still within their term."""
    moved: Array
    """(O, L, K) chips moved to each load from another, where that costs work."""
    costs: CostParts
    """Undiscounted cost parts by node-quarter."""
    path_cost_usd: Array
    """(leaves,) discounted cost of each path, in the order of `tree.leaves`."""
    expected_cost_usd: float
    cvar_usd: float
    binding: tuple[Binding, ...]
    """Costliest limit first; empty where the plan is not proven the best."""
    shortfalls: tuple[Shortfall, ...]
    """What must give, when infeasible."""
    rays: tuple[Ray, ...]
    """What grows without end, when unbounded."""
    columns: int
    rows: int

    @property
    def has_plan(self) -> bool:
        """Whether there is a plan to read: the best there is, or the best found in the time given."""
        return math.isfinite(self.objective_usd)


def gap(objective: float, bound: float) -> float:
    """Share of the objective that a better plan could save at most.

    >>> gap(200.0, 199.0)
    0.005
    """
    above = max(objective - bound, 0.0)
    return above / abs(objective) if above > 0.0 and objective != 0.0 else above
