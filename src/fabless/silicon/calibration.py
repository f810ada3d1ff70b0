"""Fit the shared parameters of the area and power models on known products, and predict each from
the others.

The parameters are few and the products differ in kind, so each parameter starts from what is known
of circuits and moves only as far as the products ask: least squares on the logarithm of the
quantity, each product with the same weight, plus the squared distance of every parameter's
logarithm from its start over the stated width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from fabless.records import Array


@dataclass(frozen=True)
class Prior:
    """A parameter before the products are looked at: its value, and the width of its logarithm."""

    value: float
    width: float


@dataclass(frozen=True)
class Fit:
    """Parameters that fit the products, what they give for each, and what the others alone would
    have given."""

    parameters: Array
    fitted: Array
    left_out: Array
    """Each product predicted from parameters fitted without it."""


MODEL_ERROR = 0.2
"""Assumed spread of the logarithm of a product about the model, which weighs the priors."""


def fit(
    model: Callable[[Array, Array], Array], inputs: Array, known: Array, priors: Sequence[Prior]
) -> Fit:
    """Fit ``model(parameters, inputs) = known``, and again without each product.

    Parameters: `model`, of parameters (p,) and inputs (n, m), giving (n,); `inputs` (n, m) one row a product; `known`
    (n,) over 0; `priors` one a parameter.
    """
    start = np.log([prior.value for prior in priors])
    width = np.array([prior.width for prior in priors])

    def solve(rows: Array, values: Array) -> Array:
        def residuals(logs: Array) -> Array:
            misfit = np.log(model(np.exp(logs), rows) / values) / MODEL_ERROR
            return np.concatenate([misfit, (logs - start) / width])

        # to mypy the name is the module that holds the function
        solution = optimize.least_squares(residuals, start, xtol=1e-12, ftol=1e-12)  # type: ignore[operator]
        return np.asarray(np.exp(solution.x))

    best = solve(inputs, known)
    alone = [
        model(solve(np.delete(inputs, k, 0), np.delete(known, k)), inputs[k : k + 1])[0]
        for k in range(len(known))
    ]
    return Fit(best, model(best, inputs), np.array(alone))
