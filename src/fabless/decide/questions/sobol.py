"""Sobol indices: how much of the spread of a query's cost each input brings in, alone and with all
others.

The plan's policy is run on fresh paths at the points of Saltelli's design; all else that a path
draws is the same at every point of the design, so that it adds nothing to the differences. An input
at a point is known from its first news and stays: the index is that of the whole range, though it may
take longer than the horizon to learn it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from fabless.case_records import named
from fabless.decide.fresh.run import rule_costs
from fabless.decide.questions.sensitivity import label_of
from fabless.decide.results import SobolIndex
from fabless.decide.ways.prepare import Prepared
from fabless.decide.ways.solved import SolvedWay
from fabless.records import Array
from fabless.sampling import plain_stream, quantile
from fabless.titles import titles

LEAST_COST = 1e-9
"""Floor of a cost before its logarithm is taken [USD]."""

RESAMPLES = 100
"""Resamples of the base points from which the intervals are taken."""

HALF_WIDTH = 1.959963984540054
"""Standard errors from the middle to the end of a 95 % interval: the normal quantile of 0.975."""


def sobol_indices(
    prepared: Prepared, solved: SolvedWay, names: Sequence[str], base: int, executor: Executor
) -> tuple[SobolIndex, ...]:
    """First-order and total Sobol indices of the logarithm of a query's cost, the largest total
    first.

    `base` is the number of base points, a power of two; the policy is run on ``base (d + 2)`` paths
    for d inputs. On the logarithm, because the cost has a heavy tail on which variances break.
    """
    if len(names) < 2:
        return ()
    seed, numbers = prepared.case.seed, named(prepared.case.numbers)

    def log_cost(points: Array) -> Array:
        values = {name: quantile(numbers[name].spread, points[:, k]) for k, name in enumerate(names)}
        run = rule_costs(prepared, solved, paths=base, seed=seed, values=values, executor=executor)
        return np.log(np.maximum(run.query_cost_usd, LEAST_COST))

    outputs = np.array([log_cost(points) for points in design(len(names), base, seed)])
    shares = variance_shares(outputs, plain_stream(seed))
    known = titles(prepared.case)
    rows = [
        SobolIndex(
            name=name, label=label_of(name, known), first=float(shares.first[k]),
            first_error=float(shares.first_error[k]), total=float(shares.total[k]),
            total_error=float(shares.total_error[k]),
        )
        for k, name in enumerate(names)
    ]
    return tuple(sorted(rows, key=lambda row: -row.total))


def design(inputs: int, base: int, seed: int) -> list[Array]:
    """Saltelli's design: `inputs` + 2 blocks of `base` points in the unit cube, each of shape
    (base, inputs).

    The first block A and the last block B are the two halves of scrambled Sobol points of twice the
    dimension; block
    ``k + 1`` is A with column k from B.
    """
    from scipy.stats import qmc

    # By `seed`, not `rng`: scipy draws other points from a generator, and these are the points of
    # SALib.
    first, second = np.hsplit(qmc.Sobol(2 * inputs, scramble=True, seed=seed).random(base), 2)
    swapped = [np.where(np.arange(inputs) == k, second, first) for k in range(inputs)]
    return [first, *swapped, second]


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Shares of the variance of an output by input, each array of shape (inputs,), errors as half
    95 % intervals."""

    first: Array
    first_error: Array
    total: Array
    total_error: Array


def variance_shares(outputs: Array, rng: np.random.Generator) -> Shares:
    """First-order and total indices of `outputs` at the blocks of `design`, shape (inputs + 2,
    base).

    With the outputs a at A, b at B and c at A with one column from B, centred, and V the variance
    of a and b together::

        first = mean(b (c - a)) / V          (Saltelli et al. 2010, Table 2 b)
        total = mean((a - c)^2) / (2 V)      (Jansen 1999)

    An output that never varies has shares of 0. Errors: 1.96 standard deviations over base points
    drawn again with replacement. Saltelli et al., Computer Physics Communications 181 (2010)
    259-270.

    >>> points = design(2, 1024, 1)
    >>> found = variance_shares(np.array([3.0 * x + y for x, y in (block.T for block in points)]), plain_stream(1))
    >>> [round(float(share), 2) for share in found.first]
    [0.9, 0.1]
    """
    centred = outputs - outputs.mean()
    base = outputs.shape[1]
    again = centred[:, rng.integers(base, size=(base, RESAMPLES))]
    first, total = _estimates(centred)
    first_error, total_error = (HALF_WIDTH * part.std(axis=1, ddof=1) for part in _estimates(again))
    return Shares(first=first, first_error=first_error, total=total, total_error=total_error)


def _estimates(outputs: Array) -> tuple[Array, Array]:
    """First-order and total indices, shape (inputs, ...), of outputs of shape (inputs + 2, base,
    ...)."""
    a, c, b = outputs[0], outputs[1:-1], outputs[-1]
    variance = np.concatenate([a, b]).var(axis=0)
    shares = np.divide(1.0, variance, out=np.zeros_like(variance), where=variance > 0.0)
    return (b * (c - a)).mean(axis=1) * shares, 0.5 * ((a - c) ** 2).mean(axis=1) * shares
