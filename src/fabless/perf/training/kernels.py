"""Time of one product and of one stream on one chip."""

from __future__ import annotations

from fabless.perf.kernels import overlap
from fabless.perf.training.efficiency import TrainingEfficiency
from fabless.perf.training.machine import TrainingMachine
from fabless.workload import Number


def stream_time(moved: Number, launches: Number, machine: TrainingMachine, efficiency: TrainingEfficiency) -> Number:
    """Time of element-wise work: bytes at the reached bandwidth, and its launches [s]."""
    return moved / (machine.memory_bandwidth * efficiency.bandwidth) + launches * efficiency.launch_s


def product(flop: Number, moved: Number, rate: Number, machine: TrainingMachine, efficiency: TrainingEfficiency) -> Number:
    """Time of a matrix product of `flop` FLOP at `rate` FLOP/s that moves `moved` bytes [s].

    ``t0 + sqrt(t_c^2 + t_m^2)``: the form of all products here (docs/explanation/performance.md), without the walk along
    the inner dimension, which products of thousands of rows hide.
    """
    return efficiency.launch_s + overlap(flop / rate, moved / (machine.memory_bandwidth * efficiency.bandwidth))
