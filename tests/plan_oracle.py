"""The plan's mathematics written a second time, in linopy, path by path and with every dimension
named.

It shares nothing with `fabless.plan` but the problem: paths are walked by their parents, service is
a dense table, every possible variable exists, the cost of each path is one row, and retired chips
are booked by the order they came from.
"""

from __future__ import annotations

from dataclasses import replace

import linopy
import numpy as np
import xarray as xr

from fabless.plan import Agreement, PlanProblem
from fabless.scenario import balanced_tree


def random_problem(seed: int) -> PlanProblem:
    """Every family in play, random: four offers as they come, three more under agreements, one of
    those a rent.

    Chips of the second and third may be retired; the second are resold then.
    """
    plain = plain_problem(seed)
    rng = np.random.default_rng(1000 + seed)
    size = plain.tree.size
    source = [1, 2, 0]

    def more(values: np.ndarray, factor: float = 1.0) -> np.ndarray:
        return np.concatenate([values, values[source] * factor])

    def agreed(least: list[float], most: list[float], **given: object) -> dict[str, object]:
        return {
            "least": np.array(least), "most": np.array(most),
            "level_cap": 3e3 * rng.uniform(0.5, 2.0, size),
            "fee_usd": rng.uniform(100.0, 900.0, size),
            "untaken_usd": rng.uniform(300.0, 900.0, size),
        } | given

    early = plain.tree.quarter <= 2
    term = more(plain.term_quarters)
    retire = np.array([False, True, True, False, False, False, False])
    existing = more(plain.existing)
    existing[retire] *= plain.tree.quarter < term[retire, None]
    resale = np.zeros((7, size))
    resale[1] = 0.6 * plain.capital_usd[1].min()
    rate = more(plain.rate)
    rate[4] = rate[5]
    return replace(
        plain, offers=tuple("abcdefg"), lead_quarters=more(plain.lead_quarters), term_quarters=term,
        available=more(plain.available), cap=more(plain.cap),
        capital_usd=more(plain.capital_usd, 0.75), running_usd=more(plain.running_usd),
        payment_usd=more(plain.payment_usd, 0.5), rate=rate, existing=existing,
        floor=more(plain.floor), existing_capital_usd=more(plain.existing_capital_usd),
        power_w=more(plain.power_w), retire=retire, resale_usd=resale,
        agreements=(
            Agreement(
                name="wafers", offers=(4, 5), sign=early, start_quarters=np.array(1),
                **agreed([0.0, 0.4, 0.4, 0.2], [0.5, 1.0, 1.0, 1.0]),
            ),
            Agreement(name="packages", offers=(5,), **agreed([0.3] * 5, [1.0] * 5)),
            Agreement(name="cloud", offers=(6,), sign=early, **agreed([0.7] * 3, [1.0] * 3)),
        ),
    )


def plain_problem(seed: int) -> PlanProblem:
    """Four offers (one a rent), two loads, a tree of 2 x 2 or 3 x 2 paths over seven quarters;
    every limit, random."""
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
        groups=(
            ("vendor", (1, 2), 1e4 * rng.uniform(0.4, 1.5, size)),
            ("cloud", (0, 3), np.array(np.inf)),
        ),
        capital_usd=0.07 * price * np.where(rent, 2.0, 1.0)[:, None],
        running_usd=0.02 * price,
        payment_usd=price,
        rate=speed,
        demand=rng.uniform(0.5, 2.0, (2, size)) * np.array([[2e6], [4e5]]),
        unmet_usd=rng.uniform(20.0, 90.0, (2, size)),
        existing=rng.uniform(0.0, 5e3, (offers, 1))
        * np.clip(1.0 - tree.quarter / 5.0, 0.0, None),
        existing_capital_usd=np.repeat(rng.uniform(500.0, 1500.0, (offers, 1)), size, axis=1),
        power_w=watts,
        power_cap_w=np.where(rng.random(size) < 0.3, np.inf, 1.5e7 * rng.uniform(0.8, 2.0, size)),
        cash_cap_usd=np.where(rng.random(size) < 0.3, np.inf, 2e8 * rng.uniform(0.5, 2.0, size)),
        fixed_usd=rng.uniform(0.0, 1e7, size),
        discount=1.1 ** (-np.arange(quarters) / 4.0),
        cvar_weight=[0.0, 0.3, 1.0][seed % 3],
        cvar_level=[0.9, 0.5][seed % 2],
    )


def path_to(problem: PlanProblem, node: int) -> list[int]:
    path = [node]
    while problem.tree.parent[path[-1]] >= 0:
        path.append(int(problem.tree.parent[path[-1]]))
    return path


