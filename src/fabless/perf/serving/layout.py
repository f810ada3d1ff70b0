"""Splits of a model worth trying on a chip."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fabless.arrays import pick
from fabless.errors import BadValue, DoesNotFit, Fault
from fabless.perf.efficiency import Calibration
from fabless.perf.machine import Formats, Machine, machine_of
from fabless.perf.serving.split import Split, room
from fabless.records import LLM, Chip
from fabless.workload import BYTES_PER_ELEMENT

_WIDEST = 8
"""Domains over which experts are spread at most."""
_TENSOR_DOMAINS = 4
"""Domains over which matrices are split at most."""
_GROUP = 8.0
"""Chips over which matrices are split at most where a domain is no larger than one chip."""
_DEPTHS = (1.0, 1.5, 2.0, 3.0, 4.0)
"""Pipelines tried, over the fewest stages that hold the model."""
_FORMATS = ("bf16", "fp8", "int8", "fp4")
"""Formats whose need of chips an error names."""


def _powers(most: float) -> list[int]:
    return [2**k for k in range(int(np.log2(max(most, 1.0))) + 1)]


def tensor_degrees(llm: LLM, most: float) -> list[int]:
    """Powers of two up to `most` that divide the heads, of attention and of linear mixers.

    >>> tensor_degrees(LLM(name="small", layers=2, hidden=64, heads=12, kv_heads=4, head_dim=8, ffn=64, vocab=100), 16)
    [1, 2, 4]
    """
    return [degree for degree in _powers(most)
            if llm.heads % degree == 0 and llm.linear_value_heads % degree == 0]


def expert_groups(llm: LLM, chips: int, domain: float) -> int:
    """Groups in which the experts of a mixture lie over `chips` chips: as many as divide both, so
    that as few experts as can be are cut, and none of them beyond a domain; else 1.

    >>> mixture = LLM(name="small", layers=2, hidden=64, heads=8, kv_heads=8, head_dim=8, ffn=64, vocab=100, experts=16)
    >>> expert_groups(mixture, 8, 8.0), expert_groups(mixture, 64, 8.0), expert_groups(mixture, 256, 8.0)
    (8, 16, 1)
    """
    groups = math.gcd(int(llm.experts), chips)
    return groups if chips <= groups * domain else 1


def _stages(llm: LLM, domain: float, most: float, links: bool) -> Iterator[tuple[int, int, int]]:
    """Tensor, expert and data degrees of one stage of at most `most` chips; beyond a domain only
    where it has `links`."""
    reach = min(max(_TENSOR_DOMAINS * domain, _GROUP) if links else domain, most)
    for degree in tensor_degrees(llm, reach):
        yield degree, 1, 1
        if 1 < degree <= domain and llm.experts and llm.experts % degree == 0:
            yield degree, degree, 1
    for chips in _powers(min(most, _WIDEST * domain if links else domain))[1:] if llm.experts else ():
        expert = expert_groups(llm, chips, domain)
        if expert > 1:
            for degree in tensor_degrees(llm, min(domain, chips / 2)):
                yield degree, expert, chips // degree


def _columns(rows: Sequence[tuple[int, int, int, int]]) -> Split:
    tensor, pipeline, expert, data = np.array(rows, dtype=float).reshape(-1, 4).T
    return Split(tensor, pipeline, expert, data)


def _holds(llm: LLM, machine: Machine, splits: Split, context: float, sequences: float = 1.0) -> NDArray[np.bool_]:
    return np.broadcast_to(np.asarray(room(llm, machine, splits, context)) >= sequences, np.shape(splits.tensor))


def _pipelines(
    llm: LLM, machine: Machine, stages: Sequence[tuple[int, int, int]], context: float, most: float
) -> Iterator[tuple[int, int, int, int]]:
    """Pipelines of each kind of stage: the fewest stages that hold the model, and some of
    `_DEPTHS` times as many."""
    deepest = [int(min(llm.layers, most // (tensor * data))) for tensor, _, data in stages]
    every = [
        (tensor, pipeline, expert, data)
        for (tensor, expert, data), depth in zip(stages, deepest, strict=True)
        for pipeline in range(1, depth + 1)
    ]
    if not every:
        return
    starts = np.cumsum([0, *deepest])
    holds = _holds(llm, machine, _columns(every), context)
    for k, (tensor, expert, data) in enumerate(stages):
        fits = np.flatnonzero(holds[starts[k] : starts[k + 1]])
        if not fits.size:
            continue
        fewest = int(fits[0]) + 1
        for pipeline in sorted({round(fewest * times) for times in _DEPTHS}):
            if 1 < pipeline <= deepest[k]:
                yield tensor, pipeline, expert, data


def candidate_splits(llm: LLM, machine: Machine, context: float, max_chips: int, pipelines: bool = False) -> Split:
    """Splits worth trying, as one record of arrays: those that hold a request, or all where none
    does.

    Every tensor degree that divides the heads, inside a domain and over a few; for mixtures with
    experts cut like other matrices or laid out whole (expert parallel), and attention in
    independent groups (data parallel) with experts over all chips, also over several domains, as
    served mixtures of 2022 already were (DeepSpeed-MoE). Where no domain holds the model, where the
    links inside one are no faster than those between, or where `pipelines` asks for it: pipelines
    of every stage too. Elsewhere uneven steps, which the model does not count, would take what a
    pipeline saves.
    """
    domain, out = float(machine.scale_up_domain), float(machine.scale_out_bandwidth)
    stages = list(_stages(llm, domain, max_chips, out > 0.0))
    alone = [(tensor, 1, expert, data) for tensor, expert, data in stages]
    fits = np.any(_holds(llm, machine, _columns([row for row in alone if row[0] * row[3] <= domain]), context))
    slow = domain == 1.0 or float(machine.scale_up_bandwidth) <= out
    deep = out > 0.0 and (pipelines or slow or not fits)
    rows = [*alone, *(_pipelines(llm, machine, stages, context, max_chips) if deep else ())]
    holds = _holds(llm, machine, _columns(rows), context)
    return _columns([row for row, fit in zip(rows, holds, strict=True) if fit] or rows)


def fixed_splits(llm: LLM, machine: Machine, context: float, max_chips: int, degrees: Mapping[str, int]) -> Split:
    """Splits with some degrees given by name (tensor, pipeline, expert, data): candidates that have
    them, else just them.

    Raises `BadValue` in the same cases as `check_split`.
    """
    tensor, data = degrees.get("tensor", 1), degrees.get("data", 1)
    expert = degrees.get("expert", tensor * data if data > 1 and llm.experts else 1)
    if "expert" in degrees and "tensor" not in degrees and "data" not in degrees:
        tensor = expert
    given = Split(tensor, degrees.get("pipeline", 1), expert, data)
    if not degrees:
        return candidate_splits(llm, machine, context, max_chips)
    check_split(llm, given)
    tried = candidate_splits(llm, machine, context, max_chips, "pipeline" in degrees)
    same = np.all([getattr(tried, name) == degree for name, degree in degrees.items()], axis=0)
    if len(degrees) < 4 and np.any(same):
        return pick(tried, np.flatnonzero(same))
    return Split(*(np.array([float(getattr(given, name))]) for name in ("tensor", "pipeline", "expert", "data")))


def check_split(llm: LLM, split: Split) -> None:
    """Raise `BadValue` with every way in which a given split does not divide the model."""
    faults = []
    degrees = {name: float(getattr(split, name)) for name in ("tensor", "pipeline", "expert", "data")}
    for name, degree in degrees.items():
        if degree < 1 or degree != int(degree):
            faults.append(Fault(f"split.{name}", f"{degree:g}", "a whole number of 1 or more", "correct the degree"))
    if faults:
        raise BadValue(*faults)
    tensor, expert = int(degrees["tensor"]), int(degrees["expert"])
    if llm.heads % tensor or llm.linear_value_heads % tensor:
        faults.append(
            Fault(
                "split.tensor", str(tensor), f"a divisor of the {llm.heads} heads of {llm.name}",
                f"take one of {', '.join(map(str, tensor_degrees(llm, llm.heads)))}",
            )
        )
    if degrees["pipeline"] > llm.layers:
        even = [stages for stages in range(1, llm.layers + 1) if llm.layers % stages == 0]
        faults.append(
            Fault(
                "split.pipeline", f"{degrees['pipeline']:g}", f"at most {llm.layers} layers",
                f"take fewer stages; even ones are {', '.join(map(str, even))}",
            )
        )
    stage = int(degrees["tensor"] * degrees["data"])
    if expert > 1 and not llm.experts:
        faults.append(Fault("split.expert", str(expert), f"1: {llm.name} has no experts", "leave it at 1"))
    elif expert > 1 and (llm.experts % expert or stage % expert):
        would = [degree for degree in range(1, stage + 1) if llm.experts % degree == 0 and stage % degree == 0]
        faults.append(
            Fault(
                "split.expert", str(expert),
                f"a divisor of {llm.experts} experts and of the {stage} chips of a stage",
                f"take one of {', '.join(map(str, would))}, or other tensor and data degrees: "
                "a stage has tensor x data chips",
            )
        )
    if faults:
        raise BadValue(*faults)


def does_not_fit(
    llm: LLM, chip: Chip, formats: Formats, calibration: Calibration, context: float, reason: str,
    sequences: int = 1,
) -> DoesNotFit:
    """Make the error that says how many chips `sequences` requests need in each format of the
    chip."""
    domain, links = float(chip.scale_up_domain), chip.scale_out_bandwidth > 0.0
    stages = list(_stages(llm, domain, np.inf, links))
    every = _columns(
        [
            (tensor, pipeline, expert, data)
            for tensor, expert, data in stages
            for pipeline in (
                range(1, llm.layers + 1) if links and tensor * data <= domain else (1,)
            )
        ]
    )
    offers = []
    for name in _FORMATS:
        if chip.peak_flops.get(name, 0.0) > 0.0 and BYTES_PER_ELEMENT[name] <= BYTES_PER_ELEMENT[formats.weights]:
            narrow = Formats(name, formats.kv, activations=formats.activations)
            machine, _ = machine_of(chip, narrow, calibration)
            holds = _holds(llm, machine, every, context, sequences)
            if np.any(holds):
                offers.append(f"{int(np.min(every.chips[holds]))} chips in {name}")  # type: ignore[index]
    return DoesNotFit(
        Fault(
            f"{llm.name} on {chip.name}", reason, "; ".join(offers) or "no split of this model",
            "allow more chips, a smaller batch or a narrower precision, or take another chip",
        )
    )
