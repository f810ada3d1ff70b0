"""Splits of a model worth trying on a chip."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fabless.errors import BadValue, DoesNotFit, Fault
from fabless.perf.efficiency import Efficiency, Engine
from fabless.perf.machine import Formats, Machine, machine_of
from fabless.perf.split import Split, room
from fabless.records import LLM, Chip
from fabless.workload import BYTES_PER_ELEMENT, is_latent

_WIDEST = 8
"""Domains over which experts are spread at most, where a model does not fit fewer."""
_FORMATS = ("bf16", "fp8", "int8", "fp4")
"""Formats whose need of chips an error names."""


def _powers(most: float) -> list[int]:
    return [2**k for k in range(int(np.log2(max(most, 1.0))) + 1)]


def tensor_degrees(llm: LLM, most: float) -> list[int]:
    """Powers of two up to `most` that divide the heads, of attention and of linear mixers.

    >>> tensor_degrees(LLM("small", layers=2, hidden=64, heads=12, kv_heads=4, head_dim=8, ffn=64, vocab=100), 16)
    [1, 2, 4]
    """
    return [degree for degree in _powers(most)
            if llm.heads % degree == 0 and llm.linear_value_heads % degree == 0]


def _stages(llm: LLM, domain: float, most: float) -> Iterator[tuple[int, int, int]]:
    """Tensor, expert and data degrees of one stage of at most `most` chips."""
    for degree in tensor_degrees(llm, min(domain, most)):
        yield degree, 1, 1
        if degree > 1 and llm.experts and llm.experts % degree == 0:
            yield degree, degree, 1
    for chips in _powers(min(most, _WIDEST * domain))[1:] if llm.experts else ():
        if llm.experts % chips == 0 and (chips <= domain or is_latent(llm)):
            yield 1, chips, chips


def _columns(rows: list[tuple[int, int, int, int]]) -> Split:
    tensor, pipeline, expert, data = np.array(rows, dtype=float).T
    return Split(tensor, pipeline, expert, data)


def candidate_splits(llm: LLM, machine: Machine, context: float, max_chips: int) -> Split:
    """Splits worth trying, as one record of arrays.

    Inside a domain every tensor degree that divides the heads, for mixtures with experts cut like other matrices or
    laid out whole (expert parallel), and attention in independent groups (data parallel) with experts over all chips,
    also over several domains. A model that fits none of these is pipelined: stages of the widest tensor degree, from
    the fewest that hold it to four times as many.
    """
    domain = float(machine.scale_up_domain)
    inside = [(t, 1, e, d) for t, e, d in _stages(llm, domain, max_chips)]
    splits = _columns(inside)
    holds = np.broadcast_to(room(llm, machine, splits, context) >= 1.0, (len(inside),))
    if np.any(holds):
        return _columns([row for row, fits in zip(inside, holds, strict=True) if fits])
    widest = tensor_degrees(llm, min(domain, max_chips))[-1]
    across = [(widest, stages, 1, 1) for stages in range(2, min(llm.layers, max_chips // widest) + 1)]
    if not across:
        return splits
    holds = np.broadcast_to(room(llm, machine, _columns(across), context) >= 1.0, (len(across),))
    if not np.any(holds):
        return splits
    fewest = across[int(np.argmax(holds))][1]
    return _columns([row for row, fits in zip(across, holds, strict=True) if fits and row[1] <= 4 * fewest])


def check_split(llm: LLM, split: Split) -> None:
    """Raise `BadValue` with every way in which a given split does not divide the model."""
    faults = []
    degrees = {name: float(getattr(split, name)) for name in ("tensor", "pipeline", "expert", "data")}
    for name, degree in degrees.items():
        if degree < 1 or degree != int(degree):
            faults.append(Fault(f"split.{name}", f"{degree:g}", "a whole number of 1 or more", "correct the degree"))
    if not faults:
        tensor, expert = int(degrees["tensor"]), int(degrees["expert"])
        if llm.heads % tensor or llm.linear_value_heads % tensor:
            faults.append(Fault("split.tensor", str(tensor), f"a divisor of the {llm.heads} heads of {llm.name}",
                                f"take one of {', '.join(map(str, tensor_degrees(llm, llm.heads)))}"))
        if degrees["pipeline"] > llm.layers:
            faults.append(Fault("split.pipeline", f"{degrees['pipeline']:g}", f"at most {llm.layers} layers",
                                "take fewer stages"))
        stage = int(degrees["tensor"] * degrees["data"])
        if expert > 1 and (not llm.experts or llm.experts % expert or stage % expert):
            allowed = (f"a divisor of {llm.experts} experts and of the {stage} chips of a stage" if llm.experts
                       else f"1: {llm.name} has no experts")
            faults.append(Fault("split.expert", str(expert), allowed, "correct the degree"))
    if faults:
        raise BadValue(*faults)


def does_not_fit(llm: LLM, chip: Chip, formats: Formats, efficiency: Efficiency, engine: Engine, context: float,
                 found: str) -> DoesNotFit:
    """Make the error that says how many chips one request needs in each format of the chip."""
    degrees = tensor_degrees(llm, float(chip.scale_up_domain))
    every = _columns([(degree, 1, 1, 1) for degree in degrees]
                     + [(degrees[-1], stages, 1, 1) for stages in range(2, llm.layers + 1)])
    offers = []
    for name in _FORMATS:
        if chip.peak_flops.get(name, 0.0) > 0.0 and BYTES_PER_ELEMENT[name] <= BYTES_PER_ELEMENT[formats.weights]:
            machine, _ = machine_of(chip, Formats(name, formats.kv, activations=formats.activations), efficiency, engine)
            holds = np.broadcast_to(room(llm, machine, every, context) >= 1.0, np.shape(every.tensor))
            if np.any(holds):
                offers.append(f"{int(np.min(every.chips[holds]))} chips in {name}")  # type: ignore[index]
    return DoesNotFit(Fault(f"{llm.name} on {chip.name}", found, "; ".join(offers) or "no split of this model",
                            "allow more chips, a smaller batch or a narrower precision, or take another chip"))
