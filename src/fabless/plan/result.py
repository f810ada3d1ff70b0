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
    INTERRUPTED = "interrupted"
    """The best plan found until then; its gap is proven."""
    FAILED = "solver failed"

    @property
    def is_ok(self) -> bool:
        """Whether the plan is the best there is, to the solver's tolerance."""
        return self is Status.OPTIMAL


@dataclass(frozen=True)
class PriceRange:
    """What a limit is worth at its present size, to first order [USD]: two numbers, since an
    optimum may have a kink there.

    >>> str(PriceRange(3.0, 3.0)), str(PriceRange(0.0, 1234.0))
    ('3 USD', '0 to 1,230 USD')
    """

    looser_usd: float
    """Objective saved when the limit gives way."""
    tighter_usd: float
    """Objective added when it tightens by as much, never less than what giving way saves; inf where
    that leaves no plan."""

    def __str__(self) -> str:
        low, high = (f"{float(f'{usd:.3g}'):,.12g}" for usd in (self.looser_usd, self.tighter_usd))
        return f"{low} USD" if low == high else f"{low} to {high} USD"


@dataclass(frozen=True)
class LimitPrice:
    """What a limit that a plan uses up costs."""

    family: str
    """cap | floor | level cap, or a constraint family such as power"""
    name: str
    """The offer, group or agreement; the family itself where there is only one."""
    unit: PriceRange
    """For one unit (chip, W, USD, unit of an agreement) at every node-quarter where the plan uses
    the limit up."""
    percent: PriceRange
    """For one percent of it at each of them: comparable across families."""


@dataclass(frozen=True)
class Shortfall:
    """How far a limit must give before any plan exists."""

    family: str
    """floor | allocation | power | cash | draw limit"""
    name: str
    amount: float
    """Sum over node-quarters of what it gives [chip, W or USD]. The families listed give the least
    possible, each limit counted as a share of the largest in its family; how they share it among
    them may be one way of several."""
    node: int
    """Node-quarter where it gives most in that way."""
    alone: bool
    """True: giving way in this family is enough; false: every family listed must give."""


@dataclass(frozen=True, kw_only=True)
class Ray:
    """A decision that can grow without end while the objective falls."""

    family: str
    """orders | level | ..."""
    name: str
    """The offer or agreement."""
    direction: int
    """1: more and more; -1: less and less."""
    node: int
    """A node-quarter where it grows as fast as anywhere in the direction found, which may be one of
    several."""
    gain_usd: float
    """Fall of the objective for one unit more, summed over all that grows in that direction."""
    remedy: str


@dataclass(frozen=True, kw_only=True, eq=False)
class PlanResult:
    """A plan, the best known if the work was interrupted; every number is NaN where there is none
    (see `has_plan`)."""

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
    costs: CostParts
    """Undiscounted cost parts by node-quarter."""
    path_cost_usd: Array
    """(leaves,) discounted cost of each path, in the order of `tree.leaves`."""
    expected_cost_usd: float
    cvar_usd: float
    shortfalls: tuple[Shortfall, ...]
    """What must give, when infeasible."""
    rays: tuple[Ray, ...]
    """What grows without end, when unbounded."""
    columns: int
    rows: int

    @property
    def has_plan(self) -> bool:
        """Whether there is a plan to read: the best there is, or the best found before an
        interrupt."""
        return math.isfinite(self.objective_usd)


def relative_gap(objective: float, bound: float) -> float:
    """Share of the objective that a better plan could save at most.

    >>> relative_gap(200.0, 199.0)
    0.005
    """
    above = max(objective - bound, 0.0)
    return above / abs(objective) if above > 0.0 and objective != 0.0 else above
