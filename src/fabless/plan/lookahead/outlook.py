"""What paths expect of the quarters still to come, in one or more branches, as the look-ahead
programme reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fabless.plan.lp.columns import power_of_two
from fabless.plan.problem.agreement import Agreement
from fabless.plan.problem.problem import PlanProblem
from fabless.plan.problem.service import Index, discounted_term
from fabless.records import Array

PROPORTIONAL = 1e-9
"""Relative difference up to which the rates of two offers count as proportional over the loads."""


class Outlook(NamedTuple):
    """What N paths expect in B branches over the H quarters from now to the end of the horizon.

    Of O offers in C classes, L loads, G shared limits and A agreements. Offers of one class do the
    loads in equal proportions, so that their chips add up. Money is discounted to the first quarter
    unless said otherwise.
    """

    chance: Array
    """(B, N) chance of each branch."""
    demand: Array
    """(B, L, N, H) load to order for."""
    unmet: Array
    """(B, L, N, H) price of a unit left unserved [USD]."""
    reference: Array
    """(B, C, L, N, H) load that a chip of the class's first offer serves in a quarter."""
    relative: Array
    """(B, O, N, H) rate of a chip over that."""
    class_of: Index
    """(O,)"""
    floor: Array
    """(B, O, N, H) least chips of an order."""
    cap: Array
    """(B, O, N, H) most chips of an order, 0 where none may be placed."""
    price: Array
    """(B, O, N, H) annuities of an ordered chip within the horizon [USD]."""
    running: Array
    """(B, O, N, H) cost of a chip in service [USD]."""
    resale: Array
    """(B, O, N, H) earned by a retired chip in a quarter [USD]."""
    payment: Array
    """(B, O, N, H) what an order commits to, not discounted [USD]."""
    lead: Index
    """(B, O, N, H) quarters to delivery."""
    term: Index
    """(O,) quarters of service."""
    retire: NDArray[np.bool_]
    """(O,) whether chips may be retired before their term ends."""
    power_w: Array
    """(O,)"""
    power_cap_w: Array
    """(B, N, H) inf where there is no limit."""
    cash_cap_usd: Array
    """(B, N, H) inf where there is no limit."""
    member: NDArray[np.bool_]
    """(G, O) which offers share a limit."""
    limit: Array
    """(B, G, N, H)"""
    drawn: NDArray[np.bool_]
    """(A, O) which offers are drawn under an agreement."""
    most: Array
    """(A, M) most units drawn in each quarter since the start, per unit of level; 0 past the
    tenor."""
    least: Array
    """(A, M)"""
    level_floor: Array
    """(B, A, N, H) least units signed."""
    level_cap: Array
    """(B, A, N, H) most units signed, 0 where none may be."""
    start: Index
    """(B, A, N, H) quarters from the signing to the first draw."""
    fee: Array
    """(B, A, N, H) due at the signing, not discounted [USD]."""
    untaken: Array
    """(B, A, N, H) due for a unit not taken [USD]."""
    takes: NDArray[np.bool_]
    """(B, A, N, H) whether a least draw costs money if it is not taken: an order can still
    arrive."""
    need: Array
    """(N,) largest need of a quarter in chips of the fastest class, in which chips are counted."""
    usual_usd: Array
    """(N,) mean cost of a chip that may be ordered, in which money is counted [USD]."""
    discount: Array
    """(H,)"""


@dataclass(frozen=True, eq=False)
class Selection:
    """Part of a wider problem: the offers, shared limits and agreements that one way has."""

    offers: Index
    limits: Index
    agreements: Index


def everything(problem: PlanProblem) -> Selection:
    """Every offer, limit and agreement of a problem."""
    return Selection(np.arange(len(problem.offers)), np.arange(len(problem.groups)),
                  np.arange(len(problem.agreements)))


