"""A programme as the solver sees it: without the columns for chips in service, offers that serve
alike taken as one.

What is left out follows from the rest. Chips in service are those in place and those ordered, so
that their columns are put in by their rows. Offers whose rates are proportional over the loads are
one offer to the loads: only the sum of their chips, each counted by its rate, limits what they
serve. Both leave the optimum as it is; a tree programme has a third of the columns afterwards. The
solver's own presolve finds the first but not the second, and takes longer than its simplex.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from fabless.plan.lp.assemble import Program
from fabless.plan.problem.service import Index
from fabless.records import Array

_ALIKE = 1e-12
"""Relative difference of rates that counts as none: the rounding of their products."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Compact:
    """``min cost x + offset`` subject to ``row_lower <= matrix x <= row_upper`` and
    ``lower <= x <= upper``, in natural units; x stands for the columns of a whole programme."""

    matrix: csc_array
    cost: Array
    offset: float
    lower: Array
    upper: Array
    row_lower: Array
    row_upper: Array
    unit: Array
    money: float
    column: Index
    """Column of the whole programme that each column is."""
    links: csr_array
    """What a unit of each link adds to the rows, (rows, links)."""
    link_cost: Array
    """What it costs, (links,)."""
    _whole: Program
    _left: csr_array
    """Values of the whole programme's columns by x, but for `_constant` and what `_shared` says."""
    _constant: Array
    _summed: csr_array
    """Weight of each row of the whole programme in each row."""
    _ordered: csr_array
    """Chips in service of the whole programme's columns by the links, (columns, links)."""
    _stock: Index
    """Columns for chips in service that follow from their rows `_stock_row`."""
    _stock_row: Index
    _shared: _Shared

    def values(self, x: Array, links: Array) -> Array:
        """Values of all columns of the whole programme; what alike offers serve is shared out by
        their chips."""
        whole = self._left @ x + self._ordered @ links + self._constant
        shared = self._shared
        room = np.bincount(shared.kind, weights=shared.weight * whole[shared.active])
        room_of_serve, own = room[shared.kind_of_serve], shared.serve == shared.served_as
        part = np.divide(whole[shared.active_of_serve], room_of_serve,
                         out=own.astype(float), where=room_of_serve > 0.0)
        whole[shared.serve] = whole[shared.served_as] * part
        return np.asarray(whole)

    def prices(self, row_price: Array) -> Array:
        """Prices of all rows of the whole programme out of those of these rows: no column that was
        left out has a reduced cost."""
        price = np.asarray(self._summed.T @ row_price)
        earned = self._whole.matrix.T @ price
        price[self._stock_row] = (self._whole.cost - earned)[self._stock]
        return price


