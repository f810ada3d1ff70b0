"""The planner who plans again each quarter: against the plan itself where nothing is uncertain,
against a rolling programme written in linopy, and its honesty about the future."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import linopy
import numpy as np
import pytest

from fabless.plan import PlanProblem, on_tree, solve
from fabless.plan.lookahead.outlook import Outlook, classes, outlook_of
from fabless.plan.lookahead.planner import Placed, planned_along
from fabless.plan.rule.perfect import chains, perfect_costs
from fabless.plan.rule.simulate import paths_table, simulate_orders
from fabless.records import Array
from plan_oracle import named, plain_problem, random_problem
from test_plan import tiny


def apart(seed: int, *, plain: bool = False) -> PlanProblem:
    """The paths of a random problem, each a chain of its own."""
    problem = replace((plain_problem if plain else random_problem)(seed), projects=())
    return chains(problem, np.arange(problem.tree.leaves.size))


def as_known(problem: PlanProblem, quarter: int) -> PlanProblem:
    """What is seen at a quarter goes on for ever; the chips in place run down as planned."""
    table = paths_table(problem.tree)
    source = np.arange(problem.tree.size)
    source[table[:, quarter:]] = table[:, [quarter]]
    kept = replace(problem, retire=np.array(False), resale_usd=np.array(0.0))
    return replace(on_tree(kept, problem.tree, source), existing=problem.existing,
                   retire=problem.retire, resale_usd=problem.resale_usd[:, source])


def first_of(problem: PlanProblem) -> tuple[Array, Array, Array]:
    """What the plan of each path by itself does in the first quarter."""
    result, roots = solve(problem), paths_table(problem.tree)[:, 0]
    assert result.status.is_ok
    return result.orders[:, roots], result.levels[:, roots], result.retired[:, roots]


def seen_by(
    problem: PlanProblem, views: list[list[PlanProblem]], chance: list[float], margin: float = 1.0
) -> Iterator[tuple[int, Outlook]]:
    """Outlooks of every quarter but the first: a list of branches for each."""
    table = paths_table(problem.tree)
    count, quarters = table.shape
    for quarter, branches in enumerate(views, start=1):
        raised = np.full((len(problem.loads), quarters - quarter), margin)
        raised[:, 0] = 1.0
        odds = np.repeat(np.array(chance)[:, None], count, axis=1)
        yield quarter, outlook_of(branches, odds, table[:, quarter:], raised)


def planned(problem: PlanProblem, views: list[list[PlanProblem]], chance: list[float]) -> Placed:
    return planned_along(problem, first_of(problem), seen_by(problem, views, chance))


def cost(problem: PlanProblem, placed: Placed) -> Array:
    return simulate_orders(problem, placed.orders, placed.levels, placed.retired).path_cost_usd


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("branches", [1, 2])
def test_without_uncertainty_the_planner_is_the_plan(seed: int, branches: int) -> None:
    """Contracts, retirement, shared limits, power and cash in play."""
    problem = apart(seed)
    views = [[problem] * branches] * (problem.tree.quarters - 1)
    placed = planned(problem, views, [1.0] if branches == 1 else [0.3, 0.7])
    assert cost(problem, placed) == pytest.approx(solve(problem).path_cost_usd, rel=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_no_planner_beats_perfect_information(seed: int) -> None:
    problem = apart(seed)
    views = [[as_known(problem, q)] for q in range(1, problem.tree.quarters)]
    least = perfect_costs(problem, np.arange(problem.tree.leaves.size))
    found = cost(problem, planned(problem, views, [1.0]))
    assert np.all(found >= least * (1 - 1e-9))
    assert found.mean() > least.mean() * 1.001  # what is to come was not known


@pytest.mark.parametrize("seed", range(4))
def test_two_equal_branches_are_one_and_their_order_does_not_matter(seed: int) -> None:
    problem = apart(seed, plain=True)
    quarters = range(1, problem.tree.quarters)
    seen = [as_known(problem, q) for q in quarters]
    dear = [replace(view, demand=1.3 * view.demand * (problem.tree.quarter > q)
                    + view.demand * (problem.tree.quarter <= q))
            for q, view in zip(quarters, seen, strict=True)]
    one = cost(problem, planned(problem, [[view] for view in seen], [1.0]))
    twice = cost(problem, planned(problem, [[view, view] for view in seen], [0.4, 0.6]))
    assert twice == pytest.approx(one, rel=1e-9)
    pairs = list(zip(seen, dear, strict=True))
    forth = cost(problem, planned(problem, [[a, b] for a, b in pairs], [0.25, 0.75]))
    back = cost(problem, planned(problem, [[b, a] for a, b in pairs], [0.75, 0.25]))
    assert forth == pytest.approx(back, rel=1e-7)
    sure = cost(problem, planned(problem, [[a, b] for a, b in pairs], [1.0, 0.0]))
    assert sure == pytest.approx(one, rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_the_planner_is_a_plain_rolling_programme(seed: int) -> None:
    """Each quarter's programme written again in linopy, orders so far held: the same cost."""
    problem = apart(seed, plain=True)
    views = [as_known(problem, q) for q in range(1, problem.tree.quarters)]
    compiled = cost(problem, planned(problem, [[view] for view in views], [1.0]))
    table = paths_table(problem.tree)
    orders = np.zeros(problem.cap.shape)
    orders[:, table[:, 0]] = first_of(problem)[0]
    for quarter, view in enumerate(views, start=1):
        for path in range(len(table)):
            orders[:, table[path, quarter]] = rolled(view, table[path], orders, quarter)
    assert compiled == pytest.approx(simulate_orders(problem, orders).path_cost_usd, rel=1e-6)


