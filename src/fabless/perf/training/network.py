"""Time of collectives and messages by the alpha-beta law, inside a domain and across domains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabless.perf.kernels import link_time
from fabless.perf.training.efficiency import TrainingEfficiency
from fabless.perf.training.machine import TrainingMachine
from fabless.workload import Number, distinct_experts


@dataclass(frozen=True)
class ChipGroup:
    """Chips that talk: how many stand in one domain, and over how many domains they are spread."""

    inside: Number
    domains: Number

    @property
    def chips(self) -> Number:
        """Members of the group."""
        return self.inside * self.domains


def group(chips: Number, apart: Number, machine: TrainingMachine) -> ChipGroup:
    """Place a group whose neighbours stand `apart` chips apart: the domain holds ``max(1, domain /
    apart)`` of them."""
    members = np.asarray(chips, dtype=float)
    inside = np.minimum(members, np.maximum(1.0, machine.scale_up_domain / np.asarray(apart, dtype=float)))
    return ChipGroup(inside, members / inside)


def gather(message: Number, who: ChipGroup, machine: TrainingMachine, efficiency: TrainingEfficiency) -> Number:
    """Time of an all-gather of `message` bytes in all, or of a reduce-scatter of them [s].

    A pipelined ring: every chip passes ``(i-1)/i M`` inside its domain of i, and ``(d-1)/d M / i``
    between d domains, both at once: ``alpha + hop (d-1) + max(inside, between)``.
    """
    inner = link_time((who.inside - 1.0) / who.inside * message, machine.scale_up_bandwidth, efficiency.link)
    outer = link_time(
        (who.domains - 1.0) / who.domains * message / who.inside, machine.scale_out_bandwidth,
        efficiency.link,
    )
    fixed = np.where(who.chips > 1.0, efficiency.latency_s + efficiency.hop_s * np.maximum(who.domains - 1.0, 0.0), 0.0)
    return fixed + np.maximum(inner, outer)


def grouped_all_reduce(message: Number, who: ChipGroup, machine: TrainingMachine, efficiency: TrainingEfficiency) -> Number:
    """Time of an all-reduce: a reduce-scatter, then an all-gather; one launch [s]."""
    twice = 2.0 * gather(message, who, machine, efficiency)
    return twice - np.where(who.chips > 1.0, efficiency.latency_s, 0.0)


def expert_dispatch(
    tokens: Number, token_bytes: Number, copies: Number, who: ChipGroup, machine: TrainingMachine,
    efficiency: TrainingEfficiency
) -> Number:
    """Time in which every chip of a group sends `tokens` tokens, each to `copies` members chosen
    evenly [s].

    A copy leaves its chip with ``(i-1)/n`` inside the domain; between domains a token goes once to
    each of the d domains that need it, ``d (1 - (1 - 1/d)^copies)`` of them, and is handed on
    inside; both at once.
    """
    near = link_time(
        tokens * token_bytes * copies * (who.inside - 1.0) / who.inside, machine.scale_up_bandwidth,
        efficiency.link,
    )
    reached = distinct_experts(who.domains, 1.0, copies)
    far = link_time(
        tokens * token_bytes * reached * (who.domains - 1.0) / who.domains,
        machine.scale_out_bandwidth, efficiency.link,
    )
    return np.where(who.chips > 1.0, efficiency.latency_s, 0.0) + np.maximum(near, far)


def send(message: Number, apart: Number, machine: TrainingMachine, efficiency: TrainingEfficiency) -> Number:
    """Time of one message to the chip that stands `apart` chips further: by the inner link while
    that is in the domain."""
    near = np.asarray(apart, dtype=float) < machine.scale_up_domain
    rate = np.where(near, machine.scale_up_bandwidth, machine.scale_out_bandwidth)
    return efficiency.latency_s + link_time(message, rate, efficiency.link)
