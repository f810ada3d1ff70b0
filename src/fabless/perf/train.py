"""Training throughput at a model FLOP utilisation."""

from __future__ import annotations

import numpy as np

from fabless.errors import BadValue, Fault
from fabless.perf.machine import usable_precision
from fabless.perf.training.flop import multiplied_parameters
from fabless.records import LLM, Chip
from fabless.workload import Number


def training_flop_per_token(llm: LLM) -> float:
    """FLOP to train on one token: six for each parameter in use.

    The rule ``6 N`` of Kaplan et al. 2020, arXiv 2001.08361: the attention product is left out (a
    few percent at short contexts), and input embeddings are looked up, not multiplied.
    """
    return float(6.0 * multiplied_parameters(llm))


def train_throughput(llm: LLM, chip: Chip, utilisation: Number, precision: str = "bf16") -> Number:
    """Tokens that one chip trains on in a second, at a model FLOP utilisation [1] of its peak at
    `precision`.

    ``utilisation peak / (6 N)``; multiply by `training_flop_per_token` for FLOP/s.
    """
    return training_flop_rate(chip, utilisation, precision) / training_flop_per_token(llm)


def training_flop_rate(chip: Chip, utilisation: Number, precision: str = "bf16") -> Number:
    """FLOP/s of one chip in training at a model FLOP utilisation between 0 and 1."""
    share = np.asarray(utilisation, dtype=float)
    if not np.all((share > 0.0) & (share <= 1.0)):
        raise BadValue(Fault("utilisation", str(utilisation), "above 0, at most 1", "give model FLOP over peak FLOP"))
    used, _ = usable_precision(chip, precision)
    return chip.peak_flops[used] * utilisation
