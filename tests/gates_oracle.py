"""Plans with gates decided by brute force and by mixed-integer programmes, the product's own and
one in linopy, for tests.

Neither uses anything of `fabless.plan.gates.decide*` but the record of a project: paths are walked
by their parents, and the policies are all assignments of on and off to stretches that pass a check
written here from the words of the definition.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import highspy
import linopy
import numpy as np
import xarray as xr

from fabless.plan import PlanProblem, Project, hold, solve
from fabless.plan.gates.policy import gates_of
from fabless.plan.lp.assemble import assemble
from fabless.plan.problem.costs import constant_costs
from fabless.plan.problem.service import service
from fabless.plan.solve.highs import row_units, solver_model, solver_of
from fabless.records import Tree
from fabless.scenario import balanced_tree


def random_gates(seed: int, branching: tuple[int, ...] = (2, 2), keys: int = 2, starts: int = 2) -> PlanProblem:
    """A rent, a bought chip, and projects whose chips are cheap where they come to volume and dead
    elsewhere."""
    rng = np.random.default_rng(seed)
    tree = balanced_tree(branching, (1, *(2,) * len(branching)))
    size, quarter = tree.size, tree.quarter
    first = np.array([k for k in range(size) if tree.parent[k] < 0 or np.sum(tree.parent == tree.parent[k]) > 1])
    stage = np.searchsorted(np.unique(quarter[first]), quarter, side="right") - 1
    is_first = np.isin(np.arange(size), first)
    offers, prices, cap, projects = ["rent", "chip"], [(6.0, 1.0), (3.5, 1.0)], [np.full(size, 8.0), np.full(size, 4.0)], []
    for key in range(keys):
        luck = rng.random(size)
        for begin in range(min(starts, len(branching) + 1)):
            arrived, dead = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
            for k in range(1, size):
                above = tree.parent[k]
                arrived[k], dead[k] = arrived[above], dead[above]
                if is_first[k] and stage[k] > begin and not (arrived[k] or dead[k]):
                    arrived[k], dead[k] = luck[k] < 0.45, luck[k] > 0.8
            offers.append(f"own {key} from {begin}")
            prices.append((rng.uniform(0.2, 1.5), 0.5))
            cap.append(np.where(arrived, rng.uniform(3.0, 9.0), 0.0))
            spend = rng.uniform(3.0, 25.0) * ~arrived * ~dead * rng.uniform(0.5, 1.5, size)
            projects.append(
                Project(
                    name=f"{key} from {begin}", offers=(len(offers) - 1,),
                    start=is_first & (stage == begin), gate=is_first & (stage > begin),
                    spend_usd=spend, end_usd=rng.choice([0.0, 0.5]) * np.ones(size),
                    excludes=f"programme {key}",
                )
            )
    count = len(offers)
    lead = np.array([0, 1, *(1,) * (count - 2)])
    limit = np.array(cap)
    return PlanProblem(
        tree=tree, offers=tuple(offers), loads=("l",),
        lead_quarters=np.repeat(lead[:, None], size, 1),
        term_quarters=np.array([1, *(4,) * (count - 1)]), available=limit > 0,
        cap=np.full((count, size), np.inf),
        groups=tuple((f"pool {o}", (o,), limit[o]) for o in range(count)),
        capital_usd=np.repeat(np.array([p[0] for p in prices])[:, None], size, 1)
        * rng.uniform(0.8, 1.2, (count, size)),
        running_usd=np.repeat(np.array([p[1] for p in prices])[:, None], size, 1),
        rate=np.ones((count, 1, size)),
        demand=rng.uniform(4.0, 14.0, (1, size)) * (1.0 + 0.3 * stage),
        unmet_usd=np.full((1, size), 9.0),
        discount=0.97 ** np.arange(tree.quarters),
        projects=tuple(projects),
        cvar_weight=[0.0, 0.3][seed % 2],
        cvar_level=0.7,
    )


def stretch_starts(tree: Tree) -> list[int]:
    return [k for k in range(tree.size) if tree.parent[k] < 0 or np.sum(tree.parent == tree.parent[k]) > 1]


def stretch_of(tree: Tree, node: int) -> int:
    starts = set(stretch_starts(tree))
    while node not in starts:
        node = int(tree.parent[node])
    return node


def histories(problem: PlanProblem, project: Project) -> list[dict[int, bool]]:
    """Every way in which one project may go on at the starts of stretches, by recursion from the
    root."""
    tree, starts = problem.tree, stretch_starts(problem.tree)
    after: dict[int, list[int]] = {k: [] for k in starts}
    for k in starts[1:]:
        after[stretch_of(tree, int(tree.parent[k]))].append(k)

    def ways(node: int, mode: str) -> list[dict[int, bool]]:
        """Ways from `node` on, given what the project was before: fresh, on, over."""
        choices = {"fresh": ["fresh"] + ["on"] * bool(project.start[node]),
                   "on": ["on"] + ["over"] * bool(project.gate[node]), "over": ["over"]}[mode]
        found = []
        for now in choices:
            below = [ways(child, now) for child in after[node]]
            found += [{node: now == "on"} | {k: v for part in parts for k, v in part.items()} for parts in product(*below)]
        return found

    return ways(starts[0], "fresh")


def laid(problem: PlanProblem, history: dict[int, bool]) -> np.ndarray:
    return np.array([history[stretch_of(problem.tree, k)] for k in range(problem.tree.size)])


def held(problem: PlanProblem, go: np.ndarray) -> PlanProblem:
    """The plan under a policy, written out by hand."""
    cap, fixed = problem.cap.copy(), problem.fixed_usd.copy()
    for o in range(len(problem.offers)):
        mine = [p for p, project in enumerate(problem.projects) if o in project.offers]
        if mine:
            cap[o, ~go[mine].any(axis=0)] = 0.0
    for p, project in enumerate(problem.projects):
        for k in range(problem.tree.size):
            before = problem.tree.parent[k] >= 0 and go[p, problem.tree.parent[k]]
            fixed[k] += project.spend_usd[k] * go[p, k] + project.end_usd[k] * (before and not go[p, k])
    return replace(problem, projects=(), cap=cap, fixed_usd=fixed)


def policies(problem: PlanProblem) -> list[np.ndarray]:
    """Every policy (P, K) that is allowed."""
    each = [[laid(problem, history) for history in histories(problem, project)] for project in problem.projects]
    return [np.array(rows) for rows in product(*each) if _exclusive(problem, rows) and _alike(problem, rows)]


def _exclusive(problem: PlanProblem, rows: tuple[np.ndarray, ...]) -> bool:
    tree = problem.tree
    for leaf in tree.leaves:
        path = [int(leaf)]
        while tree.parent[path[-1]] >= 0:
            path.append(int(tree.parent[path[-1]]))
        ever = [project.key for project, row in zip(problem.projects, rows, strict=True) if row[path].any()]
        if len(ever) != len(set(ever)):
            return False
    return True


def _alike(problem: PlanProblem, rows: tuple[np.ndarray, ...]) -> bool:
    starts = stretch_starts(problem.tree)
    for project, row in zip(problem.projects, rows, strict=True):
        if project.known is not None:
            told: dict[int, bool] = {}
            if any(told.setdefault(int(project.known[k]), bool(row[k])) != row[k] for k in starts):
                return False
    return True


def enumerated(problem: PlanProblem) -> tuple[float, np.ndarray, int]:
    """Least objective over all policies, the policy, and their number."""
    every = policies(problem)
    costs = [solve(held(problem, go)).objective_usd for go in every]
    return min(costs), every[int(np.argmin(costs))], len(every)


def exact(problem: PlanProblem) -> tuple[np.ndarray, float]:
    """The best policy (P, K) and its objective, by branch and bound on the programme that the
    search relaxes."""
    program = assemble(problem, service(problem), constant_costs(problem))
    solver = solver_of(solver_model(program, row_units(program)))
    solver.setOptionValue("solver", "choose")
    going = program.columns["go"].index
    own = going[going >= 0].astype(np.int32)
    solver.changeColsIntegrality(own.size, own, np.full(own.size, highspy.HighsVarType.kInteger))
    solver.setOptionValue("mip_rel_gap", 1e-7)
    solver.setOptionValue("mip_abs_gap", 0.0)
    solver.run()
    assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    gates = gates_of(problem)
    index = going[:, gates.pieces.first]
    value = np.where(index >= 0, np.array(solver.getSolution().col_value)[index], 0.0) > 0.5
    go = value[:, gates.pieces.own]
    return go, solve(hold(problem, go)).objective_usd


def linopy_objective(problem: PlanProblem) -> float:
    """Least objective by a mixed-integer programme in linopy, with modes fresh, on and over for
    each project and path.

    For problems with groups of one offer, one load, no budgets and no fleet in place.
    """
    tree, count, size = problem.tree, len(problem.offers), problem.tree.size
    nodes, offers = list(range(size)), list(range(count))
    model = linopy.Model()

    def named(values: np.ndarray, *dims: str) -> xr.DataArray:
        coords = {"offer": offers, "node": nodes, "order_node": nodes}
        return xr.DataArray(np.asarray(values, dtype=float), coords={d: coords[d] for d in dims}, dims=dims)

    limit = np.where(problem.available, problem.cap, 0.0)
    for _, (o,), most in problem.groups:
        limit[o] = np.minimum(limit[o], most)
    order = model.add_variables(named(np.zeros_like(limit), "offer", "node"), named(limit, "offer", "node"), name="order")
    serve = model.add_variables(lower=0.0, coords=[("offer", offers), ("node", nodes)], name="serve")
    unmet = model.add_variables(lower=0.0, coords=[("node", nodes)], name="unmet")
    table = np.zeros((count, size, size))
    for k in nodes:
        j = k
        while j >= 0:
            for o in offers:
                waited = tree.quarter[k] - tree.quarter[j]
                lead = problem.lead_quarters[o, j]
                table[o, k, j] = lead <= waited < lead + problem.term_quarters[o]
            j = int(tree.parent[j])
    fleet = (named(table, "offer", "node", "order_node") * order.rename({"node": "order_node"})).sum("order_node")
    model.add_constraints(serve - fleet <= 0, name="busy")
    model.add_constraints((named(problem.rate[:, 0], "offer", "node") * serve).sum("offer") + unmet
                          == named(problem.demand[0], "node"), name="demand")
    annuity = named(problem.capital_usd, "offer", "node").rename({"node": "order_node"})
    capital = (
        named(table, "offer", "node", "order_node") * annuity * order.rename({"node": "order_node"})
    ).sum(["offer", "order_node"])
    spent = capital + (named(problem.running_usd, "offer", "node") * fleet).sum("offer")
    spent = spent + named(problem.unmet_usd[0], "node") * unmet
    projects = range(len(problem.projects))
    below, free = np.arange(1, size), np.isin(nodes, stretch_starts(tree))

    def of_all(name: str, at: np.ndarray) -> xr.DataArray:
        rows = np.array([np.broadcast_to(getattr(project, name), size) for project in problem.projects], dtype=float)
        return xr.DataArray(rows[:, at], coords={"project": list(projects), "node": at}, dims=("project", "node"))

    coords = [("project", list(projects)), ("node", nodes)]
    on, over = (model.add_variables(binary=True, coords=coords, name=name) for name in ("on", "over"))
    ended = model.add_variables(lower=0.0, coords=coords, name="ended")
    model.add_constraints(on + over <= 1, name="one mode")
    model.add_constraints(1.0 * over.sel(node=0) == 0, name="not over at the root")
    model.add_constraints(on.sel(node=0) <= of_all("start", np.array([0])).sel(node=0, drop=True), name="start at the root")
    now, gone, fee = (item.sel(node=below) for item in (on, over, ended))
    was, had = (item.sel(node=tree.parent[below]).assign_coords(node=below) for item in (on, over))
    may = xr.DataArray(free[below].astype(float), coords={"node": below}, dims="node")
    model.add_constraints(gone - had >= 0, name="stays over")
    model.add_constraints(gone - had - fee <= 0, name="fee")
    model.add_constraints(now + gone - was - had >= 0, name="never fresh again")
    model.add_constraints(gone - had - was <= 0, name="ended from on")
    model.add_constraints(now - was <= of_all("start", below) * may, name="starts only there")
    model.add_constraints(gone - had <= of_all("gate", below) * may, name="ends only there")
    for p, o in [(one, offer) for one in projects for offer in problem.projects[one].offers]:
        model.add_constraints(order.sel(offer=o) - named(limit[o], "node") * on.sel(project=p) <= 0, name=f"open {p} {o}")
    for p, q in combinations(projects, 2):
        if problem.projects[q].key == problem.projects[p].key:
            both = on.sel(project=[p, q]).sum("project") + over.sel(project=[p, q]).sum("project")
            model.add_constraints(both <= 1, name=f"one of {p} {q}")
    everywhere = np.array(nodes)
    spent = spent + (of_all("spend_usd", everywhere) * on + of_all("end_usd", everywhere) * ended).sum("project")
    leaves = [int(leaf) for leaf in tree.leaves]
    cost = model.add_variables(lower=-np.inf, coords=[("leaf", leaves)], name="cost")
    tail = model.add_variables(lower=0.0, coords=[("leaf", leaves)], name="tail")
    value_at_risk = model.add_variables(lower=-np.inf, name="value at risk")
    for leaf in leaves:
        weight, k = np.zeros(size), leaf
        while k >= 0:
            weight[k] = problem.discount[tree.quarter[k]]
            k = int(tree.parent[k])
        model.add_constraints(cost.sel(leaf=leaf) - (named(weight, "node") * spent).sum("node")
                              == float(weight @ problem.fixed_usd), name=f"cost {leaf}")
        model.add_constraints(tail.sel(leaf=leaf) + value_at_risk - cost.sel(leaf=leaf) >= 0, name=f"tail {leaf}")
    chance = xr.DataArray(tree.probability[leaves], coords={"leaf": leaves}, dims="leaf")
    worst = value_at_risk + (chance * tail).sum() * (1.0 / (1.0 - problem.cvar_level))
    model.add_objective((1.0 - problem.cvar_weight) * (chance * cost).sum() + problem.cvar_weight * worst)
    status, _ = model.solve("highs", io_api="direct", output_flag=False, mip_rel_gap=1e-9)
    assert status == "ok"
    return float(model.objective.value)