@dataclass(frozen=True, kw_only=True, eq=False)
class _Shared:
    """What alike offers serve at a node-quarter, by the columns of the whole programme."""

    kind: Index
    """Number of the group of each busy row."""
    weight: Array
    """Chips of the offer that serves for its group, by a chip of each busy row."""
    active: Index
    """Chips in service of each busy row."""
    serve: Index
    kind_of_serve: Index
    active_of_serve: Index
    served_as: Index
    """Column that stands for each column of `serve`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Links:
    """Entries of a programme's rows in columns of another that are given to it; what chips in
    service owe to them are orders, never negative."""

    row: Index
    column: Index
    """Number of the link."""
    value: Array
    size: int
    """Number of links."""


_UNLINKED = Links(row=np.zeros(0, dtype=np.int64), column=np.zeros(0, dtype=np.int64),
                  value=np.zeros(0), size=0)


def compact(program: Program, links: Links = _UNLINKED) -> Compact:
    """Leave out of a programme what follows from the rest."""
    rows, columns = program.row_lower.size, program.cost.size
    given = _in_service(program, links)
    stock, stock_row = given.stock, given.stock_row
    shared = _sharing(program)
    left_out = np.zeros(columns, dtype=bool)
    left_out[stock] = True
    left_out[shared.serve[shared.serve != shared.served_as]] = True
    column = np.flatnonzero(~left_out)

    place = np.cumsum(~left_out) - 1
    left = _matrix((columns, column.size),
                   np.concatenate([column, stock[given.row]]),
                   np.concatenate([np.arange(column.size), place[given.column]]),
                   np.concatenate([np.ones(column.size), given.value]))
    constant = np.zeros(columns)
    constant[stock] = program.row_lower[stock_row]
    stock_of_row = np.full(rows, -1)
    stock_of_row[stock_row] = stock
    for_stock = stock_of_row[links.row] >= 0
    ordered = _matrix((columns, links.size), stock_of_row[links.row[for_stock]],
                      links.column[for_stock], -links.value[for_stock])
    named = _matrix((rows, links.size), links.row, links.column, links.value)

    busy = _rows(program, "busy")
    plain = np.ones(rows, dtype=bool)
    plain[stock_row] = plain[busy] = False
    kept = np.flatnonzero(plain)
    groups = int(shared.kind.max(initial=-1)) + 1
    summed = _matrix((kept.size + groups, rows),
                     np.concatenate([np.arange(kept.size), kept.size + shared.kind]),
                     np.concatenate([kept, busy]),
                     np.concatenate([np.ones(kept.size), shared.weight]))
    moved = program.matrix @ constant
    upper = program.row_upper - moved
    of_groups = np.bincount(shared.kind, weights=shared.weight * upper[busy], minlength=groups)
    return Compact(
        matrix=(summed @ program.matrix @ left).tocsc(),
        cost=left.T @ program.cost, offset=program.offset + float(program.cost @ constant),
        lower=program.lower[column], upper=program.upper[column],
        row_lower=np.concatenate([(program.row_lower - moved)[kept], np.full(groups, -np.inf)]),
        row_upper=np.concatenate([upper[kept], of_groups]),
        unit=program.unit[column], money=program.money, column=column,
        links=(summed @ (named + program.matrix @ ordered)).tocsr(),
        link_cost=ordered.T @ program.cost,
        _whole=program, _left=left, _constant=constant, _summed=summed, _ordered=ordered,
        _stock=stock, _stock_row=stock_row, _shared=shared)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Given:
    """Columns for chips in service that follow from their rows, and how."""

    stock: Index
    stock_row: Index
    row: Index
    """Place in `stock` of each entry."""
    column: Index
    """Column of the whole programme by which it goes."""
    value: Array


def _in_service(program: Program, links: Links) -> _Given:
    """Find the columns for chips in service that follow from their rows.

    Such a column has no bound that the others do not imply: chips in place are not negative, orders
    are not, and none are retired.
    """
    index = program.columns["active"].index
    active, rows = index[index >= 0], _rows(program, "in service")
    part = program.rows["in service"]
    own = part.column == active[part.row]
    implied = own | ((part.value < 0.0) & (program.lower[part.column] >= 0.0))
    follows = np.bincount(part.row[~implied], minlength=rows.size) == 0
    follows &= ~np.isin(rows, links.row[links.value >= 0.0])
    follows &= (program.lower[active] == 0.0) & np.isposinf(program.upper[active])
    follows &= (program.row_lower[rows] == program.row_upper[rows]) & (program.row_lower[rows] >= 0.0)
    number = np.cumsum(follows) - 1
    used = ~own & follows[part.row]
    return _Given(stock=active[follows], stock_row=rows[follows], row=number[part.row[used]],
                  column=part.column[used], value=-part.value[used])


def _sharing(program: Program) -> _Shared:
    """Put offers that serve alike together at each node-quarter, in the place of the first of them
    there."""
    index, active = program.columns["serve"].index, program.columns["active"].index
    offers, _, nodes = index.shape
    serve = index[index >= 0]
    offer, load, node = np.nonzero(index >= 0)
    demand = program.rows["demand"]
    speed = np.zeros(program.cost.size)
    speed[demand.column] = demand.value
    rate = np.where(index >= 0, speed[index], 0.0)
    free = (program.cost[serve] == 0.0) & (program.lower[serve] == 0.0)
    free &= np.isposinf(program.upper[serve])
    alike = _alike(rate) if free.all() else np.arange(offers)

    there = np.asarray((index >= 0).any(axis=1))
    first = np.full((offers, nodes), -1)
    for o in reversed(range(offers)):
        first[alike[o]][there[o]] = o
    busy = program.rows["busy"]
    leader = first[alike[busy.member], busy.node]
    size = (rate / _peak(rate)).sum(axis=1)
    weight = size[busy.member, busy.node] / size[leader, busy.node]
    _, kind = np.unique(leader * nodes + busy.node, return_inverse=True)
    kind_at = np.full((offers, nodes), -1)
    kind_at[busy.member, busy.node] = kind
    return _Shared(
        kind=kind, weight=weight, active=active[busy.member, busy.node], serve=serve,
        kind_of_serve=kind_at[offer, node], active_of_serve=active[offer, node],
        served_as=index[first[alike[offer], node], load, node])


def _alike(rate: Array) -> Index:
    """Number of the first offer to which each is alike: rates (offers, loads, node-quarters)
    proportional over the loads wherever both serve."""
    shares = rate / _peak(rate)
    total = shares.sum(axis=1, keepdims=True)
    there = total[:, 0] > 0.0
    shares = np.divide(shares, total, out=np.zeros_like(shares), where=total > 0.0)
    kinds: list[list[int]] = []
    for o in range(len(rate)):
        like = next((kind for kind in kinds
                     if all(_same(shares, there, o, other) for other in kind)), None)
        if like is None:
            kinds.append([o])
        else:
            like.append(o)
    number = np.zeros(len(rate), dtype=np.int64)
    for kind in kinds:
        number[kind] = kind[0]
    return number


def _same(shares: Array, there: NDArray[np.bool_], offer: int, other: int) -> bool:
    both = there[offer] & there[other]
    share = shares[offer][:, both]
    return bool(np.all(np.abs(share - shares[other][:, both]) <= _ALIKE * share))


def _peak(rate: Array) -> Array:
    """Largest rate at each load, 1 where nothing serves it; loads are counted in units of their
    own."""
    peak = rate.max(axis=(0, 2), keepdims=True, initial=0.0)
    return np.where(peak > 0.0, peak, 1.0)


def _matrix(shape: tuple[int, int], row: Index, column: Index, value: Array) -> csr_array:
    return csr_array((value, (row, column)), shape=shape)  # type: ignore[no-untyped-call]


def _rows(program: Program, name: str) -> Index:
    """Numbers of the rows of a family."""
    start = 0
    for family, part in program.rows.items():
        if family == name:
            return np.arange(start, start + part.lower.size)
        start += part.lower.size
    return np.zeros(0, dtype=np.int64)
