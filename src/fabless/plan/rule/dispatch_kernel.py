"""The compiled part of `dispatch`: one small linear programme a node-quarter, by the simplex
method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numba import njit

from fabless.records import Array

TOLERANCE = 1e-11
"""Gains, relative to the largest of the quarter, and pivots under this count as zero."""
STEEPEST = 100
"""Exchanges by largest gain; afterwards by lowest number, which cannot cycle (Bland 1977)."""

_compiled = cast("Callable[[Any], Any]", njit(cache=True))


@_compiled
def _exchange(table: Array, row: int, column: int) -> None:
    """Swap a basic variable (row) with a non-basic one (column) of a condensed tableau, in
    place."""
    rows, columns = table.shape
    pivot = table[row, column]
    for j in range(columns):
        table[row, j] /= pivot
    for i in range(rows):
        factor = table[i, column]
        if i != row and factor != 0.0:
            for j in range(columns):
                table[i, j] -= factor * table[row, j]
            table[i, column] = -factor / pivot
    table[row, column] = 1.0 / pivot


@_compiled
def _maximise(table: Array, basic: Array, free: Array) -> None:
    """Simplex on a condensed tableau from a feasible basis, in place.

    Rows but the last are constraints with their right-hand side in the last column; the last row
    holds minus the gains. `basic` and `free` number the variables of rows and columns.
    """
    rows, columns = table.shape[0] - 1, table.shape[1] - 1
    step = 0
    while True:
        column, best = -1, TOLERANCE
        for j in range(columns):
            gain = -table[rows, j]
            if gain > TOLERANCE and (
                column < 0 or (step < STEEPEST and gain > best)
                or (step >= STEEPEST and free[j] < free[column])
            ):
                column, best = j, gain
        if column < 0:
            return
        row, least = -1, np.inf
        for i in range(rows):
            if table[i, column] > TOLERANCE:
                ratio = max(table[i, columns], 0.0) / table[i, column]
                if row < 0 or ratio < least or (ratio == least and basic[i] < basic[row]):
                    row, least = i, ratio
        if row < 0:
            return
        _exchange(table, row, column)
        basic[row], free[column] = free[column], basic[row]
        step += 1


@_compiled
def best_use(rate: Array, gain: Array, demand: Array, active: Array) -> Array:
    """Chips given to each load (K, O, L), for rates and gains (K, O, L), demand (K, L) and chips in
    service (K, O).

    Variables are shares of an offer's chips, constraints shares of a demand, so that all numbers
    are of moderate size.
    """
    nodes, offers, loads = rate.shape
    serve = np.zeros((nodes, offers, loads))
    for k in range(nodes):
        row_of = np.full(offers + loads, -1)
        pairs = np.empty((offers * loads, 2), dtype=np.int64)
        count, rows, largest = 0, 0, 0.0
        for o in range(offers):
            for l in range(loads):  # noqa: E741
                helps = rate[k, o, l] > 0.0 and gain[k, o, l] > 0.0
                if helps and active[k, o] > 0.0 and demand[k, l] > 0.0:
                    pairs[count, 0], pairs[count, 1] = o, l
                    count += 1
                    largest = max(largest, gain[k, o, l] * active[k, o])
                    for place in (o, offers + l):
                        if row_of[place] < 0:
                            row_of[place] = rows
                            rows += 1
        table = np.zeros((rows + 1, count + 1))
        for i in range(rows):
            table[i, count] = 1.0
        for j in range(count):
            o, l = pairs[j, 0], pairs[j, 1]  # noqa: E741
            table[row_of[o], j] = 1.0
            table[row_of[offers + l], j] = rate[k, o, l] * active[k, o] / demand[k, l]
            table[rows, j] = -gain[k, o, l] * active[k, o] / largest
        basic, free = np.arange(rows) + count, np.arange(count)
        _maximise(table, basic, free)
        for i in range(rows):
            if basic[i] < count:
                o, l = pairs[basic[i], 0], pairs[basic[i], 1]  # noqa: E741
                serve[k, o, l] = max(table[i, count], 0.0) * active[k, o]
    return serve
