"""Search over programme gates beside branch and bound, on trees of the reference case.

    python benchmarks/gates.py [BRANCHING ...] [--spend SHARE]     for example: 4,2,2,1 9,3,3,1

Every programme of the case may start at once or at one of the next two branchings and be given up
at each later one; only the lines of the way "build" are open. `--spend` multiplies what the
programmes spend: at 1 hardly any of them pays on these trees, at 0.2 the choice is hard. Prints
processor seconds of the first linear programme, of the whole search and of branch and bound, the
objectives, the gap of the search to its bound, and how many linear programmes it took.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

import fabless as fb
from fabless.decide.ways.prepare import DRAWS, prepare, programme_model_of
from fabless.decide.ways.problem import World, draw_world, plan_of
from fabless.plan import PlanProblem, Project, gate_nodes, hold, search, solve
from fabless.programme import discretise, simulate
from fabless.sampling import stream
from fabless.scenario import outcome_on_tree
from fabless.strategy import Commitment, owning_at, programme_offers
from fabless.units import QUARTER_S

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from gates_oracle import exact

STARTS = 3
GIVEN = ("lead_quarters", "term_quarters", "available", "capital_usd", "running_usd", "payment_usd")
"""Fields that an offer gives a plan as they are; `rate` in the plan's units of load; all others
stay as by default."""


def gated(here: World, spend: float) -> PlanProblem:
    """The plan of the lines open to "build" with every programme of the case as a project for each
    start."""
    case, scenarios = here.case, here.scenarios
    plan = plan_of(here, Commitment(tuple(line for line in case.lines if "build" in line.ways), ()))
    plain, quarter, nodes = plan.problem, scenarios.tree.quarter, gate_nodes(scenarios.tree)
    life, rate = (number.spread.mode for number in (case.numbers.owning.life, case.numbers.finance.real_rate))
    owning = owning_at(scenarios.values.owning, life, rate)
    offers, groups, projects = [], list(plain.groups), []
    for item in case.programmes:
        lead = case.numbers.programmes[item.name].fab.spread.mode + case.numbers.owning.installation.spread.mode
        parameters = programme_model_of(item, case.numbers.programmes[item.name])
        draws = simulate(parameters, DRAWS, stream(case.seed, f"programme {item.name}"), quarters=case.quarters)
        for start in (0, *case.boundaries)[:STARTS]:
            chain = discretise(draws, case.quarters, case.boundaries, notice_quarters=lead / QUARTER_S, start_quarter=start)
            fate = outcome_on_tree(chain, scenarios, here.need, stream(case.seed, f"fate {item.name}"))
            own = programme_offers(case, item, scenarios, fate, here.prepared.throughput[item.chip.name], owning)
            first, name = len(plain.offers) + len(offers), f"{item.name} from {start}"
            mine = tuple(range(first, first + len(own)))
            offers += own
            groups.append((name, mine, own[0].pool.cap))
            projects.append(
                Project(
                    name=name, offers=mine, start=nodes & (quarter == start),
                    gate=nodes & (quarter > start),
                    spend_usd=spend * fate.spend_usd * (quarter >= start), excludes=item.name,
                )
            )
    rate = np.array([offer.rate for offer in offers]) / plan.unit[None, :, None]
    more = {name: np.array([getattr(offer, name) for offer in offers]) for name in GIVEN} | {"rate": rate}
    more["cap"] = np.full(rate[:, 0].shape, np.inf)
    by_offer = (*more, "existing", "existing_capital_usd", "floor", "power_w", "retire", "resale_usd")
    joined = {
        name: np.concatenate(
            [value, more.get(name, np.zeros((len(offers), *value.shape[1:]), value.dtype))]
        )
        for name in by_offer
        for value in (getattr(plain, name),)
    }
    names = tuple(f"{offer.name} {k}" for k, offer in enumerate(offers))
    return replace(plain, offers=(*plain.offers, *names), groups=tuple(groups), projects=tuple(projects), **joined)


def main() -> None:
    """Measure."""
    asked = argparse.ArgumentParser()
    asked.add_argument("branching", nargs="*", default=["4,2,2,1", "9,3,3,1"])
    asked.add_argument("--spend", type=float, default=0.2)
    given = asked.parse_args()
    case = fb.case()
    prepared = prepare(case, fb.load(case.as_of))
    print("  branching leaves  first s search s  LPs out       search        bound     gap  exact s        exact")
    for text in given.branching:
        problem = gated(draw_world(prepared, branching=tuple(int(part) for part in text.split(","))), given.spend)
        clock = time.process_time()
        solve(hold(problem, np.zeros((len(problem.projects), problem.tree.size), dtype=bool)))
        first = time.process_time() - clock
        clock = time.process_time()
        found = search(problem)
        searched = time.process_time() - clock
        clock = time.process_time()
        _, best = exact(problem)
        branched = time.process_time() - clock
        print(
            f"{text:>11} {problem.tree.leaves.size:>6} {first:>8.2f} {searched:>8.1f} {found.solves:>4} "
            f"{found.ruled_out:>3} {found.objective_usd:>12.6g} {found.lower_bound_usd:>12.6g} {found.gap:>7.1e} "
            f"{branched:>8.1f} {best:>12.6g}"
        )


if __name__ == "__main__":
    main()
