"""What serving is asked for: formats, limits and traffic, and the splits and batches to try."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fabless.errors import BadValue, Fault
from fabless.perf.machine import Formats
from fabless.perf.serving.split import Split
from fabless.records import LLM, Request
from fabless.workload import Number, check


@dataclass(frozen=True)
class Traffic:
    """Prefix caching, speculative decoding and load: what changes cost or wait of requests; numbers
    or arrays."""

    cached: Number = 0.0
    """Share of the prompt's tokens that a prefix cache holds [share]."""
    drafts: Number = 0.0
    """Tokens that speculative decoding guesses per step [token]."""
    accepted: Number = 0.0
    """Mean number of guessed tokens accepted per step [token]."""
    utilisation: Number = 0.0
    """Random arrivals as a share of capacity, which sets the queue; 0: no queue [share]."""


NO_TRAFFIC = Traffic()


@dataclass(frozen=True)
class ServiceTerms:
    """What a service promises and meets: formats, latency limits, load and traffic."""

    formats: Formats
    tpot_limit_s: float = math.inf
    """Longest time per output token."""
    ttft_limit_s: float = math.inf
    """Longest time to the first token."""
    load_factor: float = 1.0
    """Mean load over peak load: chips are bought for the peak and paid through the day [share]."""
    traffic: Traffic = NO_TRAFFIC


@dataclass(frozen=True, kw_only=True)
class SplitSearch:
    """Splits and batches among which the best is sought."""

    split: Split | None = None
    """Split, or splits as arrays, to choose among: of whole requests, or of decode where prefill
    has its own pool. None: every useful one."""
    prefill_split: Split | None = None
    """Splits, as arrays, that a prefill pool chooses among. None: every useful one."""
    batch: int | None = None
    """Sequences in flight in one instance. None: the best number."""
    max_batch: int = 1024
    """Largest number of sequences tried for each stage and attention group."""
    max_chips: int = 256
    """Largest number of chips of an instance, or of both pools together."""


EVERY_SPLIT = SplitSearch()


def check_request(llm: LLM, request: Request, terms: ServiceTerms, search: SplitSearch) -> None:
    """Raise `BadValue` with everything that serving cannot be asked, the model's own shape
    first."""
    check(llm)
    faults = [
        Fault(name, str(value), "1 or more", "give a whole number")
        for name, value in (("max_batch", search.max_batch), ("max_chips", search.max_chips))
        if value < 1
    ]
    for name, value in (("input_tokens", request.input_tokens), ("output_tokens", request.output_tokens)):
        if not (math.isfinite(value) and value >= 1.0):
            faults.append(Fault(f"request.{name}", f"{value:g}", "a finite number of 1 or more",
                                "give the mean length of requests"))
    length = request.input_tokens + request.output_tokens
    if llm.max_context and length > llm.max_context:
        faults.append(
            Fault(
                "request", f"{length:g} tokens", f"at most {llm.max_context} for {llm.name}",
                "shorten the request or choose a model with a longer context",
            )
        )
    if not 0.0 < terms.load_factor <= 1.0:
        faults.append(Fault("load_factor", f"{terms.load_factor:g}", "above 0, at most 1",
                            "give mean load over peak load"))
    for name in ("tpot_limit_s", "ttft_limit_s"):
        if not getattr(terms, name) > 0.0:
            faults.append(Fault(name, f"{getattr(terms, name):g}", "above 0 s",
                                "give a time, or infinity for no limit"))
    if search.batch is not None and search.batch < 1:
        faults.append(Fault("batch", str(search.batch), "1 or more", "give the sequences in flight"))
    faults += _traffic_faults(terms.traffic)
    if faults:
        raise BadValue(*faults)


def _traffic_faults(traffic: Traffic) -> list[Fault]:
    """Faults of the traffic of one service, whose numbers are no arrays."""
    cached, drafts, accepted, utilisation = (float(value) for value in vars(traffic).values())
    faults = []
    if not 0.0 <= cached <= 1.0:
        faults.append(Fault("cached", f"{cached:g}", "0 to 1",
                            "give the share of prompt tokens found in the cache"))
    if not (0.0 <= drafts <= 64.0 and drafts == int(drafts)):
        faults.append(Fault("drafts", f"{drafts:g}", "a whole number, 0 to 64",
                            "give the guesses of one step"))
    if not 0.0 <= accepted <= max(drafts, 0.0):
        faults.append(
            Fault(
                "accepted", f"{accepted:g}", f"0 to the {drafts:g} drafts",
                "give the mean number of guessed tokens accepted per step",
            )
        )
    if not 0.0 <= utilisation < 1.0:
        faults.append(Fault("utilisation", f"{utilisation:g}", "0 or more, below 1",
                            "give the load as a share of capacity; at 1 the queue grows without "
                            "end"))
    return faults
