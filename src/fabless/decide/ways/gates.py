"""Gates of the programmes of a plan: where each may be started and given up, and how other
scenarios follow a policy."""

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
    """Which project goes on where, with what that may depend on; a row of each array is a
    project."""

    go: NDArray[np.bool_]
    """(projects, node-quarters)"""
    mode: NDArray[np.int64]
    """State of the programme at each node-quarter, coded like `OutcomeOnTree.mode`."""
    need: NDArray[np.float64]
    """(node-quarters,) compute demanded."""
    tree: Tree


def undecided(world: World, plan: Plan) -> PlanProblem:
    """The problem of a plan with its projects, to be started and given up where news arrives."""
    tree, boundaries = plan.problem.tree, (0, *world.case.boundaries)
    nodes = gate_nodes(tree)
    return replace(
        plan.problem,
        projects=tuple(
            Project(
                name=candidate.name, offers=candidate.offers,
                start=nodes & (tree.quarter == boundaries[candidate.start]),
                gate=nodes & (tree.quarter > boundaries[candidate.start]),
                spend_usd=candidate.spend_usd, excludes=candidate.programme,
                known=knowledge(
                    world.scenarios, candidate.outcome, world.need, start=candidate.start,
                    least=LEAST_NODES,
                ),
            )
            for candidate in plan.projects
        ),
    )


def policy_of(world: World, plan: Plan, go: NDArray[np.bool_]) -> Policy:
    """A policy with the state of each project and the need at each node-quarter."""
    mode = np.array([candidate.outcome.mode for candidate in plan.projects]).reshape(go.shape)
    return Policy(go, mode, world.need, plan.problem.tree)


def followed(policy: Policy, world: World, plan: Plan) -> NDArray[np.bool_]:
    """What the same projects do on other scenarios of the case, (projects, node-quarters).

    At each branching a node does what the node of the policy does that had the project on or off
    before alike, sees it in the same state, and is nearest in need of compute; where no such node
    is, the project stays as it was. Of one programme only the first start counts.
    """
    tree = plan.problem.tree
    moments = (0, *world.case.boundaries)
    go = np.zeros((len(plan.projects), tree.size), dtype=bool)
    for quarter in range(tree.quarters):
        nodes_now = np.flatnonzero(tree.quarter == quarter)
        above = tree.parent[nodes_now]
        before = go[:, above] if quarter else np.zeros((len(plan.projects), nodes_now.size), dtype=bool)
        go[:, nodes_now] = before
        if quarter not in moments:
            continue
        taken: dict[str, NDArray[np.bool_]] = {}
        for k, candidate in enumerate(plan.projects):
            taken[candidate.programme] = taken.get(candidate.programme, np.zeros(nodes_now.size, dtype=bool)) | before[k]
        for k, candidate in enumerate(plan.projects):
            if quarter < moments[candidate.start]:
                continue
            wanted = _nearest(
                policy, k, quarter, before=before[k], mode=candidate.outcome.mode[nodes_now],
                need=world.need[nodes_now],
            )
            starts = wanted & ~before[k]
            allowed = (quarter == moments[candidate.start]) & ~taken[candidate.programme]
            go[k, nodes_now] = np.where(starts, allowed, wanted)
            taken[candidate.programme] |= starts & allowed
    return go


def _nearest(
    policy: Policy, project: int, quarter: int, before: NDArray[np.bool_], mode: NDArray[np.int64],
    need: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """What the policy's nodes of a quarter do whose state is the same and whose need is nearest."""
    policy_nodes = np.flatnonzero(policy.tree.quarter == quarter)
    was = policy.go[project, policy.tree.parent[policy_nodes]] & (quarter > 0)
    wanted = before.copy()
    for state in range(3):
        for on in (False, True):
            asking = np.flatnonzero((mode == state) & (before == on))
            like = policy_nodes[(policy.mode[project, policy_nodes] == state) & (was == on)]
            if asking.size and like.size:
                like = like[np.argsort(policy.need[like], kind="stable")]
                level = np.log(policy.need[like])
                place = np.searchsorted(0.5 * (level[1:] + level[:-1]), np.log(need[asking]))
                wanted[asking] = policy.go[project, like[place]]
    return wanted


def decided(plan: Plan, go: NDArray[np.bool_]) -> Plan:
    """The plan under a policy: offers closed where no project of theirs goes on, its spend
    fixed."""
    available, fixed = plan.problem.available.copy(), plan.problem.fixed_usd.copy()
    for on, candidate in zip(go, plan.projects, strict=True):
        available[list(candidate.offers)] &= on
        fixed = fixed + np.where(on, candidate.spend_usd, 0.0)
    return replace(plan, problem=replace(plan.problem, available=available, fixed_usd=fixed))


def carried_through(plan: Plan) -> Plan:
    """The plan with every project started as soon as it may be and never given up; nothing is left
    to decide."""
    return replace(decided(plan, np.ones((len(plan.projects), plan.problem.tree.size), dtype=bool)), projects=())
