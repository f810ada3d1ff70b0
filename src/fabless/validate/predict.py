"""Measurement -> prediction: which model answers which kind of row.

No function here raises for a row that cannot be predicted: it gives no value and a reason 'kind:
detail'. Model and chip names are resolved by the catalogue, aliases included.
"""

from __future__ import annotations

from collections.abc import Sequence

from fabless.catalogue.facts.store import Catalogue
from fabless.errors import FablessError
from fabless.validate import training_recipe
from fabless.validate.measurement import Measurement
from fabless.validate.predict_kernels import predict_kernel_rows
from fabless.validate.predict_serving import Bench, serving
from fabless.validate.prediction import Prediction


def training(measurement: Measurement, catalogue: Catalogue) -> Prediction:
    """Predict a row of training: step time, tokens/s, model FLOP/s, utilisation."""
    try:
        row = training_recipe.trained(measurement, catalogue)
        value = training_recipe.predicted(row, measurement.quantity)
    except (FablessError, training_recipe.Missing) as error:
        return Prediction(None, training_recipe.reason_of(error))
    if value is None:
        return Prediction(None, f"metric not predicted: {measurement.metric}")
    return Prediction(value, "", row.notes)


def predictions(measurements: Sequence[Measurement], catalogue: Catalogue) -> list[Prediction]:
    """Predict many rows, in their order; rows that reading has already refused are not asked
    for."""
    bench = Bench(catalogue)
    timed = iter(predict_kernel_rows([m for m in measurements if m.kernel is not None], catalogue))
    return [
        next(timed)
        if m.kernel is not None
        else training(m, catalogue)
        if m.training is not None
        else serving(m, bench)
        for m in measurements
    ]
