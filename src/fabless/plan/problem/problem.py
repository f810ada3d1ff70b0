"""What a plan is asked: the offers, loads, limits and prices on a scenario tree."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fabless.errors import BadValue, Fault
from fabless.plan.problem.agreement import Agreement, completed
from fabless.plan.problem.numbers import faults_of
from fabless.plan.problem.project import Project, checked
from fabless.records import Array, Tree

Group = tuple[str, tuple[int, ...], Array]
"""Name, indices of the offers that share a limit, most chips ordered together at each node-quarter
(K,)."""


def _nothing() -> Array:
    return np.zeros(())


def _no_limit() -> Array:
    return np.array(np.inf)


def _no() -> NDArray[np.bool_]:
    return np.array(False)


@dataclass(frozen=True, kw_only=True, eq=False)
class PlanProblem:
    """A supply plan on a scenario tree of K node-quarters with O offers and L loads.

    Every array has exactly the stated shape or is a scalar that holds everywhere; nothing else is
    broadcast. Faults of all fields are reported together as `BadValue`. The mathematics is in
    docs/explanation/plan.md.
    """

    tree: Tree
    offers: tuple[str, ...]
    loads: tuple[str, ...]
    lead_quarters: NDArray[np.int64]
    """(O, K) quarters from an order placed at k to its delivery."""
    term_quarters: NDArray[np.int64]
    """(O,) quarters that a delivered chip serves; a rent is term 1, lead 0."""
    available: NDArray[np.bool_]
    """(O, K) whether an order may be placed."""
    cap: Array
    """(O, K) most chips of an order [chip], inf allowed."""
    capital_usd: Array
    """(O, K) annuity fixed by the order at k, per chip and quarter in service [USD]; due on retired
    chips too."""
    running_usd: Array
    """(O, K) per chip and quarter in service at k, busy or idle [USD]."""
    rate: Array
    """(O, L, K) load served by one chip in one quarter [unit]; 0: it cannot."""
    demand: Array
    """(L, K) load of a quarter [unit]."""
    unmet_usd: Array
    """(L, K) price of a unit of load left unserved [USD]."""
    discount: Array
    """(quarters,) discount factor."""
    groups: tuple[Group, ...] = ()
    floor: Array = field(default_factory=_nothing)
    """(O, K) least chips of an order: a commitment [chip]."""
    payment_usd: Array = field(default_factory=_nothing)
    """(O, K) what an order of a chip commits to [USD]; counts in the cash budget only."""
    existing: Array = field(default_factory=_nothing)
    """(O, K) chips in place before the first order, with their run-down [chip]."""
    existing_capital_usd: Array = field(default_factory=_nothing)
    """(O, K) annuity of those, per chip and quarter [USD]."""
    power_w: Array = field(default_factory=_nothing)
    """(O,) power drawn by a chip in service, all included [W]."""
    power_cap_w: Array = field(default_factory=_no_limit)
    """(K,) power at hand [W], inf allowed."""
    cash_cap_usd: Array = field(default_factory=_no_limit)
    """(K,) most that the orders of a node-quarter may commit to [USD], inf allowed."""
    fixed_usd: Array = field(default_factory=_nothing)
    """(K,) spend that no order changes: programmes, prepayments [USD]."""
    agreements: tuple[Agreement, ...] = ()
    """Contracts that may be signed; the offers they name are ordered under them alone."""
    retire: NDArray[np.bool_] = field(default_factory=_no)
    """(O,) whether chips may be retired for good before their term ends."""
    resale_usd: Array = field(default_factory=_nothing)
    """(O, K) earned by a retired chip in each quarter of its term left [USD]: its resale price as
    an annuity."""
    projects: tuple[Project, ...] = ()
    """Programmes that may start, go on or be given up; decided by `search`."""
    cvar_weight: float = 0.0
    """Weight w of CVaR in the objective, 0 to 1."""
    cvar_level: float = 0.9
    """CVaR is the mean of the worst share 1 - level of the paths; 0 up to but not 1."""

    def __post_init__(self) -> None:
        faults: list[Fault] = []
        for name, shape in self._shapes().items():
            kind = _KINDS.get(name, np.float64)
            given = np.asarray(getattr(self, name))
            if given.ndim and given.shape != shape:
                faults.append(Fault(f"plan.{name}", f"shape {given.shape}",
                                    f"shape {shape} or one number",
                                    "lay the array out as (offer, load, node-quarter)"))
                continue
            limit_may_be_infinite = name in ("cap", "power_cap_w", "cash_cap_usd")
            faults += faults_of(f"plan.{name}", given, may_be_infinite=limit_may_be_infinite,
                                signed=name in _SIGNED)
            object.__setattr__(self, name, np.broadcast_to(given.astype(kind), shape))
        faults += self._groups()
        projects, wrong = checked(self.projects, self.tree, len(self.offers), self.floor)
        object.__setattr__(self, "projects", projects)
        faults += wrong
        agreements = [completed(agreement, len(self.offers), self.tree.size)
                      for agreement in self.agreements]
        object.__setattr__(self, "agreements", tuple(agreement for agreement, _ in agreements))
        faults += [fault for _, refused in agreements for fault in refused]
        if not faults:
            faults += self._retirement()
        if not 0.0 <= self.cvar_weight <= 1.0 or not 0.0 <= self.cvar_level < 1.0:
            faults.append(Fault("plan.cvar",
                                f"weight {self.cvar_weight:g}, level {self.cvar_level:g}",
                                "weight 0 to 1, level 0 up to but not 1",
                                "take for example weight 0.3 and level 0.9"))
        if np.any(np.asarray(self.term_quarters) < 1):
            faults.append(Fault("plan.term_quarters", f"{np.min(self.term_quarters)}", "1 or more",
                                "let a delivered chip serve at least one quarter"))
        if faults:
            raise BadValue(*faults)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        o, l = len(self.offers), len(self.loads)  # noqa: E741
        k, q = self.tree.size, self.tree.quarters
        by_offer = ("lead_quarters", "available", "cap", "capital_usd", "running_usd", "floor",
                    "payment_usd", "resale_usd", "existing", "existing_capital_usd")
        return dict.fromkeys(by_offer, (o, k)) | {
            "term_quarters": (o,), "power_w": (o,),
            "rate": (o, l, k), "demand": (l, k), "unmet_usd": (l, k),
            "power_cap_w": (k,), "cash_cap_usd": (k,), "fixed_usd": (k,), "discount": (q,),
            "retire": (o,),
        }

    def _groups(self) -> list[Fault]:
        faults, groups = [], []
        for name, members, cap in self.groups:
            place = f"plan.groups[{name}]"
            limit = np.asarray(cap, dtype=float)
            if limit.ndim and limit.shape != (self.tree.size,):
                faults.append(Fault(place, f"limit of shape {limit.shape}",
                                    f"shape ({self.tree.size},) or one number",
                                    "give the limit at each node-quarter"))
                continue
            if len(set(members)) != len(members) or not all(0 <= member < len(self.offers)
                                                            for member in members):
                faults.append(Fault(place, f"offers {members}",
                                    f"distinct indices 0 to {len(self.offers) - 1}",
                                    "name each member once by its index in offers"))
            faults += faults_of(place, limit, may_be_infinite=True)
            groups.append((name, tuple(members), np.broadcast_to(limit, (self.tree.size,))))
        object.__setattr__(self, "groups", tuple(groups))
        return faults

    def _retirement(self) -> list[Fault]:
        """What the bookkeeping of retired chips takes for granted: the oldest leave first."""
        faults = []
        tree = self.tree
        below = np.flatnonzero(tree.parent >= 0)
        for o in np.flatnonzero(self.retire):
            place, chips = f"plan.existing[{self.offers[o]}]", self.existing[o]
            grow = np.any(chips[below] > chips[tree.parent[below]])
            if grow or np.any(chips[tree.quarter >= self.term_quarters[o]] > 0):
                faults.append(Fault(place,
                                    f"chips in place grow, or stay beyond {self.term_quarters[o]} "
                                    "quarters",
                                    "a run-down that ends within the term, for an offer that may "
                                    "be retired",
                                    "give chips in place their own offer, or a longer term"))
        resold = (self.resale_usd > 0).any(axis=1)
        for o in np.flatnonzero(resold & ~self.retire):
            faults.append(Fault(f"plan.resale_usd[{self.offers[o]}]", "a resale price",
                                "0 unless the offer may be retired",
                                "set plan.retire for the offer"))
        return faults


_KINDS: dict[str, type[np.generic]] = {
    "lead_quarters": np.int64, "term_quarters": np.int64, "available": np.bool_, "retire": np.bool_}
_SIGNED = ("capital_usd", "running_usd", "fixed_usd", "existing_capital_usd")
