"""What a plan answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fabless.plan.costs import CostParts
from fabless.records import Array


class Status(StrEnum):
    """How the solve ended; only an optimal plan has numbers."""

    OPTIMAL = "optimal"
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"
    TIME_LIMIT = "time limit"
    FAILED = "solver failed"

    @property
    def is_ok(self) -> bool:
        """Whether the plan can be used."""
        return self is Status.OPTIMAL


@dataclass(frozen=True)
class Binding:
    """A limit that costs money."""

    family: str
    """cap | floor | allocation | power | cash"""
    name: str
    """The offer or group; the family itself where there is only one."""
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
    """floor | allocation | power | cash"""
    name: str
    amount: float
    """Sum over node-quarters of the least give [chip, W or USD]."""
    node: int
    """Node-quarter of the largest give."""
    alone: bool
    """True: giving way in this family is enough; false: every family listed must give."""


@dataclass(frozen=True, eq=False)
class PlanResult:
    """A solved plan; every number is NaN unless `status.is_ok`."""

    status: Status
    objective_usd: float
    """``(1 - w) expected cost + w CVaR`` as the solver has it."""
    gap: float
    """Relative distance between the solver's primal and dual objectives."""
    orders: Array
    """(O, K) chips ordered."""
    active: Array
    """(O, K) chips in service."""
    serve: Array
    """(O, L, K) chips given to each load."""
    unmet: Array
    """(L, K) load left unserved."""
    costs: CostParts
    """Undiscounted cost parts by node-quarter."""
    path_cost_usd: Array
    """(leaves,) discounted cost of each path, in the order of `tree.leaves`."""
    expected_cost_usd: float
    cvar_usd: float
    binding: tuple[Binding, ...]
    """Costliest limit first."""
    shortfalls: tuple[Shortfall, ...]
    """What must give, when infeasible."""
    columns: int
    rows: int
