"""The same plan in mpi-sppy: one pyomo model a path, orders shared as far as the tree says, its extensive form in HiGHS.

    python benchmarks/decompose_mpi_sppy.py INSTANCE

Called by benchmarks/decompose.py with an interpreter that has mpi-sppy, pyomo and highspy; knows only the families of the
instance that it is given: orders, fleet, serving, shortage, allocation and CVaR.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pyomo.environ as pyo

with contextlib.redirect_stdout(sys.stderr):
    import mpisppy.scenario_tree as scenario_tree
    from mpisppy.opt.ef import ExtensiveForm


class Instance:
    """The arrays of a problem, its paths and the names of its tree nodes."""

    def __init__(self, file: Path) -> None:
        given = np.load(file)
        self.of = {name: given[name] for name in given.files}
        self.parent, self.quarter = self.of["parent"], self.of["quarter"]
        self.leaves = np.flatnonzero(self.quarter == self.quarter.max())
        self.children: dict[int, list[int]] = {}
        for node, above in enumerate(self.parent):
            self.children.setdefault(int(above), []).append(node)
        self.name = {0: "ROOT"}
        for node in range(1, self.parent.size):
            beside = self.children[int(self.parent[node])]
            above = self.name[int(self.parent[node])]
            self.name[node] = above if len(beside) == 1 else f"{above}_{beside.index(node)}"

    def path(self, leaf: int) -> list[int]:
        """Node-quarters from the start to a leaf."""
        found = [leaf]
        while self.parent[found[-1]] >= 0:
            found.append(int(self.parent[found[-1]]))
        return found[::-1]

    def nodes(self) -> list[str]:
        """Names of the tree nodes, leaves included."""
        return sorted(set(self.name.values()), key=lambda name: (name.count("_"), name))


def path_model(scenario: str, instance: Instance) -> pyo.ConcreteModel:
    """One path: its orders and what they serve, its cost and its part of CVaR."""
    data = instance.of
    leaf = int(scenario.removeprefix("path"))
    path = instance.path(leaf)
    offers, loads, quarters = range(data["cap"].shape[0]), range(data["demand"].shape[0]), range(len(path))
    at = {name: data[name][..., path] for name in ("lead_quarters", "available", "cap", "capital_usd", "running_usd",
                                                    "rate", "demand", "unmet_usd", "fixed_usd", "group_limit", "existing",
                                                    "existing_capital_usd")}
    discount, term = data["discount"], data["term_quarters"]
    model = pyo.ConcreteModel(scenario)

    def limits(_: pyo.ConcreteModel, o: int, q: int) -> tuple[float, float | None]:
        arrives = q + at["lead_quarters"][o, q] < len(path)
        cap = at["cap"][o, q] if at["available"][o, q] and arrives else 0.0
        return 0.0, None if np.isinf(cap) else float(cap)

    model.order = pyo.Var(offers, quarters, bounds=limits)
    model.fleet = pyo.Var(offers, quarters, bounds=(0.0, None))
    usable = [(o, l, q) for o in offers for l in loads for q in quarters  # noqa: E741
              if at["rate"][o, l, q] > 0 and at["demand"][l, q] > 0]
    model.serve = pyo.Var(usable, bounds=(0.0, None))
    model.unmet = pyo.Var(loads, quarters, bounds=(0.0, None))
    lead = at["lead_quarters"]
    in_service = {(o, q): [j for j in range(q + 1) if lead[o, j] <= q - j < lead[o, j] + term[o]]
                  for o in offers for q in quarters}
    kept = set(usable)
    model.in_service = pyo.Constraint(offers, quarters, rule=lambda m, o, q: m.fleet[o, q] == float(at["existing"][o, q])
                                 + sum(m.order[o, j] for j in in_service[o, q]))
    model.busy = pyo.Constraint(offers, quarters, rule=lambda m, o, q: (
        sum(m.serve[o, l, q] for l in loads if (o, l, q) in kept) <= m.fleet[o, q]))  # noqa: E741
    model.need = pyo.Constraint(loads, quarters, rule=lambda m, l, q: m.unmet[l, q] + sum(  # noqa: E741
        float(at["rate"][o, l, q]) * m.serve[o, l, q] for o in offers if (o, l, q) in kept) == float(at["demand"][l, q]))
    finite = [(g, q) for g in range(data["group_of"].shape[0]) for q in quarters if np.isfinite(at["group_limit"][g, q])]
    model.pool = pyo.Constraint(finite, rule=lambda m, g, q: sum(
        m.order[o, q] for o in offers if data["group_of"][g, o]) <= float(at["group_limit"][g, q]))
    cost = sum(float(discount[q]) * (
        sum(float(at["capital_usd"][o, j]) * model.order[o, j] for o in offers for j in in_service[o, q])
        + float(at["existing_capital_usd"][:, q] @ at["existing"][:, q]) + float(at["fixed_usd"][q])
        + sum(float(at["running_usd"][o, q]) * model.fleet[o, q] for o in offers)
        + sum(float(at["unmet_usd"][l, q]) * model.unmet[l, q] for l in loads)) for q in quarters)  # noqa: E741
    weight, level = float(data["cvar_weight"]), float(data["cvar_level"])
    # in units of a billion, so that the solver sees numbers of moderate size
    model.threshold, model.tail = pyo.Var(), pyo.Var(bounds=(0.0, None))
    model.above = pyo.Constraint(expr=model.tail >= 1e-9 * cost - model.threshold)
    model.first_cost = pyo.Expression(expr=0.0)
    model.total = pyo.Objective(expr=(1 - weight) * 1e-9 * cost + weight * (model.threshold + model.tail / (1 - level)))
    _attach(model, instance, path)
    return model


def _attach(model: pyo.ConcreteModel, instance: Instance, path: list[int]) -> None:
    """Say which orders are shared with other paths."""
    probability, nodes = instance.of["probability"], []
    names = [instance.name[k] for k in path]
    for name in dict.fromkeys(names[:-1]):
        if name == names[-1]:
            continue
        quarters = [q for q, other in enumerate(names) if other == name]
        shared = [model.order[o, q] for o in range(instance.of["cap"].shape[0]) for q in quarters]
        first, above = path[quarters[0]], instance.parent[path[quarters[0]]]
        odds = 1.0 if above < 0 else float(probability[first] / probability[above])
        if name == "ROOT":
            shared.append(model.threshold)
        nodes.append(scenario_tree.ScenarioNode(
            name=name, cond_prob=odds, stage=len(nodes) + 1, cost_expression=model.first_cost, nonant_list=shared,
            scen_model=model, parent_name=None if name == "ROOT" else name.rsplit("_", 1)[0]))
    model._mpisppy_node_list = nodes
    model._mpisppy_probability = float(probability[path[-1]])


def main() -> None:
    """Solve and print."""
    instance = Instance(Path(sys.argv[1]).with_suffix(".npz"))
    names = [f"path{leaf}" for leaf in instance.leaves]
    start, spent = time.perf_counter(), time.process_time()
    with contextlib.redirect_stdout(open(os.devnull, "w")):
        form = ExtensiveForm({"solver": "appsi_highs"}, names, path_model, all_nodenames=instance.nodes(),
                             scenario_creator_kwargs={"instance": instance})
        form.solve_extensive_form(solver_options={"solver": "simplex"})
    print(json.dumps({
        "objective": 1e9 * form.get_objective_value(), "seconds": time.perf_counter() - start,
        "cpu": time.process_time() - spent, "gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}))


if __name__ == "__main__":
    main()