def outlook_of(
    branches: Sequence[PlanProblem], chance: Array, table: Index, margin: Array
) -> Outlook:
    """Lay expectations out by path.

    Parameters: `branches`, one problem for each branch, all on the same tree, with the same offers,
    limits and agreements, and all alike in the present quarter; `chance` (B, N) of each; `table`
    (N, H) the node-quarters of each path from the present quarter on; `margin` (L, H) factor on the
    demand that is ordered for, 1 in the present quarter.
    """
    first = branches[0]
    quarters = first.tree.quarter[table[0]]
    discount = first.discount[quarters]

    def paths(name: str) -> Array:
        return np.stack([getattr(problem, name)[..., table] for problem in branches])

    rate, demand = paths("rate"), paths("demand")
    class_of = classes(rate)
    firsts = [int(np.flatnonzero(class_of == c)[0]) for c in range(class_of.max() + 1)]
    open_ = paths("available") & (paths("lead_quarters") + quarters < first.tree.quarters)
    annuities = np.stack([(problem.capital_usd * discounted_term(problem))[:, table]
                          for problem in branches])
    lead, reference = paths("lead_quarters").astype(np.int64), rate[:, firsts]
    cap = np.where(open_, paths("cap"), 0.0)
    drawn = _members([item.offers for item in first.agreements], rate.shape[1])
    least, untaken = _tenors(first.agreements, "least"), _agreed(branches, "untaken_usd", table)
    return Outlook(
        chance=np.asarray(chance, dtype=float), demand=demand * margin[:, None, :],
        unmet=paths("unmet_usd") * discount, reference=reference,
        relative=_relative(rate, class_of, firsts), class_of=class_of, floor=paths("floor"),
        cap=cap, price=annuities,
        running=paths("running_usd") * discount, resale=paths("resale_usd") * discount,
        payment=paths("payment_usd"), lead=lead,
        term=first.term_quarters.astype(np.int64), retire=np.array(first.retire),
        power_w=np.array(first.power_w), power_cap_w=paths("power_cap_w"),
        cash_cap_usd=paths("cash_cap_usd"),
        member=_members([members for _, members, _ in first.groups], rate.shape[1]),
        limit=_stacked([[limit[table] for _, _, limit in problem.groups] for problem in branches],
                       table),
        drawn=drawn,
        most=_tenors(first.agreements, "most"), least=least,
        level_floor=_agreed(branches, "level_floor", table),
        level_cap=_agreed(branches, "level_cap", table) * (_agreed(branches, "sign", table) > 0),
        start=_agreed(branches, "start_quarters", table).astype(np.int64),
        fee=_agreed(branches, "fee_usd", table),
        untaken=untaken * discount, takes=_takes(drawn, least, untaken, lead),
        # powers of two: nothing is rounded, and a line that nobody may order moves nothing
        need=power_of_two(_need(demand, reference)),
        usual_usd=power_of_two(_usual(cap, annuities)), discount=discount,
    )


def _takes(
    drawn: NDArray[np.bool_], least: Array, untaken: Array, lead: Index
) -> NDArray[np.bool_]:
    quarters = lead.shape[-1]
    arrives = np.arange(quarters) + lead < quarters
    inside = np.einsum("ao,bonh->banh", drawn, arrives) > 0
    return np.asarray(inside & (untaken > 0) & (least.max(axis=1, initial=0.0) > 0)[:, None, None])


def _need(demand: Array, reference: Array) -> Array:
    fastest = reference.max(axis=1)
    need = np.divide(demand, fastest, out=np.zeros(demand.shape), where=fastest > 0).sum(axis=1)
    largest = need.max(axis=(0, 2))
    return np.asarray(np.where(largest > 0, largest, 1.0))


def _usual(cap: Array, price: Array) -> Array:
    total = np.abs(price * (cap > 0)).sum(axis=(0, 1, 3))
    count = (cap > 0).sum(axis=(0, 1, 3))
    return np.where(total > 0, total / np.maximum(count, 1), 1.0)


def classes(rate: Array) -> Index:
    """Number the offers (O,) so that those whose rates (B, O, L, N, H) are in proportion share a
    number."""
    leaders: list[int] = []
    class_of = np.zeros(rate.shape[1], dtype=np.int64)
    for offer in range(rate.shape[1]):
        match = (c for c, other in enumerate(leaders)
                 if _in_proportion(rate[:, offer], rate[:, other]))
        class_of[offer] = next(match, len(leaders))
        if class_of[offer] == len(leaders):
            leaders.append(offer)
    return class_of


