"""What a way comes to, in words: which lines it leaves out, and which way the portfolio is."""

from __future__ import annotations

from collections.abc import Sequence

from fabless.case_records import PORTFOLIO, Case, Line
from fabless.decide.ways.solved import SolvedWay
from fabless.strategy import Way, offered
from fabless.titles import titles
from fabless.wording import listed

LEAST_CHIPS = 1e-3
"""Chips up to which an order is rounding of the solver."""


def described_as(solved: SolvedWay, way: Way, case: Case) -> str:
    """`diversify without Google`: a way with the lines that it leaves out since they do not pay;
    for the portfolio the way that it is. Empty where nothing is left out, or it is none."""
    nearest = way if way.name != PORTFOLIO else same_as(solved, case)
    if nearest is None:
        return ""
    left_out = _left_out(solved, nearest, case)
    if way is nearest and not left_out:
        return ""
    return nearest.label + _without(left_out, nearest.lines, case)


def same_as(solved: SolvedWay, case: Case) -> Way | None:
    """The way that a plan of the portfolio is, with the fewest lines left out; None where it is
    none."""
    alike = [other for other in offered(case).ways
             if other.name != PORTFOLIO and _is_one(solved, other, case)]
    return min(alike, key=lambda other: len(_left_out(solved, other, case)), default=None)


def _left_out(solved: SolvedWay, way: Way, case: Case) -> list[Line]:
    """Lines that a plan does not open since they do not pay; one that costs nothing to keep open
    may stand unused and counts for none."""
    opened = {line.name for line in solved.plan.commitment.lines}
    return [line for line in way.lines if line.name not in opened
            and case.numbers.lines[line.name].port is not None]


def _is_one(solved: SolvedWay, way: Way, case: Case) -> bool:
    """Whether a plan uses, signs and starts only what the way allows, and starts what it must."""
    lines, contracts, commits, may_start = way.allows
    plan, result = solved.plan, solved.result
    ordered = {offer.pool.line for offer, orders in zip(plan.offers[1:], result.orders[1:], strict=True)
               if orders.max() > LEAST_CHIPS}
    used = {line.name for line in plan.commitment.lines
            if line.name in ordered or case.numbers.lines[line.name].port is not None}
    signed = {item.contract.name for item, levels in zip(plan.contracts, result.levels, strict=True)
              if levels.max() > LEAST_CHIPS}
    started = {
        project.programme for project, go in zip(plan.projects, solved.policy.go, strict=True)
        if go.any() or project.sunk_usd is not None}
    return (
        used <= lines and signed <= contracts and started <= commits | may_start
        and (bool(started & commits) or not commits))


def _without(left_out: Sequence[Line], lines: Sequence[Line], case: Case) -> str:
    """The lines left out, by their seller where all of its lines are."""
    if not left_out:
        return ""
    names = {line.name for line in left_out}
    whole = {_seller(line) for line in left_out} - {_seller(line) for line in lines if line.name not in names}
    known = titles(case)
    called = dict.fromkeys(
        _seller(line) if _seller(line) in whole else known[f"lines.{line.name}"]
        for line in left_out)
    return f" without {listed(list(called))}"


def _seller(line: Line) -> str:
    return line.seller or line.vendor
