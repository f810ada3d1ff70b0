"""The compiled part of `merit_order`: one path after the other, one quarter after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np
from numba import njit

from fabless.plan.problem.service import Index
from fabless.plan.rule.forecast import Forecast
from fabless.records import Array

SWEEPS = 3
"""Times that fill and worth of compute are worked out from each other when a view is new; once in
later quarters."""
DAMPING = 0.5
"""Share of the old worth that each sweep keeps."""
READINESS = np.array([np.inf, 4.0, 1.0])
"""Displacement thresholds that a new view tries: a chip takes the place of one already ordered only
if it is worth at least this many times as much (inf: never)."""
TIE = 1e-9
"""Relative difference below which two numbers count as equal: of equals the first counts, offers in
the order of the problem, quarters by time, ways of filling in the order of `READINESS`. What is
left of a need after rounding is none."""

_compiled = cast("Callable[[Any], Any]", njit(cache=True))


class Trial(NamedTuple):
    """One way of filling what is short on a path; written as it is filled."""

    have: Array
    """(T,) compute in service."""
    orders: Array
    """(O, T) chips ordered."""
    gain: Array
    """(O, T) net worth of a chip of each order [USD]."""
    left: Array
    """(G, T) room left in each shared limit."""
    dearest: Index
    """(T, 2) offer and quarter of the order that filled a quarter last, -1 where nothing was
    ordered."""


@_compiled
def _of_path(paths: Forecast, n: int) -> Forecast:
    """The forecast of one path."""
    return Forecast(
        need=paths.need[:, n], shortage=paths.shortage[:, n], does=paths.does[:, n],
        cap=paths.cap[:, n],
        price=paths.price[:, n], running=paths.running[:, n], lead=paths.lead[:, n],
        pools=paths.pools[:, n],
        in_place=paths.in_place[n], member=paths.member, term=paths.term, discount=paths.discount)


@_compiled
def _is_less(value: float, other: float) -> bool:
    """Whether a number is less than another by more than a tie."""
    return value < other - TIE * abs(other)


@_compiled
def _price(forecast: Forecast, worth: Array, offer: int, order: int, arrival: int) -> float:
    """Cost of filling the quarter `arrival` by a chip ordered at `order`, per compute.

    Its whole cost less the worth of its later quarters, each discounted; `worth` (T,) is in money
    of its own quarter.
    """
    total, compute = float(forecast.price[offer, order]), forecast.does
    for q in range(arrival, min(worth.size, arrival + forecast.term[offer])):
        total += forecast.discount[q] * forecast.running[offer, q]
        if q > arrival:
            total -= forecast.discount[q] * compute[offer, q] * worth[q]
    return float(total / (forecast.discount[arrival] * compute[offer, arrival]))


@_compiled
def _displace(
    forecast: Forecast, trial: Trial, place: tuple[int, int], wanted: float, net: float
) -> float:
    """Make room for an order, `place` its offer and quarter, in the limits that it shares; returns
    the room made.

    Takes back orders of the same quarter worth less than `net`.
    """
    offer, order = place
    offers, quarters = forecast.does.shape
    orders, left, member = trial.orders, trial.left, forecast.member
    made = 0.0
    while made < wanted * (1.0 - TIE):
        least, most = -1, 0.0
        for o in range(offers):
            if o == offer or orders[o, order] <= 0.0 or not _is_less(trial.gain[o, order], net):
                continue
            room = min(wanted - made, orders[o, order])
            for g in range(left.shape[0]):
                if member[g, offer] and not member[g, o]:
                    room = min(room, left[g, order] - made)
            if room > 0.0 and (
                least < 0 or _is_less(trial.gain[o, order], trial.gain[least, order])
            ):
                least, most = o, room
        if least < 0:
            break
        chips = most
        orders[least, order] -= chips
        for g in range(left.shape[0]):
            if member[g, least]:
                left[g, order] += chips
        first = order + forecast.lead[least, order]
        for k in range(first, min(quarters, first + forecast.term[least])):
            trial.have[k] -= chips * forecast.does[least, k]
        made += chips
    return made


@_compiled
def _fill(now: int, forecast: Forecast, worth: Array, readiness: float, trial: Trial) -> None:
    """Fill what is short in each quarter from `now` on, cheapest first."""
    need, compute, cap, lead = forecast.need, forecast.does, forecast.cap, forecast.lead
    have, orders, left, member = trial.have, trial.orders, trial.left, forecast.member
    offers, quarters = compute.shape
    offer_of = np.empty(offers * quarters, dtype=np.int64)
    order_of = np.empty(offers * quarters, dtype=np.int64)
    price_of = np.empty(offers * quarters)
    for arrival in range(now, quarters):
        count = 0
        for o in range(offers):
            if compute[o, arrival] <= 0.0:
                continue
            for q in range(now, arrival + 1):
                if q + lead[o, q] != arrival or cap[o, q] <= 0.0:
                    continue
                key = _price(forecast, worth, o, q, arrival)
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
                if forecast.shortage[l, arrival] * (1.0 + TIE) >= price_of[i]:
                    worth_it += need[l, arrival]
            wanted = worth_it - have[arrival]
            room = cap[o, q] - orders[o, q]
            for g in range(left.shape[0]):
                if member[g, o]:
                    room = min(room, left[g, q])
            wanted /= compute[o, arrival]
            net = forecast.discount[arrival] * compute[o, arrival] * (worth[arrival] - price_of[i])
            trial.gain[o, q] = net
            most = min(wanted, cap[o, q] - orders[o, q])
            if most > room and readiness < np.inf:
                room += _displace(forecast, trial, (o, q), most - room, net / readiness)
            chips = min(wanted, room)
            if chips * compute[o, arrival] <= TIE * worth_it:
                continue
            orders[o, q] += chips
            for g in range(left.shape[0]):
                if member[g, o]:
                    left[g, q] -= chips
            for k in range(arrival, min(quarters, arrival + forecast.term[o])):
                have[k] += chips * compute[o, k]
            trial.dearest[arrival, 0], trial.dearest[arrival, 1] = o, q


@_compiled
def _value(now: int, forecast: Forecast, trial: Trial, worth: Array) -> None:
    """Worth of compute from the last quarter back to `now`, written to `worth`."""
    need, shortage = forecast.need, forecast.shortage
    for q in range(worth.size - 1, now - 1, -1):
        value, highest = 0.0, 0.0
        for l in range(need.shape[0]):  # noqa: E741
            highest = max(highest, shortage[l, q])
            ahead = 0.0
            for other in range(need.shape[0]):
                if shortage[other, q] >= shortage[l, q]:
                    ahead += need[other, q]
            if ahead > trial.have[q] * (1.0 + TIE):
                value = max(value, shortage[l, q])
        if value == 0.0 and trial.dearest[q, 0] >= 0:
            value = _price(forecast, worth, trial.dearest[q, 0], trial.dearest[q, 1], q)
        worth[q] = DAMPING * worth[q] + (1.0 - DAMPING) * min(max(value, 0.0), highest)


@_compiled
def _cost(now: int, forecast: Forecast, trial: Trial) -> float:
    """Discounted cost of orders from `now` on and of what they leave unserved, cheapest load
    first."""
    need, shortage, discount = forecast.need, forecast.shortage, forecast.discount
    orders = trial.orders
    offers, quarters = orders.shape
    total = 0.0
    for q in range(now, quarters):
        for o in range(offers):
            if orders[o, q] > 0.0:
                each, first = forecast.price[o, q], q + forecast.lead[o, q]
                for k in range(first, min(quarters, first + forecast.term[o])):
                    each += discount[k] * forecast.running[o, k]
                total += orders[o, q] * each
        short = need[:, q].sum() - trial.have[q]
        for l in np.argsort(shortage[:, q]):  # noqa: E741
            if short > 0.0:
                total += discount[q] * shortage[l, q] * min(short, need[l, q])
                short -= need[l, q]
    return total


@_compiled
def place_orders(
    quarters: tuple[int, int], paths: Forecast, true_lead: Array, orders: Array, worth: Array
) -> None:
    """Place the orders of the quarters from the first of `quarters` up to the last on every path.

    `orders`, `true_lead` (O, N, T) hold what was ordered before and when it came; `worth` (N, ways,
    T) the worth of compute by way of filling, NaN before the first call. `orders` and `worth` are
    written.
    """
    start, stop = quarters
    offers, count, horizon = orders.shape
    planned = np.zeros((offers, horizon))
    for n in range(count):
        forecast = _of_path(paths, n)
        if np.isnan(worth[n, 0, 0]):
            for q in range(horizon):
                worth[n, :, q] = forecast.shortage[:, q].min()
        have = forecast.in_place.copy()
        for o in range(offers):
            for q in range(start):
                if orders[o, n, q] > 0.0:
                    first = q + true_lead[o, n, q]
                    for k in range(first, min(horizon, first + forecast.term[o])):
                        have[k] += orders[o, n, q] * forecast.does[o, k]
        best, chosen = np.inf, 0
        for now in range(start, stop):
            for way in range(READINESS.size if now == start else 1):
                which = way if now == start else chosen
                for _ in range(SWEEPS if now == start else 1):
                    trial = Trial(have.copy(), np.zeros((offers, horizon)),
                                  np.zeros((offers, horizon)),
                                  forecast.pools.copy(), np.full((horizon, 2), -1))
                    _fill(now, forecast, worth[n, which], READINESS[which], trial)
                    _value(now, forecast, trial, worth[n, which])
                    if now == start:
                        cost = _cost(now, forecast, trial)
                        if cost < best * (1.0 - TIE):
                            best, chosen = cost, which
                            planned[:] = trial.orders
                if now > start:
                    planned[:] = trial.orders
            for o in range(offers):
                chips = planned[o, now]
                orders[o, n, now] = chips
                if chips > 0.0:
                    first = now + forecast.lead[o, now]
                    for k in range(first, min(horizon, first + forecast.term[o])):
                        have[k] += chips * forecast.does[o, k]
