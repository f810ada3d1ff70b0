"""What a way comes to along fresh paths: who is paid how much for what in which quarter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from fabless.case_records import Case
from fabless.decide.ways.paths import calendar, compute_by_offer, load_share, paths_of
from fabless.decide.ways.problem import Plan
from fabless.plan import PlanProblem
from fabless.plan.problem.costs import tail_by_path
from fabless.plan.rule.simulate import Simulated, paths_table
from fabless.records import Array
from fabless.units import QUARTER_S


@dataclass(frozen=True, eq=False, kw_only=True)
class WayOnPaths:
    """One way along N paths of Q quarters, in USD of each quarter, not discounted.

    Lines are those of the case and its programmes, and the fleet in place; contracts count with
    their line, or as a line of their own where they name none.
    """

    lines: tuple[str, ...]
    loads: tuple[str, ...]
    spend: Array
    """(lines, N, Q) annuities, running cost and fees of chips, less what chips sold bring."""
    ports: Array
    """(lines, N, Q) keeping a second software stack going."""
    programme: Array
    """(N, Q) spent on chip programmes."""
    unserved: Array
    """(N, Q) unserved demand at its price."""
    load_share: Array
    """(loads, N, Q) of the chips' cost that each load bears: its share of the compute served."""
    chips: Array
    """(lines, N, Q) in service."""
    peak: Array
    """(lines, N, Q) dense 16-bit peak rate of the chips in service [FLOP/s]."""
    compute: Array
    """(lines, N, Q) served, in chips of the first day's fleet (`Plan.yardstick`)."""
    able: Array
    """(lines, N, Q) that the chips in service could serve of the quarter's work, same unit."""
    hardware: Array
    """(lines, N, Q) the same if software made as much of each chip as of the first day's fleet."""
    served: Array
    """(loads, N, Q) queries served, or FLOP of training."""
    revenue: Array
    """(loads, N, Q) what the queries served bring in; 0 for loads that state no revenue."""
    unserved_queries: Array
    """(N, Q)"""
    scarce: Array
    """(N, Q) 1 where supply is scarce."""
    missing: Array
    """(N, Q) compute that was missing."""
    wanted: Array
    """(N, Q) compute demanded."""
    power: Array
    """(N, Q) rated power of the chips in service with their servers and cooling [W]."""
    own: NDArray[np.bool_]
    """(N,) whether own silicon or that of a partner came into service at all."""
    given_up: NDArray[np.bool_]
    """(N,) whether the programme that was begun was ended by choice."""
    values: Mapping[str, Array]
    """Mean along the path of every number that is drawn, from the first news on [SI], (N,) each."""
    discount: Array
    """(Q,)"""
    is_query: Array
    """(loads,) 1 for loads of queries, 0 for training."""

    @property
    def queries(self) -> Array:
        """(N, Q) queries served, of all loads together."""
        return np.asarray(np.tensordot(self.is_query, self.served, axes=1))

    @property
    def cash(self) -> Array:
        """(N, Q) everything that is paid."""
        return np.asarray(self.spend.sum(axis=0) + self.ports.sum(axis=0) + self.programme)

    @property
    def cash_usd(self) -> Array:
        """(N,) discounted sum of what is paid."""
        return np.asarray(self.cash @ self.discount)

    @property
    def unserved_usd(self) -> Array:
        """(N,) discounted sum of unserved demand at its price."""
        return np.asarray(self.unserved @ self.discount)

    @property
    def cost_usd(self) -> Array:
        """(N,) both together: what a planner keeps low."""
        return self.cash_usd + self.unserved_usd

    @property
    def path_share(self) -> Array:
        """(loads, N) share of the chips' cost of the whole path that each load bears: ports and
        programmes are shared by it."""
        chips = np.abs(self.spend.sum(axis=0))
        whole = np.broadcast_to(chips @ self.discount, self.load_share.shape[:2])
        return np.asarray(np.divide(
            (self.load_share * chips) @ self.discount, whole, out=self.load_share.mean(axis=2),
            where=whole > 0.0))

    @property
    def by_load(self) -> Array:
        """(loads, N, Q) what is paid for each load."""
        fixed = self.ports.sum(axis=0) + self.programme
        direct = self.load_share * self.spend.sum(axis=0)
        return np.asarray(direct + self.path_share[..., None] * fixed)

    @property
    def query_cash(self) -> Array:
        """(N, Q) what is paid for queries."""
        return np.asarray(np.tensordot(self.is_query, self.by_load, axes=1))

    @property
    def query_cost_usd(self) -> Array:
        """(N,) levelised cost of a served query."""
        served = np.maximum(self.queries @ self.discount, 1e-9)
        return np.asarray((self.query_cash @ self.discount) / served)

    @property
    def missing_share(self) -> Array:
        """(N,) share of the compute demanded over the horizon that is missing."""
        return np.asarray(self.missing.sum(axis=1) / np.maximum(self.wanted.sum(axis=1), 1e-30))

    def missing_by_year(self, case: Case) -> Array:
        """(N, years) share of the compute demanded in each calendar year that is missing."""
        missing, wanted = (np.stack([values[:, year].sum(axis=1) for _, year in calendar(case)],
                                    axis=1) for values in (self.missing, self.wanted))
        return np.asarray(missing / np.maximum(wanted, 1e-30))

    def query_cost_by_year(self, case: Case) -> Array:
        """(N, years) cost of a query served in each calendar year."""
        paid, served = (np.stack([values[:, year].sum(axis=1) for _, year in calendar(case)], axis=1)
                        for values in (self.query_cash, self.queries))
        return np.asarray(paid / np.maximum(served, 1e-9))