def rolled(view: PlanProblem, path: Array, orders: Array, now: int) -> Array:
    """Orders of quarter `now` in the best plan of one path whose earlier orders are given."""
    quarters = range(path.size)
    late = np.arange(path.size) + view.lead_quarters[:, path] >= path.size
    cap = np.where(view.available[:, path] & ~late, view.cap[:, path], 0.0)
    floor, given = view.floor[:, path], orders[:, path]
    low = np.where(np.arange(path.size) < now, given, floor)
    high = np.where(np.arange(path.size) < now, given, np.maximum(cap, floor))
    model = linopy.Model()
    order = model.add_variables(named(low, "offer", "at"), named(high, "offer", "at"), name="order")
    rate = view.rate[:, :, path]
    serve = model.add_variables(
        named(np.zeros(rate.shape), "offer", "load", "q"),
        named(np.where(rate > 0, np.inf, 0.0), "offer", "load", "q"), name="serve")
    unmet = model.add_variables(named(np.zeros(view.demand[:, path].shape), "load", "q"), name="unmet")
    inside = np.zeros((len(view.offers), path.size, path.size))
    for at in quarters:
        for q in quarters:
            age = q - at - view.lead_quarters[:, path[at]]
            inside[:, q, at] = (age >= 0) & (age < view.term_quarters)
    fleet = (named(inside, "offer", "q", "at") * order).sum("at")
    in_place = view.existing[:, path]
    model.add_constraints(serve.sum("load") - fleet <= named(in_place, "offer", "q"))
    model.add_constraints((named(rate, "offer", "load", "q") * serve).sum("offer") + unmet
                          == named(view.demand[:, path], "load", "q"))
    members = {name: list(rows) for name, rows, _ in view.groups}
    for name, _, limit in view.groups:
        if np.isfinite(limit[path]).all():
            least = floor[members[name]].sum(axis=0)
            model.add_constraints(order.sel(offer=members[name]).sum("offer") <= named(
                np.where(np.arange(path.size) < now, np.inf, np.maximum(limit[path], least)), "at"))
    paid = (named(view.payment_usd[:, path], "offer", "at") * order).sum("offer")
    committed = (view.payment_usd[:, path] * floor).sum(axis=0)
    cash = np.where(np.arange(path.size) < now, np.inf,
                    np.maximum(view.cash_cap_usd[path], committed))
    for at in np.flatnonzero(np.isfinite(cash)):
        model.add_constraints(paid.sel(at=at) <= cash[at])
    watts = (named(view.power_w, "offer") * fleet).sum("offer")
    drawn = view.power_w @ in_place
    held = np.einsum("oqa,oa,o->q", inside, np.where(np.arange(path.size) < now, given, 0.0),
                     view.power_w)
    for q in np.flatnonzero(np.isfinite(view.power_cap_w[path])):
        if q >= now:
            room = max(view.power_cap_w[path][q], drawn[q] + held[q])
            model.add_constraints(watts.sel(q=q) <= room - drawn[q])
    factor = view.discount
    annuity = np.einsum("oqa,q->oa", inside, factor) * view.capital_usd[:, path]
    running = np.einsum("oqa,oq,q->oa", inside, view.running_usd[:, path], factor)
    model.add_objective(
        (named(annuity + running, "offer", "at") * order).sum()
        + (named(view.unmet_usd[:, path] * factor, "load", "q") * unmet).sum())
    status, _ = model.solve("highs", io_api="direct", output_flag=False)
    assert status == "ok"
    return np.asarray(order.solution.sel(at=now))


