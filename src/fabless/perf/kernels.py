"""Time of one kernel, of one collective and of one message on a machine."""

from __future__ import annotations

import numpy as np

from fabless.perf.machine import Machine
from fabless.records import Array
from fabless.workload import Number, distinct_experts


def overlap(*times_s: Number) -> Number:
    """Join times that overlap but for the edges: ``sqrt(a^2 + b^2 + ...)``, never below the
    largest.

    The form that measured matrix products follow between memory, compute and depth
    (docs/explanation/performance.md).

    >>> float(overlap(3.0, 4.0))
    5.0
    """
    return np.asarray(
        np.sqrt(sum((np.square(time) for time in times_s[1:]), np.square(times_s[0])))
    )


def pace_by(first_s: Number, second_s: Number) -> Number:
    """Time of two that run beside each other, the longer one waiting a little now and then: ``(a^4
    + b^4)^(1/4)``.

    >>> round(float(pace_by(1.0, 1.0)), 4), float(pace_by(3.0, 0.0))
    (1.1892, 3.0)
    """
    a, b = np.square(first_s), np.square(second_s)
    return np.asarray(np.sqrt(np.sqrt(a * a + b * b)))


def ramp_up(fixed_s: Number, work_s: Number, ramp: Number) -> Number:
    """A fixed time, then work that comes to full speed only by and by: ``t0 + x + ramp sqrt(t0
    x)``.

    >>> float(ramp_up(1.0, 4.0, 0.5))
    6.0
    """
    return fixed_s + work_s + ramp * np.sqrt(fixed_s * work_s)


def link_time(message_bytes: Number, bandwidth: Number, share: Number) -> Array:
    """Time to send a message over a link [s]: 0 for an empty message, infinite where there is no
    link."""
    sent, rate = np.asarray(message_bytes, dtype=float), np.asarray(bandwidth, dtype=float) * share
    if np.all(rate > 0.0):
        return np.asarray(sent / rate)
    sent, rate = np.broadcast_arrays(sent, rate)
    time = np.where(sent > 0.0, np.inf, 0.0)
    return np.asarray(np.divide(sent, rate, out=time, where=rate > 0.0))


def _levels(chips: Number, machine: Machine) -> tuple[Number, Number]:
    """Chips of a group inside one domain, and domains of the group."""
    inside = np.minimum(np.asarray(chips, dtype=float), machine.scale_up_domain)
    return inside, np.ceil(chips / inside)


def _collective(inside: Number, domains: Number, work_s: Number, machine: Machine) -> Array:
    efficiency = machine.efficiency
    fixed = np.where(
        inside > 1.0, efficiency.collective_s + efficiency.collective_chip_s * (inside - 2.0), 0.0
    )
    if np.any(domains > 1.0):
        fixed = fixed + np.where(domains > 1.0, efficiency.scale_out_latency_s, 0.0)
    return np.asarray(
        ramp_up(machine.engine.launch_factor * fixed, work_s, efficiency.collective_ramp)
    )


def all_reduce(message_bytes: Number, chips: Number, machine: Machine) -> Number:
    """Time of an all-reduce over `chips`, by the alpha-beta law on two levels [s].

    Inside a domain of n chips ``x = 2 (n-1)/n M / (e B)`` after ``t0 = alpha + step (n - 2)``;
    beyond it, each chip of a domain reduces its part of the message with its peers in the m other
    domains over the scale-out link.
    """
    inside, domains = _levels(chips, machine)
    link = machine.efficiency.link
    ring = link_time(
        2.0 * (inside - 1.0) / inside * message_bytes, machine.scale_up_bandwidth, link
    )
    if np.any(domains > 1.0):
        ring = ring + link_time(
            2.0 * (domains - 1.0) / domains * message_bytes / inside, machine.scale_out_bandwidth,
            link,
        )
    return _collective(inside, domains, ring, machine)


def scatter(
    message_bytes: Number, copies: Number, chips: Number, machine: Machine, team: Number = 1.0
) -> Array:
    """Time in which each of `chips` sends its `message_bytes` to `copies` teams drawn at random, of
    `team` neighbouring chips each [s].

    A message crosses once to each other domain that holds any of its receivers, and is passed on
    inside: of m domains it reaches ``m (1 - (1 - 1/m)^copies)``, of n teams ``n (1 - (1 -
    1/n)^copies)``, by the law of `distinct_experts`. The way back, where answers are summed up on
    the way, takes as long.
    """
    inside, domains = _levels(chips, machine)
    link = machine.efficiency.link
    span = np.maximum(team / inside, 1.0)
    reached_chips, reached_domains = (
        each * distinct_experts(np.asarray(places, dtype=float) / each, 1.0, copies)
        for places, each in ((chips, team), (domains, span))
    )
    near = link_time(
        message_bytes * reached_chips * (inside - 1.0) / inside, machine.scale_up_bandwidth, link
    )
    far = link_time(
        message_bytes * reached_domains * (domains - 1.0) / domains, machine.scale_out_bandwidth,
        link,
    )
    return _collective(inside, domains, np.maximum(near, far), machine)


def all_gather(bytes_in: Number, chips: Number, machine: Machine) -> Number:
    """Time of an all-gather after which each of `chips` holds `bytes_in`, or of the reduce-scatter
    that undoes it [s]."""
    inside, domains = _levels(chips, machine)
    link = machine.efficiency.link
    near = link_time(bytes_in * (inside - 1.0) / inside, machine.scale_up_bandwidth, link)
    far = link_time(
        bytes_in * (domains - 1.0) / domains / inside, machine.scale_out_bandwidth, link
    )
    return _collective(inside, domains, near + far, machine)

