"""One tiny plan for each family, its golden LP, and the checks that a changed family must fail."""

from __future__ import annotations

import functools
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from fabless.plan import Agreement, PlanProblem, solve
from fabless.plan.lp.assemble import assemble
from fabless.plan.lp.lp_file import lp_text
from fabless.plan.problem.costs import constant_costs
from fabless.plan.problem.service import service
from fabless.scenario import balanced_tree, chain_tree
from plan_oracle import oracle_objective, random_problem

LP_FILES = Path(__file__).parent / "data" / "plan_lp"
ORACLE_SEEDS = (4, 8)


def small(quarters: int = 2, **given: Any) -> PlanProblem:
    """One offer, one load, every number another one."""
    fields: dict[str, Any] = {
        "tree": chain_tree(quarters), "offers": ("a",), "loads": ("l",),
        "lead_quarters": np.array(0), "term_quarters": np.array(2), "available": np.array(True),
        "cap": np.array(90.0), "capital_usd": np.array(3.0), "running_usd": np.array(1.0),
        "rate": np.array(2.0), "demand": np.array(10.0), "unmet_usd": np.array(7.0),
        "discount": 0.5 ** np.arange(quarters),
    }
    return PlanProblem(**(fields | given))


def _agreement(**given: Any) -> Agreement:
    return Agreement(**({"name": "deal", "offers": (0,), "most": np.array([2.0, 4.0]), "level_cap": np.array(6.0)} | given))


FAMILIES: dict[str, PlanProblem] = {
    "in service": small(4, lead_quarters=np.array(1), existing=np.array([[5.0, 3.0, 0.0, 0.0]])),
    "busy": small(1, loads=("l", "m"), demand=np.array([[10.0], [6.0]])),
    "demand": small(1, offers=("a", "b"), rate=np.array([[[2.0]], [[3.0]]])),
    "orders": small(2, floor=np.array([[1.0, 0.0]])),
    "allocation": small(1, offers=("a", "b"), groups=(("g", (0, 1), np.array(8.0)),)),
    "power": small(1, offers=("a", "b"), power_w=np.array([2.0, 3.0]), power_cap_w=np.array(12.0)),
    "cash": small(
        1, payment_usd=np.array(5.0), cash_cap_usd=np.array(30.0),
        agreements=(_agreement(fee_usd=np.array(2.0)),),
    ),
    "draw limit": small(
        3, agreements=(_agreement(start_quarters=np.array(1), sign=np.arange(3) < 2),)
    ),
    "take or pay": small(
        2, agreements=(_agreement(least=np.array([1.0, 3.0]), untaken_usd=np.array(1.5)),)
    ),
    "retirement": small(
        3, existing=np.array([[4.0, 3.0, 0.0]]), retire=np.array(True), resale_usd=np.array(0.5)
    ),
    "path cost and tail": small(
        tree=balanced_tree((2,), (1, 1), [[0.25, 0.75]]), fixed_usd=np.array([1.0, 2.0, 3.0]),
        cvar_weight=0.5, cvar_level=0.75,
    ),
}
"""By constraint family, or by the variable family that only it shows."""


def golden_path(name: str) -> Path:
    return LP_FILES / f"{name.replace(' ', '_')}.lp"


def written(name: str) -> str:
    """The programme of a family as it is assembled now."""
    problem = FAMILIES[name]
    return lp_text(problem, assemble(problem, service(problem), constant_costs(problem)))


def golden_faults(name: str) -> list[str]:
    """Lines in which the programme of a family is not the golden one."""
    golden, now = golden_path(name).read_text().splitlines(), written(name).splitlines()
    return sorted(set(golden) ^ set(now)) + ([] if len(golden) == len(now) else [f"{len(now)} lines of {len(golden)}"])


@functools.cache
def oracle_of(seed: int) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return oracle_objective(random_problem(seed))


def oracle_faults(seed: int, tolerance: float = 1e-9) -> list[str]:
    """How far the plan of a random problem is from the oracle's."""
    result, reference = solve(random_problem(seed)), oracle_of(seed)
    if not result.status.is_ok:
        return [f"seed {seed}: {result.status}"]
    apart = abs(result.objective_usd / reference - 1.0)
    return [f"seed {seed}: {apart:.1e} apart"] if apart > tolerance else []