def _in_proportion(rate: Array, other: Array) -> bool:
    """Whether two rates (B, L, N, H) differ by one factor for all loads in each quarter of each
    path."""
    if not np.array_equal(rate > 0, other > 0):
        return False
    ratio = np.divide(rate, other, out=np.full(rate.shape, np.nan), where=other > 0)
    most, least = np.fmax.reduce(ratio, axis=1), np.fmin.reduce(ratio, axis=1)
    return bool(np.all((most - least <= PROPORTIONAL * most) | np.isnan(most)))


def _relative(rate: Array, class_of: Index, firsts: list[int]) -> Array:
    """Rate of each offer over that of its class, (B, O, N, H); 0 where the class serves nothing."""
    best = rate.argmax(axis=2)  # a load that it serves: the ratio is the same for all of them
    served = np.take_along_axis(rate, best[:, :, None], axis=2)[:, :, 0]
    base = np.take_along_axis(rate[:, [firsts[c] for c in class_of]], best[:, :, None], axis=2)
    base = base[:, :, 0]
    return np.divide(served, base, out=np.zeros(served.shape), where=base > 0)


def _members(groups: Sequence[tuple[int, ...]], offers: int) -> NDArray[np.bool_]:
    inside = np.zeros((len(groups), offers), dtype=bool)
    for row, members in zip(inside, groups, strict=True):
        row[list(members)] = True
    return inside


def _stacked(limits: list[list[Array]], table: Index) -> Array:
    return np.array(limits, dtype=float).reshape(len(limits), -1, *table.shape)


def _tenors(agreements: Sequence[Agreement], name: str) -> Array:
    longest = max((item.most.size for item in agreements), default=1)
    rows = np.zeros((len(agreements), longest))
    for row, item in zip(rows, agreements, strict=True):
        row[:item.most.size] = getattr(item, name)
    return rows


def _agreed(branches: Sequence[PlanProblem], name: str, table: Index) -> Array:
    return _stacked([[np.asarray(getattr(item, name), dtype=float)[table]
                      for item in problem.agreements] for problem in branches], table)


def selected(outlook: Outlook, selection: Selection) -> Outlook:
    """The outlook of one way: only its offers, limits and agreements."""
    by_offer = {name: getattr(outlook, name)[:, selection.offers] for name in
                ("relative", "floor", "cap", "price", "running", "resale", "payment", "lead")}
    by_agreement = {name: getattr(outlook, name)[:, selection.agreements] for name in
                    ("level_floor", "level_cap", "start", "fee", "untaken", "takes")}
    kept, class_of = np.unique(outlook.class_of[selection.offers], return_inverse=True)
    return outlook._replace(
        **by_offer, **by_agreement, class_of=class_of.astype(np.int64),
        reference=outlook.reference[:, kept],
        term=outlook.term[selection.offers], retire=outlook.retire[selection.offers],
        power_w=outlook.power_w[selection.offers],
        member=outlook.member[np.ix_(selection.limits, selection.offers)],
        limit=outlook.limit[:, selection.limits],
        drawn=outlook.drawn[np.ix_(selection.agreements, selection.offers)],
        most=outlook.most[selection.agreements], least=outlook.least[selection.agreements],
    )


_BY_BRANCH = frozenset((
    "chance", "demand", "unmet", "reference", "relative", "floor", "cap", "price", "running",
    "resale", "payment", "lead", "power_cap_w", "cash_cap_usd", "limit", "level_floor", "level_cap",
    "start", "fee", "untaken", "takes"))


def certain(outlook: Outlook, branch: int) -> Outlook:
    """The outlook of paths on which one branch is sure to come."""
    parts = {name: getattr(outlook, name)[branch:branch + 1] for name in _BY_BRANCH}
    return outlook._replace(**parts)
