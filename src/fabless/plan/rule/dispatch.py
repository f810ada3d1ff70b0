"""Which chips serve which load once the fleet is given: the best use of it, quarter by quarter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabless.plan.problem.problem import PlanProblem
from fabless.records import Array


@dataclass(frozen=True, eq=False)
class Dispatch:
    """How a given fleet is used."""

    serve: Array
    """(O, L, K) chips given to each load."""
    unmet: Array
    """(L, K) load left unserved."""


def dispatch(problem: PlanProblem, active: Array) -> Dispatch:
    """Give chips in service `active` (O, K) to the loads so that shortage costs least.

    The chips are paid for whether they work or not, and no quarter binds another, so that each
    node-quarter is a small linear programme of its own::

        max  sum rate x unmet price x serve      chips o, loads l
        s.t. sum over loads of serve <= active,  sum over chips of rate x serve <= demand,
             serve >= 0

    Solved exactly by the simplex method, from nothing served, all numbers relative to the fleet and
    to the demand.

    >>> from fabless.scenario import chain_tree
    >>> problem = PlanProblem(
    ...     tree=chain_tree(1), offers=("old", "new"), loads=("chat", "training"),
    ...     lead_quarters=np.array(0),
    ...     term_quarters=np.array(1), available=np.array(True), cap=np.array(np.inf),
    ...     capital_usd=np.array(1.0),
    ...     running_usd=np.array(0.0), rate=np.array([[[2.0], [1.0]], [[3.0], [3.0]]]),
    ...     demand=np.array([[12.0], [9.0]]),
    ...     unmet_usd=np.array([[10.0], [11.0]]), discount=np.array(1.0))
    >>> used = dispatch(problem, np.array([[5.0], [3.0]]))
    >>> used.serve[:, :, 0].tolist(), used.unmet[:, 0].tolist()
    ([[5.0, 0.0], [0.0, 3.0]], [2.0, 0.0])
    """
    # numba loads and compiles slowly: only where fleets are in fact dispatched.
    from fabless.plan.rule.dispatch_kernel import best_use

    gain = problem.rate * problem.unmet_usd
    # one layout, so that it is compiled once
    by_node = (np.require(np.moveaxis(array, -1, 0), requirements=["C", "W"])
               for array in (problem.rate, gain, problem.demand, active))
    serve = np.moveaxis(best_use(*by_node), 0, -1)
    unmet = np.maximum(problem.demand - (problem.rate * serve).sum(axis=0), 0.0)
    return Dispatch(serve, unmet)
