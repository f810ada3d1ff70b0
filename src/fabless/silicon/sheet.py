"""Everything about the silicon of one chip: dies, yields, cost, power, NRE, carbon, each line with
its source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fabless.catalogue import Catalogue
from fabless.errors import BadValue
from fabless.records import Array, Band, Chip
from fabless.sampling import stream
from fabless.silicon.carbon import embodied_carbon
from fabless.silicon.dated import Dating
from fabless.silicon.die_yield import negative_binomial_yield
from fabless.silicon.geometry import dies_per_wafer_of_area
from fabless.silicon.inputs import AREA, CARBON, POWER, carbon_model, interface, power_model
from fabless.silicon.nre import node_nre_usd, nre_cost, volume_for_nre_share
from fabless.silicon.package import Package, kinds_of_die, package_of
from fabless.silicon.power import rated_power, usual_clock_ratio
from fabless.silicon.unit_cost import CostInputs, UnitCost, unit_cost

DRAWS = 4096
"""Joint draws behind P10, P50 and P90."""
NRE_SHARE = 0.1
"""Share of the unit cost below which NRE counts as small."""
PARTNER = ("broadcom", "custom_gross_margin")
"""Entity and field of the margin of a design partner."""


@dataclass(frozen=True)
class SheetRow:
    """One line of a table: what, how much in SI or USD, and where it comes from."""

    name: str
    value: float
    unit: str
    source: str
    band: Band | None = None


@dataclass(frozen=True, kw_only=True)
class DieSheet:
    """One kind of logic die."""

    node: str
    count: int
    area_mm2: float
    area_source: str
    gross_dies_per_wafer: int
    plain_yield: float
    sold_yield: float
    """Share of dies that can be sold, although some units may fail."""
    units: int
    units_needed: int
    blocks: tuple[SheetRow, ...]
    """Area by block from the area model [mm2]; the last line is the rest of a stated area."""
    modelled_mm2: float | None


@dataclass(frozen=True, kw_only=True)
class ChipSheet:
    """The silicon of one chip."""

    chip: str
    at: str
    dies: tuple[DieSheet, ...]
    cost: tuple[SheetRow, ...]
    unit_cost_usd: float
    """Unit cost at the modes of all inputs."""
    unit_cost: Band
    package_yield: float
    interposer_mm2: float
    partner_price: SheetRow
    peaks: tuple[SheetRow, ...]
    power: tuple[SheetRow, ...]
    power_modelled_w: float | None
    power_stated_w: float
    nre: tuple[SheetRow, ...]
    nre_usd: float | None
    volume_for_small_nre: float | None
    carbon: SheetRow | None
    notes: tuple[str, ...]


def chip_sheet(
    catalogue: Catalogue, chip: Chip, *, at: dt.date | None = None, nre_class: str = "nre-full",
    reuse: float = 0.0, margin: float | None = None, draws: int = DRAWS, seed: int = 0,
) -> ChipSheet:
    """Dies, yields, cost, power, NRE and carbon of a chip.

    Parameters: `at` day of manufacture (None: newest prices, mature process); `nre_class` an entity that holds a
    `design_factor`; `reuse` share of the design taken over; `margin` gross margin of a design
    partner (None: the catalogue's). Raises `UnknownName` for an unknown node, memory or packaging,
    `BadValue` for what is missing and `DoesNotFit` for a die over the field, stacks over the edge
    or an interposer over the limit.
    """
    dating = Dating(catalogue, at)
    notes: list[str] = []
    package = package_of(catalogue, chip, dating, notes)
    inputs = CostInputs.of(package.nodes, package.memory, package.packaging)
    partner = catalogue.range(*PARTNER).mode if margin is None else margin
    modes = unit_cost(package.design, inputs, partner_margin=partner)
    drawn = CostInputs.draws(package.nodes, package.memory, package.packaging, draws, stream(seed, f"chip {chip.name}"))
    spread = unit_cost(package.design, drawn)
    total = float(modes.total_usd)
    cost = _cost_lines(modes, spread, package, dating)
    power = _power_lines(catalogue, chip, package)
    nre, nre_total = _nre_lines(catalogue, package, nre_class, reuse, notes)
    volume = None if nre_total is None else float(volume_for_nre_share(nre_total, total, NRE_SHARE))
    price = SheetRow("price through a design partner", float(modes.price_usd), "USD",
                 f"margin {partner:.0%}: " + (" ".join(PARTNER) if margin is None else "stated"))
    return ChipSheet(
        chip=chip.name, at=str(at) if at else "newest prices, mature process",
        dies=tuple(_die_sheet(package, k, chip) for k in range(len(package.dies))), cost=cost,
        unit_cost_usd=total, unit_cost=_band(spread.total_usd, draws),
        package_yield=float(modes.package_yield),
        interposer_mm2=1e6 * float(modes.interposer_area_m2), partner_price=price,
        peaks=tuple(
            SheetRow(name, rate, "FLOP/s", "specification")
            for name, rate in chip.peak_flops.items()
        ),
        power=power,
        power_modelled_w=sum(line.value for line in power) if power else None,
        power_stated_w=chip.tdp_w,
        nre=nre,
        nre_usd=nre_total,
        volume_for_small_nre=volume,
        carbon=_carbon(catalogue, package, modes, notes),
        notes=tuple(notes) + tuple(dict.fromkeys(dating.held)),
    )


def _band(values: Array, count: int) -> Band:
    drawn = np.broadcast_to(values, (count,))
    p10, p50, p90 = (float(value) for value in np.quantile(drawn, (0.1, 0.5, 0.9)))
    return Band(p10, p50, p90, float(drawn.mean()))


def _die_sheet(package: Package, k: int, chip: Chip) -> DieSheet:
    die, node, blocks = package.dies[k], package.nodes[k], package.modelled[k]
    area = float(die.area_m2 or 0.0)
    kind, defects = package.design.dies[k], area * node.defect_density.mode
    plain = float(negative_binomial_yield(defects, node.clustering.mode))
    sold = float(
        unit_cost(
            replace(package.design, dies=(kind,)),
            CostInputs.of(node, package.memory, package.packaging),
        ).die_yields[0]
    )
    lines: tuple[SheetRow, ...] = ()
    stated = any(given.area_m2 is not None for given in kinds_of_die(chip)[k : k + 1])
    if blocks is not None:
        lines = tuple(SheetRow(name, 1e6 * float(part), "mm2", _AREA_SOURCE[name]) for name, part in blocks.lines())
        if stated:
            lines += (
                SheetRow(
                    "not explained by the model", 1e6 * (area - float(blocks.total)), "mm2",
                    "stated less modelled",
                ),
            )
    return DieSheet(
        node=node.name, count=die.count, area_mm2=1e6 * area,
        area_source="stated" if stated else "area model, docs/results/silicon.md",
        gross_dies_per_wafer=int(dies_per_wafer_of_area(area)), plain_yield=plain, sold_yield=sold,
        units=die.units, units_needed=die.units_needed, blocks=lines,
        modelled_mm2=None if blocks is None else 1e6 * float(blocks.total))


_AREA_SOURCE = {
    "matrix units": f"{AREA} mac_area, peak rates over clock",
    "vector units": f"{AREA} lane_area, vector rate over clock",
    "on-chip memory": f"{AREA} sram_overhead, sram_density of the node",
    "memory interface": "interface_area of the memory",
    "links": f"{AREA} link_area, die_to_die_area", "rest": f"{AREA} rest_share, fixed_area",
}


def _cost_lines(modes: UnitCost, spread: UnitCost, package: Package, dating: Dating) -> tuple[SheetRow, ...]:
    nodes = tuple(dict.fromkeys(node.name for node in package.nodes))
    packaging = package.packaging.name
    memory = (package.memory.name,) if package.memory else ()
    sources = {
        "good dies": _cited(dating, nodes, "wafer_price", "defect_density"),
        "memory": _cited(dating, memory, "price"),
        "packaging service": _cited(dating, (packaging,), "service_price"),
        "substrate": _cited(dating, (packaging,), "substrate_price"),
        "test": _cited(dating, (packaging,), "test_price"),
        "scrapped dies": _cited(dating, (packaging,), "attach_yield", "probe_coverage"),
    }
    drawn = dict(spread.lines())
    names = {"good dies": "good dies (wafer, yield)", "test": "test and module"}
    return tuple(
        SheetRow(
            names.get(name, name), float(amount), "USD",
            sources.get(name) or sources["scrapped dies"],
            _band(drawn[name], spread.total_usd.size),
        )
        for name, amount in modes.lines()
        if float(amount) > 0.0
    )


def _cited(dating: Dating, entities: Sequence[str], *fields: str) -> str:
    """Entity, field and source of facts, as `fabless why` takes them."""
    parts = []
    for entity in entities:
        for field in fields:
            facts = dating.used.get((entity, field), ())
            if facts:
                when = " to ".join(fact.period for fact in facts if fact.period)
                cited = ", ".join(dict.fromkeys(fact.source.id for fact in facts))
                parts.append(f"{entity} {field}{' ' + when if when else ''} [{cited}]")
    return "; ".join(parts) or "none"


def _power_lines(catalogue: Catalogue, chip: Chip, package: Package) -> tuple[SheetRow, ...]:
    """Rated power by the model; nothing where the architecture is not known."""
    silicon = package.silicon
    if silicon is None:
        return ()
    node = package.nodes[0]
    energy = interface(catalogue, chip.memory_type)[1]
    parts = rated_power(
        power_model(catalogue), matrix_flops=silicon.matrix_flops,
        vector_flops=silicon.vector_flops,
        memory_bandwidth=chip.memory_bandwidth if energy else 0.0, memory_j_per_byte=energy or 0.0,
        link_bandwidth=chip.scale_up_bandwidth,
        logic_area_m2=sum(die.count * float(die.area_m2 or 0.0) for die in package.dies),
        energy_scale=node.energy_scale or 1.0,
        clock_ratio=usual_clock_ratio(silicon.clock_hz, node.clock_hz),
    )
    sources = {
        "matrix units": f"{POWER} matrix_energy, {node.name} energy_scale",
        "vector units": f"{POWER} vector_energy", "memory access": f"{chip.memory_type} energy",
        "links": f"{POWER} link_energy", "leakage, clocks, host": f"{POWER} static, fixed_power",
    }
    return tuple(SheetRow(name, float(part), "W", sources[name]) for name, part in parts.lines())


def _nre_lines(
    catalogue: Catalogue, package: Package, nre_class: str, reuse: float, notes: list[str]
) -> tuple[tuple[SheetRow, ...], float | None]:
    """Design and masks of every kind of die, each on its node."""
    factor = catalogue.range(nre_class, "design_factor").mode
    design = masks = 0.0
    try:
        for k, node in enumerate(package.nodes):
            design_usd, mask_usd = node_nre_usd(node)
            # the design cost speaks of a whole chip: its largest kind of die bears it, the others
            # their masks
            first = k == int(np.argmax([die.area_m2 or 0.0 for die in package.dies]))
            nre = nre_cost(design_usd if first else 0.0, mask_usd, class_factor=factor, reuse_share=reuse)
            design, masks = design + float(nre.design_usd), masks + float(nre.masks_usd)
    except BadValue as missing:
        notes.append(f"NRE: {missing.faults[0].place}: {missing.faults[0].found}")
        return (), None
    names = "; ".join(dict.fromkeys(f"{node.name} design_cost, mask_set" for node in package.nodes))
    return (
        SheetRow(
            "design", design, "USD",
            f"{names}; {nre_class} design_factor {factor:g}, reuse {reuse:.0%}",
        ),
        SheetRow("masks", masks, "USD", f"{names}; one set for each kind of die, no spin"),
    ), design + masks


def _carbon(catalogue: Catalogue, package: Package, cost: UnitCost, notes: list[str]) -> SheetRow | None:
    """Emissions of the silicon, the memory and the package; None where the fab's are not known."""
    total, model = 0.0, carbon_model(catalogue)
    lacking = [node.name for node in package.nodes if node.fab_energy_per_m2 is None or node.fab_gas_per_m2 is None]
    if lacking:
        notes.append(f"embodied carbon: no visible fact gives the fab's emissions on {', '.join(lacking)}")
        return None
    for die, node, sold in zip(package.dies, package.nodes, cost.die_yields, strict=True):
        total += float(
            embodied_carbon(
                replace(model, package_kg=0.0),
                silicon_m2=die.count * float(die.area_m2 or 0.0) / float(sold),
                fab_energy_per_m2=node.fab_energy_per_m2 or 0.0,
                fab_gas_per_m2=node.fab_gas_per_m2 or 0.0, memory_bytes=0.0,
                package_yield=float(cost.package_yield),
            )
        )
    rest = embodied_carbon(
        model, silicon_m2=0.0, fab_energy_per_m2=0.0, fab_gas_per_m2=0.0,
        memory_bytes=package.design.memory_bytes, package_yield=float(cost.package_yield),
    )
    return SheetRow("embodied carbon", total + float(rest), "kg", f"{CARBON}, fab_energy and fab_gas of the node [act]")
