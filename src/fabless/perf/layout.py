"""How a model can be split over chips, and how many sequences each split holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabless.errors import DoesNotFit, Fault
from fabless.perf.efficiency import Efficiency
from fabless.perf.phase import Widths, memory
from fabless.perf.system import System, system_of
from fabless.records import LLM, Array, Chip, Request
from fabless.workload import element_bytes

ACTIVATION_BYTES = 2.0
"""Hidden states stay in 16 bits whatever the weights are."""


@dataclass(frozen=True)
class Parallel:
    """How a model is split over chips."""

    tensor: int
    pipeline: int = 1


def tensor_degrees(llm: LLM, domain: float) -> list[int]:
    """Powers of two that divide the heads and stay inside the scale-up domain."""
    return [2**k for k in range(16) if 2**k <= max(domain, 1) and llm.heads % 2**k == 0]


def room(llm: LLM, system: System, request: Request, widths: Widths, efficiency: Efficiency, splits: Array) -> Array:
    """Requests that each split holds on one stage; below 1 where it does not hold one.

    `splits` has two rows: tensor and pipeline degree.
    """
    tensor, pipeline = splits
    held = memory(llm, system, pipeline, request.input_tokens + request.output_tokens, widths=widths,
                  efficiency=efficiency, tensor_parallel=tensor, pipeline_parallel=pipeline)
    return np.asarray(np.floor((held.free + held.kv_cache) / held.kv_cache))


def _pipelines(tensor: int, stages: range) -> Array:
    return np.array([[tensor] * len(stages), list(stages)], dtype=float)


def _single(degrees: list[int]) -> Array:
    return np.array([degrees, [1] * len(degrees)], dtype=float)


def candidate_splits(
    llm: LLM, system: System, request: Request, widths: Widths, efficiency: Efficiency, max_chips: int
) -> Array:
    """Splits worth trying, as rows of tensor and pipeline degrees.

    Every tensor degree of one domain when the model fits a domain; else pipelines of the widest degree, from the fewest
    stages that hold the model to four times as many.
    """
    degrees = [degree for degree in tensor_degrees(llm, float(system.scale_up_domain)) if degree <= max_chips]
    inside = _single(degrees)
    if np.any(room(llm, system, request, widths, efficiency, inside) >= 1.0):
        return inside
    across = _pipelines(degrees[-1], range(2, min(llm.layers, max_chips // degrees[-1]) + 1))
    holds = room(llm, system, request, widths, efficiency, across) >= 1.0
    if not np.any(holds):
        return inside
    fewest = across[1][holds].min()
    return np.asarray(across[:, (across[1] >= fewest) & (across[1] <= 4 * fewest)])


def does_not_fit(llm: LLM, chip: Chip, request: Request, kv_precision: str, efficiency: Efficiency, found: str
                 ) -> DoesNotFit:
    """Make the error that says how many chips one request needs in each precision of the chip."""
    degrees = tensor_degrees(llm, float(chip.scale_up_domain))
    every = np.concatenate([_single(degrees), _pipelines(degrees[-1], range(2, llm.layers + 1))], axis=1)
    offers = []
    for precision in ("bf16", "fp16", "int8", "fp8", "fp4"):
        if chip.peak_flops.get(precision, 0.0) > 0.0:
            widths = Widths(element_bytes(precision), ACTIVATION_BYTES, element_bytes(kv_precision))
            holds = room(llm, system_of(chip, precision), request, widths, efficiency, every) >= 1.0
            if np.any(holds):
                offers.append(f"{every.prod(axis=0)[holds].min():.0f} chips in {precision}")
    return DoesNotFit(Fault(f"{llm.name} on {chip.name}", found, "; ".join(offers) or "no split of this model",
                            "allow more chips, a smaller batch or a narrower precision, or take another chip"))
