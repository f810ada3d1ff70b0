"""The compiled part of `merit_order`: one path after the other, one quarter after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numba import njit

from fabless.records import Array

SWEEPS = 3
"""Times that fill and worth of compute are worked out from each other when a view is new; once in later quarters."""
DAMPING = 0.5
"""Share of the old worth that each sweep keeps."""
READINESS = np.array([np.inf, 4.0, 1.0])
"""Displacement thresholds that a new view tries: a chip takes the place of one already ordered only
if it is worth at least this many times as much (inf: never)."""
TIE = 1e-9
"""Relative difference below which two numbers count as equal: of equals the first counts, offers in the order of the
problem, quarters by time, ways of filling in the order of `READINESS`. What is left of a need after rounding is none."""

_compiled = cast("Callable[[Any], Any]", njit(cache=True))


@_compiled
def _price(
    offer: int, order: int, arrival: int, end: int, does: Array, price: Array, running: Array, discount: Array,
    worth: Array,
) -> float:
    """Cost of filling the quarter `arrival` by a chip: its whole cost less the worth of its later quarters, per compute."""
    total = float(price[offer, order])
    for q in range(arrival, end):
        total += discount[q] * running[offer, q]
        if q > arrival:
            total -= discount[q] * does[offer, q] * worth[q]
    return float(total / (discount[arrival] * does[offer, arrival]))


@_compiled
def _displace(
    offer: int, order: int, wanted: float, net: float, gain: Array, orders: Array, left: Array, member: Array, lead: Array,
    term: Array, does: Array, have: Array,
) -> float:
    """Make room for a chip in the limits that it shares: take back orders of the same quarter worth less than `net`.

    Returns the room made. `gain` is the net worth of a chip of each order; `orders`, `left` and `have` are written.
    """
    offers, quarters = does.shape
    made = 0.0
    while made < wanted * (1.0 - TIE):
        least, most = -1, 0.0
        for o in range(offers):
            if o == offer or orders[o, order] <= 0.0 or gain[o, order] >= net - TIE * abs(net):
                continue
            room = min(wanted - made, orders[o, order])
            for g in range(left.shape[0]):
                if member[g, offer] and not member[g, o]:
                    room = min(room, left[g, order] - made)
            if room > 0.0 and (least < 0 or gain[o, order] < gain[least, order] - TIE * abs(gain[least, order])):
                least, most = o, room
        if least < 0:
            break
        chips = most
        orders[least, order] -= chips
        for g in range(left.shape[0]):
            if member[g, least]:
                left[g, order] += chips
        first = order + lead[least, order]
        for k in range(first, min(quarters, first + term[least])):
            have[k] -= chips * does[least, k]
        made += chips
    return made


@_compiled
def _fill(
    now: int, need: Array, shortage: Array, does: Array, cap: Array, price: Array, running: Array, lead: Array,
    pools: Array, member: Array, term: Array, discount: Array, worth: Array, readiness: float, have: Array, orders: Array,
    dearest: Array,
) -> None:
    """Fill what is short in each quarter from `now` on, cheapest first; `have`, `orders`, `dearest` are written.

    `dearest` (T, 2) keeps offer and quarter of the order that filled a quarter last, -1 where nothing was ordered.
    """
    offers, quarters = does.shape
    left = pools.copy()
    gain = np.zeros((offers, quarters))
    offer_of = np.empty(offers * quarters, dtype=np.int64)
    order_of = np.empty(offers * quarters, dtype=np.int64)
    price_of = np.empty(offers * quarters)
    orders[:, now:] = 0.0
    dearest[:] = -1
    for arrival in range(now, quarters):
        count = 0
        for o in range(offers):
            if does[o, arrival] <= 0.0:
                continue
            for q in range(now, arrival + 1):
                if q + lead[o, q] != arrival or cap[o, q] <= 0.0:
                    continue
                end = min(quarters, arrival + term[o])
                key = _price(o, q, arrival, end, does, price, running, discount, worth)
                place = count
                while place > 0 and price_of[place - 1] > key + TIE * abs(key):
                    price_of[place] = price_of[place - 1]
                    offer_of[place], order_of[place] = offer_of[place - 1], order_of[place - 1]
                    place -= 1
                price_of[place], offer_of[place], order_of[place] = key, o, q
                count += 1
        for i in range(count):
            o, q = offer_of[i], order_of[i]
            worth_it = 0.0
            for l in range(need.shape[0]):  # noqa: E741
                if shortage[l, arrival] * (1.0 + TIE) >= price_of[i]:
                    worth_it += need[l, arrival]
            wanted = worth_it - have[arrival]
            room = cap[o, q] - orders[o, q]
            for g in range(left.shape[0]):
                if member[g, o]:
                    room = min(room, left[g, q])
            wanted /= does[o, arrival]
            net = discount[arrival] * does[o, arrival] * (worth[arrival] - price_of[i])
            gain[o, q] = net
            most = min(wanted, cap[o, q] - orders[o, q])
            if most > room and readiness < np.inf:
                room += _displace(o, q, most - room, net / readiness, gain, orders, left, member, lead, term, does, have)
            chips = min(wanted, room)
            if chips * does[o, arrival] <= TIE * worth_it:
                continue
            orders[o, q] += chips
            for g in range(left.shape[0]):
                if member[g, o]:
                    left[g, q] -= chips
            for k in range(arrival, min(quarters, arrival + term[o])):
                have[k] += chips * does[o, k]
            dearest[arrival, 0], dearest[arrival, 1] = o, q


@_compiled
def _value(
    now: int, need: Array, shortage: Array, does: Array, price: Array, running: Array, term: Array, discount: Array,
    have: Array, dearest: Array, worth: Array,
) -> None:
    """Worth of compute from the last quarter back to `now`, written to `worth`."""
    quarters = worth.size
    for q in range(quarters - 1, now - 1, -1):
        value, highest = 0.0, 0.0
        for l in range(need.shape[0]):  # noqa: E741
            highest = max(highest, shortage[l, q])
            ahead = 0.0
            for other in range(need.shape[0]):
                if shortage[other, q] >= shortage[l, q]:
                    ahead += need[other, q]
            if ahead > have[q] * (1.0 + TIE):
                value = max(value, shortage[l, q])
        if value == 0.0 and dearest[q, 0] >= 0:
            o = dearest[q, 0]
            end = min(quarters, q + term[o])
            value = _price(o, dearest[q, 1], q, end, does, price, running, discount, worth)
        worth[q] = DAMPING * worth[q] + (1.0 - DAMPING) * min(max(value, 0.0), highest)


@_compiled
def _cost(
    now: int, need: Array, shortage: Array, does: Array, price: Array, running: Array, lead: Array, term: Array,
    discount: Array, have: Array, orders: Array,
) -> float:
    """Discounted cost of orders from `now` on and of what they leave unserved, cheapest load first."""
    offers, quarters = does.shape
    total = 0.0
    for q in range(now, quarters):
        for o in range(offers):
            if orders[o, q] > 0.0:
                each, first = price[o, q], q + lead[o, q]
                for k in range(first, min(quarters, first + term[o])):
                    each += discount[k] * running[o, k]
                total += orders[o, q] * each
        short = need[:, q].sum() - have[q]
        for l in np.argsort(shortage[:, q]):  # noqa: E741
            if short > 0.0:
                total += discount[q] * shortage[l, q] * min(short, need[l, q])
                short -= need[l, q]
    return total


@_compiled
def place_orders(
    start: int, stop: int, orders: Array, worth: Array, true_lead: Array, term: Array, discount: Array, need: Array,
    shortage: Array, does: Array, cap: Array, price: Array, running: Array, lead: Array, pools: Array, member: Array,
    in_place: Array,
) -> None:
    """Place the orders of the quarters from `start` up to `stop` on every path; `orders` and `worth` are written.

    `orders`, `true_lead` (O, N, T) hold what was ordered before and when it came; `worth` (N, ways, T) the worth of
    compute by way of filling, NaN before the first call; `need`, `shortage` (L, N, T) demand in compute and its shortage
    price; `does` (O, N, T) compute of a chip, `cap`, `price` (whole annuities, discounted), `running`, `lead` (O, N, T);
    `pools` (G, N, T) with `member` (G, O); `in_place` (N, T) compute of the first fleet.
    """
    offers, paths, quarters = orders.shape
    dearest = np.empty((quarters, 2), dtype=np.int64)
    planned, trial = np.zeros((offers, quarters)), np.zeros((offers, quarters))
    for n in range(paths):
        if np.isnan(worth[n, 0, 0]):
            for q in range(quarters):
                worth[n, :, q] = shortage[:, n, q].min()
        have = in_place[n].copy()
        for o in range(offers):
            for q in range(start):
                if orders[o, n, q] > 0.0:
                    first = q + true_lead[o, n, q]
                    for k in range(first, min(quarters, first + term[o])):
                        have[k] += orders[o, n, q] * does[o, n, k]
        best, chosen = np.inf, 0
        for now in range(start, stop):
            for way in range(READINESS.size if now == start else 1):
                which = way if now == start else chosen
                for _ in range(SWEEPS if now == start else 1):
                    filled = have.copy()
                    _fill(now, need[:, n], shortage[:, n], does[:, n], cap[:, n], price[:, n], running[:, n], lead[:, n],
                          pools[:, n], member, term, discount, worth[n, which], READINESS[which], filled, trial, dearest)
                    _value(now, need[:, n], shortage[:, n], does[:, n], price[:, n], running[:, n], term, discount, filled,
                           dearest, worth[n, which])
                    if now == start:
                        cost = _cost(now, need[:, n], shortage[:, n], does[:, n], price[:, n], running[:, n], lead[:, n],
                                     term, discount, filled, trial)
                        if cost < best * (1.0 - TIE):
                            best, chosen = cost, which
                            planned[:] = trial
                if now > start:
                    planned[:] = trial
            for o in range(offers):
                chips = planned[o, now]
                orders[o, n, now] = chips
                if chips > 0.0:
                    first = now + lead[o, n, now]
                    for k in range(first, min(quarters, first + term[o])):
                        have[k] += chips * does[o, n, k]