_SHARED = ("lines", "loads", "discount", "is_query", "values")
_BY_PATH = ("own", "given_up", "programme", "unserved", "unserved_queries", "scarce",
            "missing", "wanted", "power")
"""Arrays whose first axis is that of the paths; it is the second of all others."""


def joined(parts: Sequence[WayOnPaths]) -> WayOnPaths:
    """Blocks of paths one after the other."""
    first = parts[0]
    arrays = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts],
                                   axis=0 if field.name in _BY_PATH else 1)
        for field in fields(WayOnPaths) if field.name not in _SHARED
    }
    values = {name: np.concatenate([part.values[name] for part in parts]) for name in first.values}
    return replace(first, **arrays, values=values)  # type: ignore[arg-type]


def mixed(
    way: WayOnPaths, other: WayOnPaths, where: NDArray[np.bool_], *, committed: bool
) -> WayOnPaths:
    """A way that does on some paths (N,) what another does there; where it is `committed` to a
    programme, that is paid for there too."""
    def chosen(name: str) -> Array:
        own, others = getattr(way, name), getattr(other, name)
        by_path = name in _BY_PATH
        shape = [1] * own.ndim
        shape[0 if by_path else 1] = -1
        return np.asarray(np.where(where.reshape(shape), others, own))

    if way.lines != other.lines:
        raise ValueError("ways on the same paths have the same lines")
    kept = ("programme", "given_up") if committed else ()
    names = [field.name for field in fields(WayOnPaths) if field.name not in (*_SHARED, *kept)]
    return replace(way, **{name: chosen(name) for name in names})  # type: ignore[arg-type]


def risk_adjusted_by_path(case: Case, costs: Array) -> Array:
    """Contribution (N,) of each path to the total: the mean of them is ``(1 - w) mean + w CVaR``
    (Rockafellar and Uryasev 2000)."""
    weight = case.risk_weight
    return np.asarray((1.0 - weight) * costs + weight * tail_by_path(costs, case.risk_level))


def standard_error(values: Array) -> float:
    """Standard error of the mean of values of independent paths."""
    return float(values.std(ddof=1) / np.sqrt(values.size)) if values.size > 1 else 0.0


def way_on_paths(
    case: Case, plan: Plan, fresh: Simulated, *, lines: tuple[str, ...], ports: Mapping[str, Array],
    efficiency: Mapping[str, Array], query_revenue_usd: Array, scarce: Array,
    given_up: NDArray[np.bool_], values: Mapping[str, Array],
) -> WayOnPaths:
    """Condense what a plan comes to on paths.

    Parameters: `plan`, its gates decided; `fresh`, what its orders come to; `lines`, the lines to
    report, in this order; `ports` (K,) spend of each open line's software stack; `efficiency` (K,)
    of each line's software over that of the first day's fleet; `query_revenue_usd` (loads, K) what a
    served query brings in; `scarce` (K,) 1 where supply is; `given_up` (N,); `values` (N,) each.
    """
    problem = plan.problem
    table = paths_table(problem.tree)
    paths = paths_of(case, plan, fresh)
    is_query = np.array([float(load.kind == "inference") for load in case.loads])
    row = {line: k for k, line in enumerate(lines)}
    of_offer = np.array([row[offer.pool.line] for offer in plan.offers])
    served = np.maximum(problem.demand - fresh.unmet, 0.0)
    work = served / plan.yardstick
    weight = work / np.maximum(work.sum(axis=0), 1e-300)
    ability = fresh.active * (problem.rate * weight / plan.yardstick).sum(axis=1)
    boost = np.array([efficiency.get(offer.pool.line, np.ones(problem.tree.size))
                      for offer in plan.offers])

    peak = np.array([offer.peak_flops for offer in plan.offers])

    def summed(values: Array) -> Array:
        total = np.zeros((len(lines), *table.shape))
        np.add.at(total, of_offer, values)
        return total

    kept_open = np.zeros((len(lines), *table.shape))
    for line, spend in ports.items():
        kept_open[row[line]] = spend[table]
    fixed = problem.fixed_usd[table]
    own = np.array([offer.pool.line in _programmes(case) for offer in plan.offers])
    return WayOnPaths(
        lines=lines, loads=problem.loads, spend=summed(paths.spend), ports=kept_open,
        programme=fixed - kept_open.sum(axis=0),
        unserved=np.asarray((fresh.unmet * problem.unmet_usd).sum(axis=0)[table]),
        load_share=load_share(plan, served, is_query > 0)[:, table], chips=summed(paths.chips),
        peak=summed((fresh.active * peak)[:, table]),
        compute=summed(compute_by_offer(plan, served, fresh.active)[:, table]),
        able=summed(ability[:, table]),
        hardware=summed((ability / np.maximum(boost, 1e-300))[:, table]),
        served=served[:, table], revenue=(served * query_revenue_usd)[:, table],
        unserved_queries=paths.unserved, scarce=scarce[table],
        missing=paths.missing, wanted=paths.wanted,
        power=np.asarray((fresh.active * problem.power_w[:, None]).sum(axis=0)[table]),
        own=(fresh.active[own].sum(axis=0)[table] > 0).any(axis=1), given_up=given_up,
        values=values, discount=problem.discount,
        is_query=is_query,
    )


def _programmes(case: Case) -> set[str]:
    return {item.name for item in case.programmes}


def port_spend(problem: PlanProblem, port: Array, first_quarter: int) -> Array:
    """Spend of a line's software stack by node-quarter (K,) [USD], from its first quarter on;
    `port` is USD/s."""
    return np.asarray(port * QUARTER_S * (problem.tree.quarter >= first_quarter))