def oracle_objective(problem: PlanProblem) -> float:
    """Least objective of `problem`, or infinity when there is no plan."""
    if np.any(problem.floor > most_ordered(problem)):
        return np.inf
    model, objective = modelled(problem)
    model.add_objective(objective)
    status, _ = model.solve("highs", io_api="direct", output_flag=False)
    return float(model.objective.value) if status == "ok" else np.inf


def oracle_range(problem: PlanProblem, most_usd: float, offers: list[int], quarters: int) -> tuple[float, float]:
    """Least and most expected chips of some offers ordered in the first quarters by plans whose
    objective is at most `most_usd`."""
    ends = []
    for sign in (1.0, -1.0):
        model, objective = modelled(problem)
        model.add_constraints(objective <= most_usd, name="near the best")
        counted = np.where(problem.tree.quarter < quarters, problem.tree.probability, 0.0)
        ordered = model.variables["order"].sel(offer=offers).sum("offer")
        model.add_objective((sign * named(counted, "node") * ordered).sum())
        status, _ = model.solve("highs", io_api="direct", output_flag=False)
        assert status == "ok"
        ends.append(sign * float(model.objective.value))
    return ends[0], ends[1]


def most_ordered(problem: PlanProblem) -> np.ndarray:
    """Most chips of each order; what would come after the horizon is ordered only if committed."""
    cap = np.where(problem.available, problem.cap, 0.0)
    late = problem.tree.quarter + problem.lead_quarters >= problem.tree.quarters
    return np.where(late, np.minimum(cap, problem.floor), cap)


def modelled(problem: PlanProblem) -> tuple[linopy.Model, linopy.LinearExpression]:
    """Variables and constraints of a plan, and its objective, not yet set."""
    tree, cap = problem.tree, most_ordered(problem)
    offers, nodes = list(range(len(problem.offers))), list(range(tree.size))
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
    in_place = named(problem.existing, "offer", "node")
    ordered = order.rename({"node": "order_node"})
    ordered_fleet = (table * ordered).sum("order_node")
    fleet, extra = ordered_fleet, []
    if problem.retire.any():
        gone = retired_chips(model, problem, order)
        fleet = ordered_fleet - gone
        extra.append(-1.0 * (named(problem.resale_usd, "offer", "node") * gone).sum("offer"))
    fees = None
    if problem.agreements:
        fees, due = agreements(model, problem, order)
        extra += [fees, due]

    model.add_constraints(serve.sum("load") - fleet <= in_place, name="busy")
    served = (named(problem.rate, "offer", "load", "node") * serve).sum("offer")
    model.add_constraints(served + unmet == named(problem.demand, "load", "node"), name="demand")

    def limited(total: linopy.LinearExpression, limit: np.ndarray, name: str) -> None:
        known = xr.DataArray(np.isfinite(limit), coords={"node": nodes}, dims="node")
        if known.any():
            model.add_constraints(total <= named(np.where(known, limit, 0.0), "node"), name=name, mask=known)

    for group, members, limit in problem.groups:
        limited(order.sel(offer=list(members)).sum("offer"), limit, f"group {group}")
    drawn = problem.power_w @ problem.existing
    limited((named(problem.power_w, "offer") * fleet).sum("offer"), problem.power_cap_w - drawn, "power")
    paid = (named(problem.payment_usd, "offer", "node") * order).sum("offer")
    limited(paid if fees is None else paid + fees, problem.cash_cap_usd, "cash")

    annuity = named(problem.capital_usd, "offer", "node").rename({"node": "order_node"})
    running = named(problem.running_usd, "offer", "node")
    capital = (table * annuity * ordered).sum(["offer", "order_node"])
    use = (running * fleet).sum("offer")
    short = (named(problem.unmet_usd, "load", "node") * unmet).sum("load")
    constant = problem.fixed_usd + (
        (problem.existing_capital_usd + problem.running_usd) * problem.existing
    ).sum(axis=0)
    factor = problem.discount[tree.quarter]
    spent = capital + use + short
    if extra:
        spent = linopy.merge([spent, *extra])

    weight = on_path(problem)[tree.leaves] * factor
    blank = named(np.full(tree.leaves.size, -np.inf), "leaf")
    cost = model.add_variables(blank, name="cost")
    tail = model.add_variables(0.0 * named(tree.leaves, "leaf"), name="tail")
    value_at_risk = model.add_variables(lower=-np.inf, name="value at risk")
    along = (named(weight, "leaf", "node") * spent).sum("node")
    model.add_constraints(cost - along == named(weight @ constant, "leaf"), name="cost")
    model.add_constraints(tail + value_at_risk - cost >= 0, name="tail")
    chance = named(tree.probability[tree.leaves], "leaf")
    mean = (chance * cost).sum()
    worst = value_at_risk + (chance * tail).sum() * (1.0 / (1.0 - problem.cvar_level))
    return model, (1.0 - problem.cvar_weight) * mean + problem.cvar_weight * worst


