"""The plan's mathematics written a second time, in linopy, path by path and with every dimension named.

It shares nothing with `fabless.plan` but the problem: paths are walked by their parents, service is a dense table,
every possible variable exists, and each leaf has one row with the whole cost of its path.
"""

from __future__ import annotations

import linopy
import numpy as np
import xarray as xr

from fabless.plan import PlanProblem
from fabless.scenario import balanced_tree


def random_problem(seed: int) -> PlanProblem:
    """Four offers (one a rent), two loads, a tree of 2 x 2 or 3 x 2 paths over seven quarters; every limit, random."""
    rng = np.random.default_rng(seed)
    first = rng.dirichlet(np.ones(2 + seed % 2)).tolist()
    tree = balanced_tree((len(first), 2), (1, 2, 4), [first, [0.3, 0.7]])
    offers, size, quarters = 4, tree.size, tree.quarters
    rent = np.array([True, False, False, False])
    speed = rng.uniform(20.0, 200.0, (offers, 1, 1)) * rng.uniform(0.6, 1.4, (offers, 2, size))
    speed[1, 1] = 0.0
    chips = 1e4 * rng.uniform(0.5, 2.0, (offers, size))
    floor = np.zeros((offers, size))
    floor[3, tree.quarter == 2] = 300.0
    watts = rng.uniform(300.0, 1200.0, offers)
    price = rng.uniform(1e4, 4e4, (offers, size))
    return PlanProblem(
        tree=tree, offers=tuple("abcd"), loads=("inference", "training"),
        lead_quarters=np.where(rent[:, None], 0, rng.integers(0, 4, (offers, size))),
        term_quarters=np.where(rent, 1, rng.integers(2, 5, offers)),
        available=(rng.random((offers, size)) < 0.85) | (floor > 0),
        cap=np.where(rng.random((offers, size)) < 0.2, np.inf, chips), floor=floor,
        groups=(("vendor", (1, 2), 1e4 * rng.uniform(0.4, 1.5, size)), ("cloud", (0, 3), np.array(np.inf))),
        capital_usd=0.07 * price * np.where(rent, 2.0, 1.0)[:, None], running_usd=0.02 * price, payment_usd=price,
        rate=speed, serving_usd=rng.uniform(0.0, 50.0, (offers, 2, size)),
        demand=rng.uniform(0.5, 2.0, (2, size)) * np.array([[2e6], [4e5]]),
        unmet_usd=rng.uniform(20.0, 90.0, (2, size)),
        existing=rng.uniform(0.0, 5e3, (offers, 1)) * np.clip(1.0 - np.arange(quarters) / 5.0, 0.0, None),
        existing_capital_usd=rng.uniform(500.0, 1500.0, offers), power_w=watts,
        power_cap_w=np.where(rng.random(size) < 0.3, np.inf, 1.5e7 * rng.uniform(0.8, 2.0, size)),
        cash_cap_usd=np.where(rng.random(size) < 0.3, np.inf, 2e8 * rng.uniform(0.5, 2.0, size)),
        fixed_usd=rng.uniform(0.0, 1e7, size), discount=1.1 ** (-np.arange(quarters) / 4.0),
        cvar_weight=[0.0, 0.3, 1.0][seed % 3], cvar_level=[0.9, 0.5][seed % 2],
    )


def path_to(problem: PlanProblem, node: int) -> list[int]:
    path = [node]
    while problem.tree.parent[path[-1]] >= 0:
        path.append(int(problem.tree.parent[path[-1]]))
    return path


