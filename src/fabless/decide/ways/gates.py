"""Gates of the programmes of a plan: where each may be started and given up, and how other scenarios follow a policy."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fabless.decide.ways.problem import Plan, World
from fabless.plan import PlanProblem, Project, gate_nodes
from fabless.records import Tree
from fabless.scenario import knowledge

LEAST_NODES = 8
"""Fewest nodes of the tree that decide together on a programme, against sampling luck."""


@dataclass(frozen=True, eq=False)
class Policy:
    """Which candidate goes on where, with what that may depend on; a row of each array is a candidate."""

    go: NDArray[np.bool_]
    """(candidates, node-quarters)"""
    mode: NDArray[np.int64]
    """State of the programme at each node-quarter, coded like `ProgrammeOnTree.mode`."""
    need: NDArray[np.float64]
    """(node-quarters,) compute demanded."""
    tree: Tree


def undecided(world: World, plan: Plan) -> PlanProblem:
    """The problem of a plan with its candidates as projects, to be started and given up where news arrives."""
    tree, boundaries = plan.problem.tree, (0, *world.case.boundaries)
    nodes = gate_nodes(tree)
    return replace(plan.problem, projects=tuple(
        Project(name=candidate.name, offers=candidate.offers, start=nodes & (tree.quarter == boundaries[candidate.start]),
                gate=nodes & (tree.quarter > boundaries[candidate.start]), spend_usd=candidate.spend_usd,
                excludes=candidate.programme, known=knowledge(
                    world.scenarios, candidate.fate, world.need, start=candidate.start, least=LEAST_NODES))
        for candidate in plan.candidates))


def policy_of(world: World, plan: Plan, go: NDArray[np.bool_]) -> Policy:
    """A policy with the state of each candidate and the need at each node-quarter."""
    mode = np.array([candidate.fate.mode for candidate in plan.candidates]).reshape(go.shape)
    return Policy(go, mode, world.need, plan.problem.tree)


def followed(policy: Policy, world: World, plan: Plan) -> NDArray[np.bool_]:
    """What the same candidates do on other scenarios of the case, (candidates, node-quarters).

    At each branching a node does what the node of the policy does that had the candidate on or off before alike, sees it
    in the same state, and is nearest in need of compute; where no such node is, the candidate stays as it was. Of one
    programme only the first start counts.
    """
    tree = plan.problem.tree
    moments = (0, *world.case.boundaries)
    go = np.zeros((len(plan.candidates), tree.size), dtype=bool)
    for quarter in range(tree.quarters):
        nodes_now = np.flatnonzero(tree.quarter == quarter)
        above = tree.parent[nodes_now]
        before = go[:, above] if quarter else np.zeros((len(plan.candidates), 1), dtype=bool)
        go[:, nodes_now] = before
        if quarter not in moments:
            continue
        taken: dict[str, NDArray[np.bool_]] = {}
        for k, candidate in enumerate(plan.candidates):
            taken[candidate.programme] = taken.get(candidate.programme, np.zeros(nodes_now.size, dtype=bool)) | before[k]
        for k, candidate in enumerate(plan.candidates):
            if quarter < moments[candidate.start]:
                continue
            wanted = _nearest(policy, k, quarter, before=before[k], mode=candidate.fate.mode[nodes_now],
                              need=world.need[nodes_now])
            starts = wanted & ~before[k]
            allowed = (quarter == moments[candidate.start]) & ~taken[candidate.programme]
            go[k, nodes_now] = np.where(starts, allowed, wanted)
            taken[candidate.programme] |= starts & allowed
    return go


def _nearest(
    policy: Policy, candidate: int, quarter: int, before: NDArray[np.bool_], mode: NDArray[np.int64],
    need: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """What the policy's nodes of a quarter do whose state is the same and whose need is nearest."""
    policy_nodes = np.flatnonzero(policy.tree.quarter == quarter)
    was = policy.go[candidate, policy.tree.parent[policy_nodes]] & (quarter > 0)
    wanted = before.copy()
    for state in range(3):
        for on in (False, True):
            asking = np.flatnonzero((mode == state) & (before == on))
            like = policy_nodes[(policy.mode[candidate, policy_nodes] == state) & (was == on)]
            if asking.size and like.size:
                like = like[np.argsort(policy.need[like], kind="stable")]
                level = np.log(policy.need[like])
                place = np.searchsorted(0.5 * (level[1:] + level[:-1]), np.log(need[asking]))
                wanted[asking] = policy.go[candidate, like[place]]
    return wanted


def decided(plan: Plan, go: NDArray[np.bool_]) -> Plan:
    """The plan under a policy: offers closed where no candidate of theirs goes on, its spend fixed."""
    available, fixed = plan.problem.available.copy(), plan.problem.fixed_usd.copy()
    for on, candidate in zip(go, plan.candidates, strict=True):
        available[list(candidate.offers)] &= on
        fixed = fixed + np.where(on, candidate.spend_usd, 0.0)
    return replace(plan, problem=replace(plan.problem, available=available, fixed_usd=fixed))


def carried_through(plan: Plan) -> Plan:
    """The plan with every candidate started as soon as it may be and never given up; nothing is left to decide."""
    return replace(decided(plan, np.ones((len(plan.candidates), plan.problem.tree.size), dtype=bool)), candidates=())