def named(values: np.ndarray, *dims: str) -> xr.DataArray:
    """An array whose every dimension is named and counted from 0."""
    array = np.asarray(values, dtype=float)
    return xr.DataArray(array, coords={d: range(n) for d, n in zip(dims, array.shape, strict=True)}, dims=dims)


def on_path(problem: PlanProblem) -> np.ndarray:
    """Whether the second node-quarter lies on the path to the first, that one included."""
    table = np.zeros((problem.tree.size, problem.tree.size))
    for node in range(problem.tree.size):
        table[node, path_to(problem, node)] = 1.0
    return table


def retired_chips(model: linopy.Model, problem: PlanProblem, order: linopy.Variable) -> linopy.LinearExpression:
    """Chips retired and within their term (offer, node), each booked by the order or the run-down
    it came from."""
    tree, quarters, offers = problem.tree, problem.tree.quarters, len(problem.offers)
    path = on_path(problem)
    inside = np.zeros((offers, tree.size + quarters, tree.size))
    in_place = np.zeros((offers, tree.size + quarters, tree.size))
    for o in np.flatnonzero(problem.retire):
        for start in range(tree.size):
            delivery = tree.quarter[start] + problem.lead_quarters[o, start]
            within = (tree.quarter >= delivery) & (tree.quarter < delivery + problem.term_quarters[o])
            inside[o, start] = within * path[:, start]
        run_down = problem.existing[o, np.searchsorted(tree.quarter, np.arange(quarters))]
        for end in range(1, quarters + 1):
            last = run_down[end] if end < quarters else 0.0
            inside[o, tree.size + end - 1] = tree.quarter < end
            in_place[o, tree.size + end - 1] = float(run_down[end - 1] - last)
    out = model.add_variables(
        named(np.zeros(inside.shape), "offer", "cohort", "out"),
        named(np.where(inside > 0, np.inf, 0.0), "offer", "cohort", "out"), name="out",
    )
    so_far = (out * named(path, "node", "out")).sum("out")
    own = np.zeros((tree.size + quarters, tree.size))
    own[: tree.size] = np.eye(tree.size)
    of_order = (named(own, "cohort", "order_node") * order.rename({"node": "order_node"})).sum("order_node")
    held = xr.DataArray(inside > 0, coords=named(inside, "offer", "cohort", "node").coords)
    if held.any():
        model.add_constraints(so_far - of_order <= named(in_place, "offer", "cohort", "node"), name="alive", mask=held)
    return (named(inside, "offer", "cohort", "node") * so_far).sum("cohort")


def agreements(
    model: linopy.Model, problem: PlanProblem, order: linopy.Variable
) -> tuple[linopy.LinearExpression, linopy.LinearExpression]:
    """Fees by node, and what is due for draws not taken by node."""
    tree, agreed = problem.tree, problem.agreements
    count, size = len(agreed), tree.size
    cap = np.array([np.where(agreement.sign, agreement.level_cap, 0.0) for agreement in agreed])
    level = model.add_variables(
        named(np.zeros((count, size)), "agreement", "signing"), named(cap, "agreement", "signing"),
        name="level",
    )
    short = model.add_variables(named(np.zeros((count, size)), "agreement", "node"), name="short")
    most, least = np.zeros((count, size, size)), np.zeros((count, size, size))
    use = np.zeros((count, len(problem.offers)))
    counted = np.zeros((count, size), dtype=bool)
    for c, agreement in enumerate(agreed):
        use[c, list(agreement.offers)] = 1.0
        for node in range(size):
            late = tree.quarter[node] + problem.lead_quarters[list(agreement.offers), node]
            counted[c, node] = np.any(late < tree.quarters)
            for signed in path_to(problem, node):
                age = int(tree.quarter[node] - tree.quarter[signed] - agreement.start_quarters[signed])
                if 0 <= age < len(agreement.most):
                    most[c, node, signed], least[c, node, signed] = agreement.most[age], agreement.least[age]
    taken = (named(use, "agreement", "offer") * order).sum("offer")
    draws = xr.DataArray(np.ones((count, size)) * (use.sum(axis=1) > 0)[:, None] > 0,
                         coords=named(counted, "agreement", "node").coords)
    granted, duty = ((named(table, "agreement", "node", "signing") * level).sum("signing") for table in (most, least))
    model.add_constraints(taken - granted <= 0, name="draws", mask=draws)
    here = xr.DataArray(counted, coords=draws.coords)
    model.add_constraints(taken + short - duty >= 0, name="duty", mask=here)
    fee = named(np.array([agreement.fee_usd for agreement in agreed]), "agreement", "signing")
    price = named(np.array([agreement.untaken_usd for agreement in agreed]), "agreement", "node")
    fees = (fee * level).sum("agreement").rename({"signing": "node"})
    return fees, (price * short).sum("agreement")