def oracle_objective(problem: PlanProblem) -> float:
    """Least objective of `problem`, or infinity when there is no plan."""
    tree = problem.tree
    offers, loads, nodes = (list(range(n)) for n in (len(problem.offers), len(problem.loads), tree.size))
    by = {"offer": offers, "load": loads, "node": nodes, "order_node": nodes}

    def named(values: np.ndarray, *dims: str) -> xr.DataArray:
        return xr.DataArray(np.asarray(values, dtype=float), coords={d: by[d] for d in dims}, dims=dims)

    cap = np.where(problem.available, problem.cap, 0.0)
    if np.any(problem.floor > cap):
        return np.inf
    model = linopy.Model()
    order = model.add_variables(named(problem.floor, "offer", "node"), named(cap, "offer", "node"), name="order")
    serve = model.add_variables(
        named(np.zeros(problem.rate.shape), "offer", "load", "node"),
        named(np.where(problem.rate > 0, np.inf, 0.0), "offer", "load", "node"), name="serve")
    unmet = model.add_variables(named(np.zeros(problem.demand.shape), "load", "node"), name="unmet")

    serves = np.zeros((len(offers), tree.size, tree.size))
    for node in nodes:
        for start in path_to(problem, node):
            waited = tree.quarter[node] - tree.quarter[start]
            for offer in offers:
                lead, term = problem.lead_quarters[offer, start], problem.term_quarters[offer]
                serves[offer, node, start] = lead <= waited < lead + term
    table = named(serves, "offer", "node", "order_node")
    in_place = named(problem.existing[:, tree.quarter], "offer", "node")
    ordered = order.rename({"node": "order_node"})
    fleet = (table * ordered).sum("order_node")

    model.add_constraints(serve.sum("load") - fleet <= in_place, name="busy")
    served = (named(problem.rate, "offer", "load", "node") * serve).sum("offer")
    model.add_constraints(served + unmet == named(problem.demand, "load", "node"), name="demand")
    def limited(total: linopy.LinearExpression, limit: np.ndarray, name: str) -> None:
        known = xr.DataArray(np.isfinite(limit), coords={"node": nodes}, dims="node")
        if known.any():
            model.add_constraints(total <= named(np.where(known, limit, 0.0), "node"), name=name, mask=known)

    for group, members, limit in problem.groups:
        limited(order.sel(offer=list(members)).sum("offer"), limit, f"group {group}")
    drawn = problem.power_w @ problem.existing[:, tree.quarter]
    limited((named(problem.power_w, "offer") * fleet).sum("offer"), problem.power_cap_w - drawn, "power")
    limited((named(problem.payment_usd, "offer", "node") * order).sum("offer"), problem.cash_cap_usd, "cash")

    annuity = named(problem.capital_usd, "offer", "node").rename({"node": "order_node"})
    running = named(problem.running_usd, "offer", "node")
    capital = (table * annuity * ordered).sum(["offer", "order_node"])
    loaded = (named(problem.serving_usd, "offer", "load", "node") * serve).sum(["offer", "load"])
    use = (running * fleet).sum("offer") + loaded
    short = (named(problem.unmet_usd, "load", "node") * unmet).sum("load")
    constant = problem.fixed_usd + (
        (problem.existing_capital_usd[:, None] + problem.running_usd) * problem.existing[:, tree.quarter]).sum(axis=0)
    factor = problem.discount[tree.quarter]

    leaves = [int(leaf) for leaf in tree.leaves]
    cost = model.add_variables(lower=-np.inf, coords=[("leaf", leaves)], name="cost")
    tail = model.add_variables(lower=0.0, coords=[("leaf", leaves)], name="tail")
    value_at_risk = model.add_variables(lower=-np.inf, name="value at risk")
    for leaf in leaves:
        path = path_to(problem, leaf)
        weight = np.zeros(tree.size)
        weight[path] = factor[path]
        along = (named(weight, "node") * (capital + use + short)).sum("node")
        model.add_constraints(cost.sel(leaf=leaf) - along == float(weight @ constant), name=f"cost {leaf}")
        model.add_constraints(tail.sel(leaf=leaf) + value_at_risk - cost.sel(leaf=leaf) >= 0, name=f"tail {leaf}")
    chance = xr.DataArray(tree.probability[leaves], coords={"leaf": leaves}, dims="leaf")
    mean = (chance * cost).sum()
    worst = value_at_risk + (chance * tail).sum() * (1.0 / (1.0 - problem.cvar_level))
    model.add_objective((1.0 - problem.cvar_weight) * mean + problem.cvar_weight * worst)
    status, _ = model.solve("highs", io_api="direct", output_flag=False)
    return float(model.objective.value) if status == "ok" else np.inf
