r"""Reading a table of answers between its values.

The rule, for any reader in any language. Values of an input are turned into places ``t = log(x)``
where the input ``is_log``, else ``t = x``. Let ``H(t; t_1..t_n, y_1..y_n)`` be the monotone cubic
interpolant of Fritsch and Butland below. The first way of ``levels`` is the reference ``r``.

One input moved, at place ``t``, for the reference:

    total_r = exp(H(t; log(cash + unserved + risk)))      H of the totals where one is not above 0
    cost_r  = exp(H(t; log cost_per_query))               H of the costs where one is not above 0

and for every way ``w``, reference included (whose differences are 0):

    total_w    = total_r + H(t; total_w - total_r)
    unserved_w = H(t; unserved_w)
    risk_w     = H(t; risk_w)
    cash_w     = total_w - unserved_w - risk_w
    cost_w     = cost_r * exp(H(t; log(cost_w / cost_r)))  or cost_r + H(t; cost_w - cost_r)
    missing_w  = H(t; missing_w)

So parts add up to totals, ways that are the same at two neighbouring values are the same between
them, and the way that is ahead changes where the interpolated difference changes its sign.

Two inputs moved, at places ``s`` and ``t``, with ``f`` the curve of the first, ``g`` that of the
second and ``b`` the present level, each curve being one of those above (``log total_r``, ``total_w -
total_r``, ``unserved_w``, ``risk_w``, ``log cost_r``, ``log(cost_w / cost_r)``, ``missing_w``):

    y = f(s) + g(t) - b + I(s, t),     I_ij = y_ij - f(s_i) - g(t_j) + b at the values of the grid,

``I`` being bilinear between the four values of the grid around ``(s, t)``, in places. It is 0
wherever one input stands at its present value, so that a pair agrees with its single inputs.
``missing`` is at last kept from 0 to 1 and ``unserved`` at 0 or more.

H: with ``h_k = t_{k+1} - t_k`` and ``m_k = (y_{k+1} - y_k) / h_k`` the slope at an inner place is 0
where ``m_{k-1} m_k <= 0``, else ``(w1 + w2) / (w1 / m_{k-1} + w2 / m_k)`` with ``w1 = 2 h_k +
h_{k-1}`` and ``w2 = h_k + 2 h_{k-1}``. At the first place it is ``d = ((2 h_1 + h_2) m_1 - h_1 m_2)
/ (h_1 + h_2)``; 0 where ``d m_1 <= 0``; ``3 m_1`` where ``m_1 m_2 <= 0`` and ``|d| > 3 |m_1|``. The
last place mirrors it. With two places it is the straight line. Between ``t_k`` and ``t_{k+1}``, with
``u = (t - t_k) / h_k``:

    H = y_k (1 + 2u)(1 - u)^2 + y_{k+1} u^2 (3 - 2u) + h_k u (1 - u) (d_k (1 - u) - d_{k+1} u).

Nothing is read beyond the first and the last value.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fabless.decide.results import MovedInput, MovedPair, WayLevels


@dataclass(frozen=True, kw_only=True)
class WayRead:
    """What one way comes to at one place of the table."""

    way: str
    cash_usd: float
    unserved_usd: float
    risk_usd: float
    cost_per_query_usd: float
    missing_share: float

    @property
    def total_usd(self) -> float:
        """By what ways are ranked."""
        return self.cash_usd + self.unserved_usd + self.risk_usd


def monotone(t: float, places: Sequence[float], values: Sequence[float]) -> float:
    """Monotone cubic interpolant through ``(places, values)`` at `t`.

    >>> monotone(0.5, [0.0, 1.0], [2.0, 4.0]), monotone(1.5, [0.0, 1.0, 2.0], [0.0, 1.0, 1.0])
    (3.0, 1.0)
    """
    if len(places) == 1:
        return values[0]
    k = min(max(bisect.bisect_right(places, t) - 1, 0), len(places) - 2)
    h = [after - before for before, after in itertools.pairwise(places)]
    m = [(values[i + 1] - values[i]) / h[i] for i in range(len(h))]
    u = (t - places[k]) / h[k]
    left, right = _slope(h, m, k), _slope(h, m, k + 1)
    return (values[k] * (1.0 + 2.0 * u) * (1.0 - u) ** 2
            + values[k + 1] * u * u * (3.0 - 2.0 * u)
            + h[k] * u * (1.0 - u) * (left * (1.0 - u) - right * u))


def _slope(h: Sequence[float], m: Sequence[float], k: int) -> float:
    """Slope of the interpolant at place `k`."""
    if len(h) == 1:
        return m[0]
    if k == 0:
        return _end_slope(h[0], h[1], m[0], m[1])
    if k == len(h):
        return _end_slope(h[-1], h[-2], m[-1], m[-2])
    if m[k - 1] * m[k] <= 0.0:
        return 0.0
    w1, w2 = 2.0 * h[k] + h[k - 1], h[k] + 2.0 * h[k - 1]
    return (w1 + w2) / (w1 / m[k - 1] + w2 / m[k])


def _end_slope(h: float, next_h: float, m: float, next_m: float) -> float:
    slope = ((2.0 * h + next_h) * m - h * next_m) / (h + next_h)
    if slope * m <= 0.0:
        return 0.0
    return 3.0 * m if m * next_m <= 0.0 and abs(slope) > 3.0 * abs(m) else slope


def place(value: float, is_log: bool) -> float:
    """Place of a value of an input on its own scale."""
    return math.log(value) if is_log else value


def read_one(moved: MovedInput, value: float) -> tuple[WayRead, ...]:
    """Every way with one input at a value [its unit]; `ValueError` beyond the table."""
    _inside(value, moved.values)
    places = [place(item, moved.is_log) for item in moved.values]
    t = place(value, moved.is_log)
    curves = _curves(moved.levels)
    return _composed(moved.levels, {
        key: monotone(t, places, values) for key, values in curves.items()})


def read_two(
    pair: MovedPair, inputs: Mapping[str, MovedInput], values: tuple[float, float]
) -> tuple[WayRead, ...]:
    """Every way with both inputs of a pair at values [their units].

    `inputs` holds the single tables by name. `ValueError` beyond the grid.
    """
    singles = [inputs[name] for name in pair.names]
    for value, known in zip(values, pair.values, strict=True):
        _inside(value, known)
    at = [place(value, single.is_log) for value, single in zip(values, singles, strict=True)]
    grids = [[place(value, single.is_log) for value in known]
             for known, single in zip(pair.values, singles, strict=True)]
    places = [[place(value, single.is_log) for value in single.values] for single in singles]
    # a curve is kept on its plain scale where any of the three tables asks for it
    forms = _forms([pair.levels, *(single.levels for single in singles)])
    crossed = _curves(pair.levels, forms)
    f, g = (_curves(single.levels, forms) for single in singles)
    present = singles[0].values.index(singles[0].value)
    read = {}
    for key, grid in crossed.items():
        base = f[key][present]

        def interaction(i: int, j: int, key: str = key, grid: Sequence[float] = grid,
                        base: float = base) -> float:
            return (grid[i * len(grids[1]) + j] - monotone(grids[0][i], places[0], f[key])
                    - monotone(grids[1][j], places[1], g[key]) + base)

        read[key] = (monotone(at[0], places[0], f[key]) + monotone(at[1], places[1], g[key]) - base
                     + _bilinear(at, grids, interaction))
    return _composed(pair.levels, read, forms)


def _bilinear(
    at: Sequence[float], grids: Sequence[Sequence[float]], value: Callable[[int, int], float]
) -> float:
    cells = [min(max(bisect.bisect_right(grid, t) - 1, 0), len(grid) - 2)
             for t, grid in zip(at, grids, strict=True)]
    (i, j), (u, v) = cells, [(t - grid[k]) / (grid[k + 1] - grid[k])
                             for t, grid, k in zip(at, grids, cells, strict=True)]
    return ((1.0 - u) * (1.0 - v) * value(i, j) + u * (1.0 - v) * value(i + 1, j)
            + (1.0 - u) * v * value(i, j + 1) + u * v * value(i + 1, j + 1))


def _inside(value: float, values: Sequence[float]) -> None:
    if not values[0] <= value <= values[-1]:
        raise ValueError(f"{value:g} lies beyond the table, from {values[0]:g} to {values[-1]:g}")


def _totals(levels: WayLevels) -> list[float]:
    return [sum(parts) for parts in zip(
        levels.cash_usd, levels.unserved_usd, levels.risk_usd, strict=True)]


def _forms(tables: Sequence[Sequence[WayLevels]]) -> tuple[bool, bool]:
    """Whether totals, and costs of a query, are read by their logarithm: all are above 0."""
    return (all(total > 0.0 for levels in tables for total in _totals(levels[0])),
            all(cost > 0.0 for levels in tables for way in levels for cost in way.cost_per_query_usd))


def _curves(
    levels: Sequence[WayLevels], forms: tuple[bool, bool] | None = None
) -> dict[str, list[float]]:
    """What is interpolated, by its key."""
    by_total, by_cost = forms or _forms([levels])
    totals, costs = _totals(levels[0]), levels[0].cost_per_query_usd
    curves = {
        "total": [math.log(total) for total in totals] if by_total else totals,
        "cost": [math.log(cost) for cost in costs] if by_cost else list(costs),
    }
    for way in levels:
        curves[f"total {way.way}"] = [
            own - total for own, total in zip(_totals(way), totals, strict=True)]
        curves[f"cost {way.way}"] = [
            math.log(own / cost) if by_cost else own - cost
            for own, cost in zip(way.cost_per_query_usd, costs, strict=True)]
        curves[f"unserved {way.way}"] = list(way.unserved_usd)
        curves[f"risk {way.way}"] = list(way.risk_usd)
        curves[f"missing {way.way}"] = list(way.missing_share)
    return curves


def _composed(
    levels: Sequence[WayLevels], read: Mapping[str, float],
    forms: tuple[bool, bool] | None = None,
) -> tuple[WayRead, ...]:
    """Ways out of the values of the curves."""
    by_total, by_cost = forms or _forms([levels])
    total = math.exp(read["total"]) if by_total else read["total"]
    cost = math.exp(read["cost"]) if by_cost else read["cost"]
    ways = []
    for way in (item.way for item in levels):
        unserved, risk = max(read[f"unserved {way}"], 0.0), read[f"risk {way}"]
        apart = read[f"cost {way}"]
        ways.append(WayRead(
            way=way, cash_usd=total + read[f"total {way}"] - unserved - risk,
            unserved_usd=unserved, risk_usd=risk,
            cost_per_query_usd=cost * math.exp(apart) if by_cost else cost + apart,
            missing_share=min(max(read[f"missing {way}"], 0.0), 1.0)))
    return tuple(ways)
