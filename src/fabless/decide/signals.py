"""What ends a first action before its money is gone, and what doubles it: a number and a day.

An order is held against the need: chips of its kind that all loads together would keep busy. Read
off the plan is the need, in the first quarter in which scenarios part, below which the plan takes
less than half as many more of that line until these arrive; at most the middle need, as a signal
that most scenarios give is none. Told is the level on the straight course from the need of today to
it, on the day by which the order must be placed.
A rent is held against owning the same chip. A chip whose software is moved, and an own chip, are
held against the chip of the dominant vendor: the share of the planned speed at which a query costs
the same on both.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

import numpy as np
from numpy.typing import NDArray

from fabless.case_records import Case
from fabless.decide.results import Signal
from fabless.decide.ways.solved import SolvedWay
from fabless.plan import trunk
from fabless.records import Array
from fabless.strategy import Offer
from fabless.units import QUARTER_S, Quarter
from fabless.wording import count, significant

_FEWER, _MORE = 0.5, 2.0
"""Times an order that the plan takes more of a line, below which it is stopped and from which it is
doubled."""
_LEAST_SHARE, _MOST_SHARE = 0.5, 0.95
"""Shares of the planned speed between which a threshold must lie: below the first nobody would wait
for the day, above the second the measurement tells nothing."""

Index = NDArray[np.int64]

Pair = tuple[Signal, str]
"""A signal and its sentence."""


@dataclass(frozen=True, eq=False, kw_only=True)
class NeedCourse:
    """Chips of a kind that all loads would keep busy: today, and in the nodes of the first quarter
    in which scenarios part."""

    today: float
    need: Array
    taken: Array
    """What the plan orders of the line from there until an order of now arrives [chip]."""
    probability: Array
    as_of: dt.date
    middle: dt.date
    """Middle of that quarter."""

    def on(self, day: dt.date, level: float) -> float:
        """Level on the straight course (in logarithms) from today to `level`, on a day."""
        passed = (day - self.as_of).days / max((self.middle - self.as_of).days, 1)
        return exp(log(self.today) + min(passed, 1.0) * (log(level) - log(self.today)))


def crossing(need: Array, taken: Array, probability: Array, target: float) -> float:
    """Need from which at least `target` is taken, where more need takes no less.

    `taken` is made to rise with the need (isotonic regression with weights `probability`), and is a
    straight line over its logarithm between two values. The lowest need where all is above the
    target, the highest where all is below.

    >>> crossing(np.array([100.0, 400.0]), np.array([0.0, 10.0]), np.array([0.5, 0.5]), 5.0)
    200.0
    """
    order = np.argsort(need, kind="stable")
    level, wanted = np.log(need[order]), rising(taken[order], probability[order])
    if wanted[0] >= target:
        return float(need[order[0]])
    if wanted[-1] < target:
        return float(need[order[-1]])
    k = int(np.argmax(wanted >= target))
    share = (target - wanted[k - 1]) / (wanted[k] - wanted[k - 1])
    return round(exp(level[k - 1] + share * (level[k] - level[k - 1])), 6)


def rising(values: Array, weights: Array) -> Array:
    """Nearest sequence, in weighted least squares, that never falls: neighbours that fall are
    pooled.

    >>> rising(np.array([1.0, 3.0, 2.0]), np.ones(3)).tolist()
    [1.0, 2.5, 2.5]
    """
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        mean, mass, size = float(value), float(weight), 1
        while blocks and blocks[-1][0] > mean:
            earlier, earlier_mass, earlier_size = blocks.pop()
            mean = (earlier * earlier_mass + mean * mass) / (earlier_mass + mass)
            mass, size = earlier_mass + mass, earlier_size + size
        blocks.append((mean, mass, size))
    return np.concatenate([np.full(size, mean) for mean, _, size in blocks])


def need_course(offer: Offer, node: int, solved: SolvedWay, case: Case) -> NeedCourse:
    """Need of the kind of chip of an offer, and what the plan takes of its line after an order at
    `node`, on average over what follows each node."""
    problem = solved.plan.problem
    tree, rate = problem.tree, offer.rate
    need = np.divide(problem.demand, rate, out=np.zeros(rate.shape), where=rate > 0.0).sum(axis=0)
    parted = min(int(tree.quarter[trunk(tree)].max()) + 1, int(tree.quarter.max()))
    arrival = int(tree.quarter[node] + offer.lead_quarters[node])
    rows = [k for k, other in enumerate(solved.plan.offers) if other.pool.line == offer.pool.line]
    spans = (tree.quarter >= parted) & (tree.quarter <= max(arrival, parted))
    later = np.where(spans, solved.result.orders[rows].sum(axis=0) * tree.probability, 0.0)
    nodes, above = np.flatnonzero(tree.quarter == parted), tree.ancestors()[:, parted]
    taken = np.array([later[above == k].sum() / tree.probability[k] for k in nodes])
    first, last = ((case.first_quarter + quarter).first_day for quarter in (parted, parted + 1))
    return NeedCourse(
        today=float(need[0]), need=need[nodes], taken=taken, probability=tree.probability[nodes],
        as_of=case.as_of, middle=first + (last - first) / 2)


def need_signals(
    amount: float, course: NeedCourse, due: dt.date, ordered_again: dt.date
) -> tuple[Pair, Pair]:
    """Stop and double of an order of `amount` chips: the first is told on the due date, the second
    on the day by which more can be ordered."""
    order = np.argsort(course.need)
    share = np.cumsum(course.probability[order]) / course.probability.sum()
    middle = float(course.need[order][np.searchsorted(share, 0.5)])
    low, high = (crossing(course.need, course.taken, course.probability, times * amount)
                 for times in (_FEWER, _MORE))
    stop = Signal(measure="need", below=True, at=course.on(due, min(low, middle)), unit="chip",
                  by=due.isoformat())
    double = Signal(measure="need", below=False, unit="chip", by=ordered_again.isoformat(),
                    at=course.on(ordered_again, max(high, middle)))
    return ((stop, f"all loads together ask for fewer than {count(stop.at)} such chips by {stop.by} "
                   f"(now {count(course.today)})"),
            (double, f"all loads together ask for more than {count(double.at)} such chips by "
                     f"{double.by}"))


def rent_signal(offer: Offer, owned: Offer, node: int, due: dt.date) -> Pair:
    """Stop of a rent: a chip-hour of the same chip for less than owning it costs."""
    hourly = float(owned.capital_usd[node] + owned.running_usd[node]) / (QUARTER_S / 3600.0)
    asked = float(offer.capital_usd[node] + offer.running_usd[node]) / (QUARTER_S / 3600.0)
    stop = Signal(measure="rent", below=True, at=hourly, unit="USD/h", by=due.isoformat())
    return stop, (f"the same chip is offered for under {significant(hourly)} USD an hour by {stop.by}: "
                  f"owning it costs that, this rent {significant(asked)}")


def same_cost_share(
    offer: Offer, others: Sequence[Offer], load: int, nodes: Index | None = None
) -> float:
    """Share of the planned speed of a chip at which a unit of a load costs on it what it costs on
    the cheapest of others, in the nodes (all if not given) where both can be ordered; between the
    shares that a measurement can tell."""
    own, best = _unit_cost(offer, load), np.full(offer.available.size, np.inf)
    for other in others:
        best = np.minimum(best, _unit_cost(other, load))
    both = np.isfinite(own) & np.isfinite(best)
    if nodes is not None:
        both &= np.isin(np.arange(both.size), nodes)
    share = float(np.mean(own[both] / best[both])) if both.any() else _MOST_SHARE
    return min(max(share, _LEAST_SHARE), _MOST_SHARE)


def _unit_cost(offer: Offer, load: int) -> Array:
    """Cost of a unit of a load in each node-quarter [USD]; infinite where it is not to be had."""
    rate, cost = offer.rate[load], offer.capital_usd + offer.running_usd
    fits = offer.available & (rate > 0.0)
    unit: Array = np.divide(cost, rate, out=np.full(rate.shape, np.inf), where=fits)
    return unit


def speed_signals(
    rate: float, share: float, load: str, by: dt.date
) -> tuple[Pair, Pair]:
    """Stop and double of moving the software: `rate` is what a busy chip is to write
    [token/s]."""
    stop = Signal(measure="throughput", below=True, at=share * rate, unit="token/s",
                  by=by.isoformat())
    double = Signal(measure="throughput", below=False, at=rate, unit="token/s", by=by.isoformat())
    return ((stop, f"under {significant(stop.at)} tokens a second and chip measured by {stop.by} ({load}; "
                   f"{significant(rate)} are planned)"),
            (double, f"at least {significant(rate)} tokens a second and chip measured by {double.by} "
                     f"({load})"))


def performance_signals(share: float, gate: Quarter) -> tuple[Pair, Pair]:
    """Stop and double of a chip programme at its first gate: the share of the planned speed that
    its simulation shows."""
    by = (gate.first_day - dt.timedelta(days=1)).isoformat()
    stop = Signal(measure="performance", below=True, at=share, unit="1", by=by)
    double = Signal(measure="performance", below=False, at=1.0, unit="1", by=by)
    return ((stop, f"simulation shows under {significant(share, 2)} of the planned speed by {by}, its "
                   "first gate"),
            (double, f"simulation shows at least the planned speed by {by}"))
