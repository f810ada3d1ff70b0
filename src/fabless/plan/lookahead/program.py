"""The look-ahead programme of one path in one quarter, written by compiled code: column by column,
in the solver's units.

    min  sum over branches of chance x (annuities + running of orders + unserved load + fees and
         what is due for units not taken - resale of retired chips)
    s.t. class row    compute given to the loads <= that of the chips in service
         load row     shares of a load served <= 1
         limits, cash, power, draws, least draws and retirement as in the plan itself

Orders, levels and retirement of the present quarter are one column for all branches; what comes
after is a column of each branch. Every row is an upper limit. Chips are counted in the largest need
of a quarter, load in shares of what is demanded, money in the price of that many chips. A limit
that is exceeded by what was ordered before, or by commitments, allows just that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fabless.plan.lookahead.outlook import Outlook
from fabless.plan.problem.service import Index
from fabless.records import Array

_compiled = cast("Callable[[Any], Any]", njit(cache=True))


class Held(NamedTuple):
    """What earlier orders of N paths come to in the H quarters from now on."""

    chips: Array
    """(O, N, H) in place or ordered, within their term."""
    ending: Array
    """(O, N, H) of these, those whose term ends with the quarter before."""
    retired: Array
    """(O, N) of these, those retired by the quarter before."""
    granted: Array
    """(A, N, H) most units that may be drawn under levels signed before."""
    demanded: Array
    """(A, N, H) least units to be drawn under levels signed before."""


class Room(NamedTuple):
    """Arrays into which a programme is written; large enough for the largest."""

    cost: Array
    lower: Array
    upper: Array
    row_lower: Array
    row_upper: Array
    start: NDArray[np.int32]
    row: NDArray[np.int32]
    value: Array
    order: Index
    """(O,) column of the order of this quarter, -1 where none may be placed."""
    level: Index
    """(A,) column of the level signed in this quarter, -1 where none may be."""
    retired: Index
    """(O,) column of the chips retired by this quarter, -1 where none may be."""


class Size(NamedTuple):
    """Size of a programme and the units in which it counts."""

    columns: int
    rows: int
    entries: int
    chips: float
    """Chips of a unit of orders."""


def room_for(outlook: Outlook) -> Room:
    """Arrays for the programme of any path of an outlook."""
    branches, offers, _, quarters = outlook.relative.shape
    groups, agreements = outlook.member.shape[0], outlook.drawn.shape[0]
    classes, loads = outlook.reference.shape[1:3]
    columns = branches * quarters * (2 * offers + classes * loads + 2 * agreements)
    rows = branches * quarters * (classes + loads + groups + 2 + 2 * agreements + 2 * offers)
    served = int(np.minimum(outlook.term, quarters).max(initial=1))
    per_order = branches * (3 * served + 1 + groups + 1 + 2 * agreements)
    per_level = branches * (2 * outlook.most.shape[1] + 1)
    entries = branches * quarters * (
        offers * (per_order + 4 * branches) + 2 * classes * loads
        + agreements * (per_level + 1))
    return Room(
        cost=np.empty(columns), lower=np.empty(columns), upper=np.empty(columns),
        row_lower=np.full(rows, -np.inf), row_upper=np.empty(rows),
        start=np.empty(columns + 1, dtype=np.int32), row=np.empty(entries, dtype=np.int32),
        value=np.empty(entries), order=np.empty(offers, dtype=np.int64),
        level=np.empty(agreements, dtype=np.int64), retired=np.empty(offers, dtype=np.int64))


@_compiled
def written(outlook: Outlook, held: Held, n: int, room: Room) -> Size:
    """Write the programme of path `n` into `room`."""
    branches, offers, _, quarters = outlook.relative.shape
    classes, loads = outlook.reference.shape[1], outlook.reference.shape[2]
    groups, agreements = outlook.member.shape[0], outlook.drawn.shape[0]
    chance = outlook.chance[:, n]
    # where each family of rows begins within a branch
    load_rows = classes * quarters
    limit_rows = load_rows + loads * quarters
    cash_rows = limit_rows + groups * quarters
    power_rows = cash_rows + quarters * np.isfinite(outlook.cash_cap_usd[:, n]).any()
    draw_rows = power_rows + quarters * np.isfinite(outlook.power_cap_w[:, n]).any()
    take_rows = draw_rows + agreements * quarters
    term_rows = take_rows + agreements * quarters
    past_rows = term_rows + outlook.retire.sum() * quarters
    each = past_rows + outlook.retire.sum() * quarters

    among = np.cumsum(outlook.retire) - 1  # row of an offer among those that may be retired

    unit, money = outlook.need[n], outlook.need[n] * outlook.usual_usd[n]
    cash_unit = money
    power_unit = unit * max(outlook.power_w.max(), 1e-300)

    # upper ends of the rows
    for b in range(branches):
        first = b * each
        room.row_upper[first:first + each] = np.inf
        for h in range(quarters):
            for c in range(classes):
                room.row_upper[first + c * quarters + h] = 0.0
            drawn_w, may_leave_w, committed_usd = 0.0, 0.0, 0.0
            for o in range(offers):
                compute = outlook.relative[b, o, n, h] * held.chips[o, n, h]
                room.row_upper[first + outlook.class_of[o] * quarters + h] += compute / unit
                drawn_w += outlook.power_w[o] * held.chips[o, n, h]
                committed_usd += outlook.payment[b, o, n, h] * outlook.floor[b, o, n, h]
                if outlook.retire[o]:
                    may_leave_w += outlook.power_w[o] * held.chips[o, n, h]
                    room.row_upper[first + term_rows + among[o] * quarters + h] = (
                        held.chips[o, n, h] / unit)
                    room.row_upper[first + past_rows + among[o] * quarters + h] = (
                        held.ending[o, n, h] - (held.retired[o, n] if h == 0 else 0.0)) / unit
            for l in range(loads):  # noqa: E741
                room.row_upper[first + load_rows + l * quarters + h] = 1.0
            for g in range(groups):
                committed = 0.0
                for o in range(offers):
                    if outlook.member[g, o]:
                        committed += outlook.floor[b, o, n, h]
                room.row_upper[first + limit_rows + g * quarters + h] = (
                    max(outlook.limit[b, g, n, h], committed) / unit)
            if np.isfinite(outlook.cash_cap_usd[b, n, h]):
                room.row_upper[first + cash_rows + h] = (
                    max(outlook.cash_cap_usd[b, n, h], committed_usd) / cash_unit)
            if np.isfinite(outlook.power_cap_w[b, n, h]):
                room.row_upper[first + power_rows + h] = (
                    max(outlook.power_cap_w[b, n, h] - drawn_w, -may_leave_w) / power_unit)
            for a in range(agreements):
                room.row_upper[first + draw_rows + a * quarters + h] = held.granted[a, n, h] / unit
                if outlook.takes[b, a, n, h]:
                    room.row_upper[first + take_rows + a * quarters + h] = (
                        -held.demanded[a, n, h] / unit)

    column, entry = 0, 0
    # orders
    for o in range(offers):
        room.order[o] = -1
        for b in range(branches):
            for h in range(1 if b else 0, quarters):
                arrives = h + outlook.lead[b, o, n, h]
                low, high = outlook.floor[b, o, n, h], outlook.cap[b, o, n, h]
                if low <= 0.0 and (high <= 0.0 or arrives >= quarters):
                    continue
                if h == 0:
                    room.order[o] = column
                room.start[column] = entry
                cost = 0.0
                leaves = arrives + outlook.term[o]
                for k in range(b, branches if h == 0 else b + 1):
                    first = k * each
                    whole = outlook.price[k, o, n, h]
                    for t in range(arrives, min(leaves, quarters)):
                        whole += outlook.running[k, o, n, t]
                        room.row[entry] = first + outlook.class_of[o] * quarters + t
                        room.value[entry] = -outlook.relative[k, o, n, t]
                        entry += 1
                        if outlook.power_w[o] > 0.0 and np.isfinite(outlook.power_cap_w[k, n, t]):
                            room.row[entry] = first + power_rows + t
                            room.value[entry] = outlook.power_w[o] * unit / power_unit
                            entry += 1
                        if outlook.retire[o]:
                            room.row[entry] = first + term_rows + among[o] * quarters + t
                            room.value[entry] = -1.0
                            entry += 1
                    if outlook.retire[o] and leaves < quarters:
                        room.row[entry] = first + past_rows + among[o] * quarters + leaves
                        room.value[entry] = -1.0
                        entry += 1
                    for g in range(groups):
                        if outlook.member[g, o] and np.isfinite(outlook.limit[k, g, n, h]):
                            room.row[entry] = first + limit_rows + g * quarters + h
                            room.value[entry] = 1.0
                            entry += 1
                    if outlook.payment[k, o, n, h] > 0.0 and np.isfinite(
                            outlook.cash_cap_usd[k, n, h]):
                        room.row[entry] = first + cash_rows + h
                        room.value[entry] = outlook.payment[k, o, n, h] * unit / cash_unit
                        entry += 1
                    for a in range(agreements):
                        if outlook.drawn[a, o]:
                            room.row[entry] = first + draw_rows + a * quarters + h
                            room.value[entry] = 1.0
                            entry += 1
                            if outlook.takes[k, a, n, h]:
                                room.row[entry] = first + take_rows + a * quarters + h
                                room.value[entry] = -1.0
                                entry += 1
                    cost += chance[k] * whole
                room.cost[column] = cost * unit / money
                room.lower[column] = low / unit
                room.upper[column] = max(high, low) / unit
                column += 1
    # levels signed, and units of the least draw not taken
    for a in range(agreements):
        room.level[a] = -1
        for b in range(branches):
            for h in range(1 if b else 0, quarters):
                high = outlook.level_cap[b, a, n, h]
                if high <= 0.0:
                    continue
                if h == 0:
                    room.level[a] = column
                room.start[column] = entry
                cost = 0.0
                for k in range(b, branches if h == 0 else b + 1):
                    first = k * each
                    for j in range(outlook.most.shape[1]):
                        t = h + outlook.start[k, a, n, h] + j
                        if t >= quarters:
                            break
                        if outlook.most[a, j] > 0.0:
                            room.row[entry] = first + draw_rows + a * quarters + t
                            room.value[entry] = -outlook.most[a, j]
                            entry += 1
                        if outlook.least[a, j] > 0.0 and outlook.takes[k, a, n, t]:
                            room.row[entry] = first + take_rows + a * quarters + t
                            room.value[entry] = outlook.least[a, j]
                            entry += 1
                    if outlook.fee[k, a, n, h] > 0.0 and np.isfinite(
                            outlook.cash_cap_usd[k, n, h]):
                        room.row[entry] = first + cash_rows + h
                        room.value[entry] = outlook.fee[k, a, n, h] * unit / cash_unit
                        entry += 1
                    cost += chance[k] * outlook.fee[k, a, n, h] * outlook.discount[h]
                room.cost[column] = cost * unit / money
                room.lower[column] = outlook.level_floor[b, a, n, h] / unit
                room.upper[column] = high / unit
                column += 1
        for b in range(branches):
            for h in range(quarters):
                if outlook.takes[b, a, n, h]:
                    room.start[column] = entry
                    room.row[entry] = b * each + take_rows + a * quarters + h
                    room.value[entry] = -1.0
                    entry += 1
                    room.cost[column] = chance[b] * outlook.untaken[b, a, n, h] * unit / money
                    room.lower[column], room.upper[column] = 0.0, np.inf
                    column += 1
    # shares of each load that each class serves
    for b in range(branches):
        first = b * each
        for c in range(classes):
            for l in range(loads):  # noqa: E741
                for h in range(quarters):
                    rate, wanted = outlook.reference[b, c, l, n, h], outlook.demand[b, l, n, h]
                    if rate <= 0.0 or wanted <= 0.0:
                        continue
                    room.start[column] = entry
                    room.row[entry] = first + c * quarters + h
                    room.value[entry] = wanted / rate / unit
                    room.row[entry + 1] = first + load_rows + l * quarters + h
                    room.value[entry + 1] = 1.0
                    entry += 2
                    room.cost[column] = -chance[b] * outlook.unmet[b, l, n, h] * wanted / money
                    room.lower[column], room.upper[column] = 0.0, 1.0
                    column += 1
    # chips retired and still within their term
    for o in range(offers):
        room.retired[o] = -1
        if not outlook.retire[o]:
            continue
        for b in range(branches):
            for h in range(1 if b else 0, quarters):
                if h == 0:
                    room.retired[o] = column
                room.start[column] = entry
                cost = 0.0
                for k in range(branches):
                    if h and k != b:
                        continue
                    first = k * each
                    room.row[entry] = first + outlook.class_of[o] * quarters + h
                    room.value[entry] = outlook.relative[k, o, n, h]
                    room.row[entry + 1] = first + term_rows + among[o] * quarters + h
                    room.value[entry + 1] = 1.0
                    room.row[entry + 2] = first + past_rows + among[o] * quarters + h
                    room.value[entry + 2] = -1.0
                    entry += 3
                    if h + 1 < quarters:
                        room.row[entry] = first + past_rows + among[o] * quarters + h + 1
                        room.value[entry] = 1.0
                        entry += 1
                    if outlook.power_w[o] > 0.0 and np.isfinite(outlook.power_cap_w[k, n, h]):
                        room.row[entry] = first + power_rows + h
                        room.value[entry] = -outlook.power_w[o] * unit / power_unit
                        entry += 1
                    cost -= chance[k] * (outlook.running[k, o, n, h] + outlook.resale[k, o, n, h])
                room.cost[column] = cost * unit / money
                room.lower[column], room.upper[column] = 0.0, np.inf
                column += 1
    room.start[column] = entry
    return Size(column, branches * each, entry, unit)
