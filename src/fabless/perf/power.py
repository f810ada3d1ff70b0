"""Power of a chip by how hard it works."""

from __future__ import annotations

import numpy as np

from fabless.perf.efficiency import Efficiency
from fabless.workload import Number


def chip_power(tdp_w: Number, compute_use: Number, bandwidth_use: Number, efficiency: Efficiency) -> Number:
    """Power of one chip [W].

    ``TDP min(1, idle + compute_power u_c + memory_power u_m)``, where u_c and u_m are the shares of peak FLOP/s and of
    memory bandwidth in use. Chips reach their cap well below full use.
    """
    load = (efficiency.idle_power + efficiency.compute_power * np.asarray(compute_use, dtype=float)
            + efficiency.memory_power * np.asarray(bandwidth_use, dtype=float))
    return tdp_w * np.minimum(1.0, load)