def test_the_future_does_not_reach_the_orders_of_today() -> None:
    """Outlooks up to quarter 3 are the same on two futures: so are the orders."""
    problem = apart(2)
    other = replace(problem, demand=problem.demand * np.where(problem.tree.quarter > 3, 2.5, 1.0))
    first = first_of(problem)
    views = [[as_known(problem, q)] for q in range(1, problem.tree.quarters)]
    others = [[as_known(other, q)] for q in range(1, problem.tree.quarters)]
    one = planned_along(problem, first, seen_by(problem, views, [1.0]))
    two = planned_along(other, first, seen_by(other, others, [1.0]))
    early = problem.tree.quarter <= 3
    assert np.array_equal(one.orders[:, early], two.orders[:, early])
    assert not np.array_equal(one.orders[:, ~early], two.orders[:, ~early])


def test_a_planner_does_not_wait_for_ever() -> None:
    """A lead of four quarters while supply is scarce and two after: with the branch in which it
    stays scarce the order goes out at once."""
    quarters = 10
    lead = np.full(quarters, 4)
    problem = tiny(
        apart(0).tree.__class__(np.arange(quarters) - 1, np.arange(quarters), np.ones(quarters)),
        term_quarters=np.array(6), lead_quarters=lead[None],
        demand=np.array([np.where(np.arange(quarters) >= 5, 10.0, 0.0)]),
        unmet_usd=np.array(50.0), discount=np.ones(quarters))

    def branch(quarter: int, *, scarce: bool) -> PlanProblem:
        later = problem.tree.quarter > quarter
        return replace(problem, lead_quarters=np.where(later & (not scarce), 2, lead)[None])

    views = [[branch(q, scarce=False), branch(q, scarce=True)] for q in range(1, quarters)]
    none = (np.zeros((1, 1)), np.zeros((0, 1)), np.zeros((1, 1)))
    placed = planned_along(problem, none, seen_by(problem, views, [0.5, 0.5]))
    assert placed.orders[0, 1] == pytest.approx(10.0)


def test_a_line_that_is_closed_or_renamed_changes_no_order() -> None:
    problem = apart(5, plain=True)
    views = [[as_known(problem, q)] for q in range(1, problem.tree.quarters)]
    usual = planned(problem, views, [1.0])

    def wider(of: PlanProblem) -> PlanProblem:
        """One more offer that nobody may order."""
        def more(name: str) -> Array:
            values = getattr(of, name)
            return np.concatenate([values, values[:1]])

        names = ("lead_quarters", "capital_usd", "running_usd", "rate", "payment_usd", "floor",
                 "cap", "term_quarters", "power_w", "existing_capital_usd", "retire", "resale_usd")
        zero = np.zeros_like(of.existing[:1])
        return replace(of, offers=(*of.offers, "closed"), **{name: more(name) for name in names},
                       existing=np.concatenate([of.existing, zero]),
                       available=np.concatenate([of.available, np.zeros_like(of.available[:1])]))

    first = first_of(problem)
    none = np.zeros((1, first[0].shape[1]))
    wide = planned_along(
        wider(problem), (np.concatenate([first[0], none]), first[1], np.concatenate([first[2], none])),
        seen_by(wider(problem), [[wider(view)] for (view,) in views], [1.0]))
    assert np.array_equal(wide.orders[:-1], usual.orders)
    assert not wide.orders[-1].any()


def test_offers_whose_rates_are_in_proportion_are_one_class() -> None:
    rate = np.ones((1, 4, 2, 1, 3))
    rate[0, 1] = 2.0
    rate[0, 2, 0] = 3.0
    rate[0, 3, 1] = 0.0
    assert classes(rate).tolist() == [0, 0, 1, 2]
