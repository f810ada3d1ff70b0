"""Time of one operator and of one all-reduce on a machine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabless.perf.efficiency import Efficiency
from fabless.perf.system import System
from fabless.workload import Number, Operator


@dataclass(frozen=True)
class OperatorTime:
    """Time of one operator on each chip of a group [s]."""

    roofline_s: Number
    compute_bound: Number
    """1 where compute takes longer than memory, else 0."""
    launch_s: Number
    flop: Number
    """FLOP on one chip."""
    moved_bytes: Number
    """Bytes moved by one chip."""


def join(compute_s: Number, memory_s: Number, sharpness: float) -> Number:
    """Join compute and memory time that overlap: ``(c^p + m^p)^(1/p)``, the larger alone for infinite p.

    >>> float(join(3.0, 4.0, 2.0))
    5.0
    """
    larger, smaller = np.maximum(compute_s, memory_s), np.minimum(compute_s, memory_s)
    if np.isinf(sharpness):
        return larger
    ratio = np.divide(smaller, larger, out=np.zeros(np.shape(larger)), where=np.asarray(larger) > 0.0)
    return larger * (1.0 + ratio**sharpness) ** (1.0 / sharpness)


def operator_time(
    operator: Operator, system: System, tensor_parallel: Number, efficiency: Efficiency
) -> OperatorTime:
    """Time of an operator split over `tensor_parallel` chips.

    ``t = join(FLOP / (peak e_c), bytes / (bandwidth e_m)) + launches t_launch``: the form that fits measured matrix
    products (docs/explanation/performance.md).
    """
    flop = operator.flop / tensor_parallel
    moved = operator.moved_bytes / np.minimum(tensor_parallel, operator.ways)
    if operator.attention:
        rate = system.attention_flops * efficiency.compute_attention
    else:
        rate = system.peak_flops * (efficiency.compute_8bit if system.low_precision else efficiency.compute_16bit)
    compute_s = flop / rate
    memory_s = moved / (system.memory_bandwidth * efficiency.bandwidth)
    return OperatorTime(
        roofline_s=join(compute_s, memory_s, efficiency.sharpness),
        compute_bound=np.where(compute_s > memory_s, 1.0, 0.0),
        launch_s=operator.launches * efficiency.launch_s, flop=flop, moved_bytes=moved,
    )


def link_time(message_bytes: Number, bandwidth: Number, efficiency: Efficiency) -> Number:
    """Time to send a message over a link [s]: 0 for an empty message, infinite where there is no link."""
    sent, rate = np.broadcast_arrays(np.asarray(message_bytes, dtype=float), bandwidth * np.asarray(efficiency.link))
    time = np.where(sent > 0.0, np.inf, 0.0)
    return np.asarray(np.divide(sent, rate, out=time, where=rate > 0.0))


def all_reduce(message_bytes: Number, chips: Number, system: System, efficiency: Efficiency) -> Number:
    """Time of an all-reduce over `chips`, by the alpha-beta law on two levels [s].

    Inside a domain of n chips ``alpha + 2 (n-1)/n M / (e B)``; beyond it, each chip of a domain reduces its part of the
    message with its peers in the m other domains over the scale-out link.
    """
    inside = np.minimum(chips, system.scale_up_domain)
    domains = np.ceil(chips / inside)
    ring = link_time(2.0 * (inside - 1.0) / inside * message_bytes, system.scale_up_bandwidth, efficiency)
    across = link_time(2.0 * (domains - 1.0) / domains * message_bytes / inside, system.scale_out_bandwidth, efficiency)
    return np.asarray(np.where(inside > 1.0, efficiency.scale_up_latency_s, 0.0) + ring
                      + np.where(domains > 1.0, efficiency.scale_out_latency_s, 0.0) + across)
