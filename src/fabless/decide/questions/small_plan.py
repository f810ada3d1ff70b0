"""The plan of a way on another tree, with the gates of its programmes as they were decided."""

from __future__ import annotations

from fabless.decide.ways.gates import decided, followed
from fabless.decide.ways.problem import Plan, World, plan_of
from fabless.decide.ways.solved import SolvedWay


def plan_on(world: World, solved: SolvedWay) -> Plan:
    """The commitment of a solved way on the scenarios of `world`; its programmes follow the policy
    of the way, so that nothing is left to decide but orders and contracts."""
    plan = plan_of(world, solved.plan.commitment)
    return decided(plan, followed(solved.policy, world, plan)) if plan.projects else plan
