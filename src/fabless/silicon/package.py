"""A chip as the cost model takes it: dies of known area, nodes, memory and packaging of a day, and
what does not fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fabless.catalogue import Catalogue
from fabless.errors import BadValue, DoesNotFit, Fault
from fabless.records import Chip, LogicDie, MemoryType, Packaging, ProcessNode
from fabless.silicon.area import AreaModel, Blocks, die_blocks
from fabless.silicon.dated import Dating, memory_on, node_on, packaging_on
from fabless.silicon.design import Design, Die
from fabless.silicon.geometry import FIELD_M, die_sides, stacks_along_edge
from fabless.silicon.inputs import Silicon, area_model, densities, die_share, numbers, process_node_of, silicon_of

STACKED, FLAT = "cowos-s", "organic"
"""Packaging taken where a chip does not say: with stacked memory, and without."""
TALLEST = 2.0
"""Most memory of a stack over the usual one of its generation."""


@dataclass(frozen=True, kw_only=True)
class Package:
    """A chip as the cost model takes it, with everything it was made of."""

    design: Design
    dies: tuple[LogicDie, ...]
    nodes: tuple[ProcessNode, ...]
    memory: MemoryType | None
    packaging: Packaging
    silicon: Silicon | None
    modelled: tuple[Blocks | None, ...]


def package_of(catalogue: Catalogue, chip: Chip, dating: Dating, notes: list[str]) -> Package:
    """Turn a chip into what the cost model takes; `notes` gets a sentence on everything that was
    assumed."""
    node = process_node_of(catalogue, chip.node, chip.name)
    model = area_model(catalogue)
    silicon = silicon_of(catalogue, chip, model)
    stated = kinds_of_die(chip)
    modelled: tuple[Blocks | None, ...] = tuple(_blocks(catalogue, chip, silicon, die, model) for die in stated)
    dies = tuple(_sized(die, blocks, chip) for die, blocks in zip(stated, modelled, strict=True))
    if silicon is not None:
        notes += silicon.assumed
    stacked = _stacked(catalogue, chip)
    if chip.packaging is None:
        notes.append(f"packaging: no source; {STACKED if stacked else FLAT} assumed")
    packaging = packaging_on(dating, catalogue.packaging(chip.packaging or (STACKED if stacked else FLAT)))
    memory = memory_on(dating, catalogue.memory(str(chip.memory_type))) if stacked else None
    if not stacked and chip.memory_type not in (None, "sram"):
        notes.append(f"memory: {chip.memory_type} sits on the board and is not in the unit cost")
    sites = 0
    if memory is not None:
        needed = math.ceil(chip.memory_bytes / memory.stack_bytes / TALLEST)
        sites = max(chip.architecture.memory_sites or 0, chip.hbm_stacks or 0)
        if not sites:
            sites = math.ceil(chip.memory_bytes / memory.stack_bytes)
            notes.append(f"memory: number of stacks not stated; {sites} of "
                         f"{memory.stack_bytes / 1e9:g} GB assumed")
        elif sites < needed:
            notes.append(f"memory: {sites} stacks for {chip.memory_bytes / 1e9:g} GB are tall for {memory.name}")
    for die in dies:
        _check_field(die, catalogue, model, packaging=packaging, sites=sites, memory=memory)
    if memory is not None:
        _check_edge(chip, dies, sites, memory, model)
    kinds = tuple(
        Die(float(die.area_m2 or 0.0), die.count, die.units, die.units_needed,
            model.repairable_share if die.units_needed < die.units else 0.0) for die in dies)
    design = Design(
        kinds, chip.memory_bytes if memory else 0.0, sites, memory.stack_area_m2 if memory else 0.0,
        chip.architecture.interposer_area_m2,
    )
    _check_interposer(chip, design, packaging)
    nodes = tuple(
        node_on(
            dating,
            node
            if die.node in (None, chip.node)
            else process_node_of(catalogue, die.node, chip.name),
        )
        for die in dies
    )
    return Package(
        design=design, dies=dies, nodes=nodes, memory=memory, packaging=packaging, silicon=silicon,
        modelled=modelled)


def _stacked(catalogue: Catalogue, chip: Chip) -> bool:
    """Whether the memory stands in the package: a kind with a footprint, or with the name of
    one."""
    if chip.memory_type is None or chip.memory_type == "sram":
        return False
    if chip.memory_type in catalogue.entities("memory"):
        return "footprint" in numbers(catalogue, chip.memory_type)
    if chip.memory_type.lower().startswith("hbm"):
        catalogue.memory(chip.memory_type)  # says which generations are known
    return False


def kinds_of_die(chip: Chip) -> tuple[LogicDie, ...]:
    """The kinds of die of a chip; equal ones are one kind; one die of unknown area where nothing is
    stated."""
    stated = chip.architecture.dies or tuple(LogicDie(area) for area in chip.die_area_m2) or (LogicDie(None),)
    counts: dict[LogicDie, int] = {}
    for die in stated:
        kind = replace(die, count=1)
        counts[kind] = counts.get(kind, 0) + die.count
    return tuple(replace(kind, count=count) for kind, count in counts.items())


def _blocks(
    catalogue: Catalogue, chip: Chip, silicon: Silicon | None, die: LogicDie, model: AreaModel
) -> Blocks | None:
    """What the area model says of one kind of die; None where the architecture is not known."""
    if silicon is None:
        return None
    base = die.node not in (None, chip.node)
    logic, sram = densities(process_node_of(catalogue, die.node or chip.node, chip.name))
    dies = silicon.base_dies if base else silicon.compute_dies
    content = die_share(silicon.content, dies, compute=not base, rest=base or not silicon.base_dies)
    return die_blocks(model, content, logic_density=logic, sram_density=sram)


def _sized(die: LogicDie, blocks: Blocks | None, chip: Chip) -> LogicDie:
    if die.area_m2 is not None:
        return die
    if blocks is None:
        raise BadValue(
            Fault(
                f"{chip.name}: die_area", "neither an area nor an architecture",
                "die_area, or on_chip_memory with the peak rates",
                "give the area of the logic dies, or on_chip_memory so that it can be estimated",
            )
        )
    return replace(die, area_m2=float(blocks.total))


def _check_field(
    die: LogicDie, catalogue: Catalogue, model: AreaModel, packaging: Packaging, sites: int,
    memory: MemoryType | None,
) -> None:
    """Refuse a die over the exposure field, and say what a design of smaller dies would need."""
    area, field = float(die.area_m2 or 0.0), FIELD_M[0] * FIELD_M[1]
    if area <= field * (1 + 1e-9):
        return
    parts = 2
    while area / parts + model.die_to_die_m2 > field:
        parts += 1
    each = area / parts + model.die_to_die_m2
    stacks = sites * memory.stack_area_m2 if memory else 0.0
    interposer = packaging.interposer_area_per_die_area.mode * (parts * each + stacks)
    limit = packaging.interposer_limit_m2
    room = "" if limit is None else f" ({packaging.name} offers up to {limit * 1e6:,.0f} mm2)"
    raise DoesNotFit(
        Fault(
            "die_area", f"{area * 1e6:,.0f} mm2",
            f"at most {field * 1e6:.0f} mm2, the exposure field of {FIELD_M[0] * 1e3:g} x {FIELD_M[1] * 1e3:g} mm",
            f"a design of {parts} dies would need {each * 1e6:,.0f} mm2 each, {model.die_to_die_m2 * 1e6:.0f} of it for the "
            f"link between them, on an interposer of about {interposer * 1e6:,.0f} mm2{room}",
        )
    )


def _check_edge(chip: Chip, dies: Sequence[LogicDie], sites: int, memory: MemoryType, model: AreaModel) -> None:
    """Refuse more stacks than stand along the edges of the dies."""
    if memory.stack_width_m is None:
        return
    row = sum(die.count * float(die_sides(float(die.area_m2 or 0.0), model.aspect_most)[1]) for die in dies)
    most = int(stacks_along_edge(row, 1, memory.stack_width_m, model.stack_overhang))
    if sites > most:
        raise DoesNotFit(
            Fault(
                f"{chip.name}: hbm_stacks",
                f"{sites} stacks of {memory.stack_width_m * 1e3:g} mm along two edges of "
                f"{row * 1e3:.1f} mm",
                f"at most {most}",
                "take fewer and taller stacks, or split the logic over more dies for a longer edge",
            )
        )


def _check_interposer(chip: Chip, design: Design, packaging: Packaging) -> None:
    limit, stated = packaging.interposer_limit_m2, design.interposer_area_m2
    if packaging.interposer_wafer_usd is None or limit is None:
        return
    # where no area is stated, a package may be drawn tighter than usual
    tight = float(design.placed_area_m2) * packaging.interposer_area_per_die_area.low
    area = tight if stated is None else float(np.asarray(stated))
    if area > limit * (1 + 1e-9):
        raise DoesNotFit(Fault(
            f"{chip.name}: packaging", f"an interposer of {area * 1e6:,.0f} mm2",
            f"at most {limit * 1e6:,.0f} mm2 for {packaging.name}",
            "place less in one package, or choose a service with larger interposers"))
