"""A bound below every plan, from any prices of the constraints: weak duality, whatever the solver
says of itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fabless.plan.lp.assemble import Program
from fabless.records import Array

_ROUNDING = 1e-12
"""Share of the terms of a reduced cost that is taken for the rounding of their sum."""
_RISK = ("path cost", "tail")
_MENDED = (("serve", "demand"), ("active", "in service"))
"""Variable families that may have no cost of their own, and the constraints whose lower prices make
them pay again."""


def dual_bound(program: Program, row_dual: Array, plain: Array) -> float:
    """Largest bound that these prices of the rows (rows,) prove, -inf where they prove nothing.

    For any y: ``offset + sum y row bound + sum min over the bounds of x of (cost - A'y) x <=
    optimum``. A column without an upper bound must not have a negative reduced cost: prices are
    first lowered where that is all it takes, then mixed with the `plain` ones (rows,), under which
    it has none, as little as needed.
    """
    y = _allowed(program, row_dual)
    for family, constraint in _MENDED:
        y = _mended(program, y, family, constraint)
    open_end = (_reduced(program, y) < 0) & np.isinf(program.upper)
    if open_end.any():
        given_cost, plain_cost = _reduced(program, y)[open_end], _reduced(program, plain)[open_end]
        share = np.zeros(given_cost.size)
        np.divide(plain_cost, plain_cost - given_cost, out=share, where=plain_cost > 0)
        keep = float(share.min())
        # a little more than needed, so that rounding does not leave the worst column below zero
        keep *= 1.0 - 1e-9
        y = plain + keep * (y - plain)
    return _value(program, y)


def plain_prices(program: Program, probability: Array, weight: float) -> Array:
    """Prices (rows,) that need no solver: CVaR is at least the mean, and a chip is worth what it
    earns when retired."""
    prices = np.zeros(program.row_lower.size)
    for name in _RISK:
        if name in program.rows:
            prices[_rows_of(program, name)] = weight * probability[program.rows[name].node]
    stock, active = program.columns["retired"], program.columns["active"]
    earning = stock.index >= 0
    if earning.any():
        number = active.index[earning] - active.index[active.index >= 0].min()
        rows = np.flatnonzero(_rows_of(program, "in service"))[number]
        prices[rows] = probability[stock.node] * stock.cost
    return prices


def _allowed(program: Program, row_dual: Array) -> Array:
    bounded = np.where(row_dual > 0, np.isfinite(program.row_lower), np.isfinite(program.row_upper))
    return np.where(bounded, row_dual, 0.0)


def _reduced(program: Program, y: Array) -> Array:
    """``cost - A'y`` (columns,), zero where it is no more than the rounding of its sum."""
    priced = program.value * y[program.row]
    size = program.cost.size
    reduced = program.cost - np.bincount(program.column, weights=priced, minlength=size)
    terms = np.abs(program.cost) + np.bincount(program.column, weights=np.abs(priced),
                                               minlength=size)
    return np.where(np.abs(reduced) <= _ROUNDING * terms, 0.0, reduced)


def _mended(program: Program, y: Array, family: str, constraint: str) -> Array:
    """Lower the prices of a constraint family until the columns of a variable family have no
    negative reduced cost."""
    index = program.columns[family].index
    in_family = np.zeros(program.cost.size, dtype=bool)
    in_family[index[index >= 0]] = True
    reduced = _reduced(program, y)
    negative = in_family & (reduced < 0) & np.isinf(program.upper)
    entry = negative[program.column] & _rows_of(program, constraint)[program.row]
    shift = np.zeros(y.size)
    np.minimum.at(shift, program.row[entry], reduced[program.column[entry]] / program.value[entry])
    return y + shift


def _value(program: Program, y: Array) -> float:
    reduced = _reduced(program, y)
    bound = np.where(y > 0, program.row_lower, program.row_upper)
    corner = np.where(reduced > 0, program.lower, program.upper)
    if np.any(np.isinf(corner) & (reduced != 0)) or np.any(np.isinf(bound) & (y != 0)):
        return -np.inf
    ends = float(reduced[reduced != 0] @ corner[reduced != 0])
    return float(program.offset + y[y != 0] @ bound[y != 0] + ends)


def _rows_of(program: Program, name: str) -> NDArray[np.bool_]:
    chosen = np.zeros(program.row_lower.size, dtype=bool)
    start = 0
    for family, part in program.rows.items():
        if family == name:
            chosen[start : start + part.lower.size] = True
        start += part.lower.size
    return chosen
