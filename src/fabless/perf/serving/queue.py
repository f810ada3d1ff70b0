"""How long a request waits before its prompt is read, when requests arrive at random."""

from __future__ import annotations

import numpy as np

from fabless.perf.serving.split import Split
from fabless.records import Array
from fabless.workload import Number


def waiting(service_s: Number, servers: Number, utilisation: Number) -> Array:
    """Mean wait of random arrivals for one of some servers that each take a fixed time [s].

    ``W = s rho^(sqrt(2 (c + 1)) - 1) / (2 c (1 - rho))``: exact for one server (M/D/1), else the
    approximation of Sakasegawa (1977), halved for fixed times. 0 where nothing arrives, infinite at
    a utilisation of 1.

    >>> float(waiting(4.0, 1.0, 0.5))
    2.0
    """
    rho = np.asarray(utilisation, dtype=float)
    power = rho ** (np.sqrt(2.0 * (np.asarray(servers, dtype=float) + 1.0)) - 1.0)
    busy = np.asarray(service_s) * np.where(rho > 0.0, power, 0.0) / (2.0 * np.asarray(servers, dtype=float))
    left = np.broadcast_to(1.0 - rho, np.shape(busy))
    return np.asarray(np.divide(busy, left, out=np.full(np.shape(busy), np.inf), where=left > 0.0))


def first_token_queue(
    answer_s: Number, reading_s: Number, sequences: Number, split: Split, utilisation: Number
) -> Array:
    """Wait before a prompt is read [s]: for a place in the batch, then for the prompts ahead of it.

    Places are servers that each take a whole request, `answer_s`; prompts are read one after the
    other, by one server that is busy for the share of that time, `reading_s`, that the instance
    reads while `sequences` are in flight.
    """
    if not np.any(utilisation):
        return np.zeros(np.shape(answer_s))
    others = np.maximum(np.asarray(sequences) / split.pipeline - 1.0, 1.0)
    share = np.minimum(np.asarray(reading_s) / answer_s, 1.0)
    return (waiting(answer_s, sequences, utilisation)
            + waiting(reading_s / others, 1.0, utilisation * share))
