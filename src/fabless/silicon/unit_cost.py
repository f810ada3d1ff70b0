"""Manufacturing cost of one packaged chip, line by line, and the price of a design partner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from fabless.checks import Bound, number, require
from fabless.errors import BadValue, DoesNotFit, Fault
from fabless.records import Array, MemoryType, Packaging, ProcessNode, Range
from fabless.sampling import draw
from fabless.silicon.design import Design
from fabless.silicon.die_yield import harvested_yield
from fabless.silicon.geometry import dies_per_wafer_of_area, interposers_per_wafer


@dataclass(frozen=True)
class Wafer:
    """A processed logic wafer: its price [USD], defect density [1/m2] and clustering [1]; they
    broadcast."""

    price_usd: ArrayLike
    defect_density: ArrayLike
    clustering: ArrayLike


_CHEAPER_WHEN_HIGH = frozenset({"attach_yield", "probe_coverage"})
"""Ranges whose high end makes the chip cheap. Clustering is not among them: a higher alpha lowers
the yield."""


@dataclass(frozen=True, kw_only=True)
class CostInputs:
    """The numbers that price a design; all broadcast, so one value may be a column of draws.

    `wafers` holds one wafer for all dies of the design, or one for each kind of die.
    """

    wafers: tuple[Wafer, ...]
    memory_usd_per_byte: ArrayLike | None
    """None for designs without bought memory; a design with memory then is an error."""
    interposer_wafer_usd: ArrayLike | None
    """Packaging service for one wafer of interposers; None for packages without one."""
    interposer_area_ratio: ArrayLike
    """Interposer area over that of dies and stacks [1]."""
    attach_yield: ArrayLike
    """Share of packages that survive the attachment of one die or stack [1]."""
    probe_coverage: ArrayLike
    """Share of bad dies that the test on the wafer finds [1]."""
    substrate_usd: ArrayLike
    test_usd: ArrayLike

    @classmethod
    def of(
        cls,
        node: ProcessNode | Sequence[ProcessNode],
        memory: MemoryType | None,
        packaging: Packaging,
        end: Literal["cheap", "mode", "dear"] = "mode",
    ) -> CostInputs:
        """Take every range at its mode, or at the end that makes the chip cheap or dear."""
        if end not in ("cheap", "mode", "dear"):
            raise BadValue(
                Fault("end", repr(end), "cheap, mode or dear", "choose one of the three")
            )

        def pick(name: str, spread: Range) -> float:
            if end == "mode":
                return spread.mode
            return spread.high if (end == "cheap") == (name in _CHEAPER_WHEN_HIGH) else spread.low

        ranges = _ranges(_nodes(node), memory, packaging)
        return cls._build(
            {name: pick(name, spread) for name, spread in ranges.items()}, len(_nodes(node))
        )

    @classmethod
    def draws(
        cls,
        node: ProcessNode | Sequence[ProcessNode],
        memory: MemoryType | None,
        packaging: Packaging,
        count: int,
        rng: np.random.Generator,
    ) -> CostInputs:
        """Draw `count` joint values of every range, independently; each input then has shape
        (count,)."""
        values = draw(_ranges(_nodes(node), memory, packaging), count, rng)
        return cls._build(values, len(_nodes(node)))

    @classmethod
    def _build(cls, values: Mapping[str, ArrayLike], nodes: int) -> CostInputs:
        wafers = tuple(
            Wafer(
                values[f"{k}.wafer_price_usd"], values[f"{k}.defect_density"],
                values[f"{k}.clustering"],
            )
            for k in range(nodes)
        )
        return cls(
            wafers=wafers,
            memory_usd_per_byte=values.get("memory_usd_per_byte"),
            interposer_wafer_usd=values.get("interposer_wafer_usd"),
            interposer_area_ratio=values["interposer_area_ratio"],
            attach_yield=values["attach_yield"],
            probe_coverage=values["probe_coverage"],
            substrate_usd=values["substrate_usd"],
            test_usd=values["test_usd"],
        )


def _nodes(node: ProcessNode | Sequence[ProcessNode]) -> tuple[ProcessNode, ...]:
    return (node,) if isinstance(node, ProcessNode) else tuple(node)


def _ranges(
    nodes: tuple[ProcessNode, ...], memory: MemoryType | None, packaging: Packaging
) -> dict[str, Range]:
    ranges: dict[str, Range] = {}
    for k, node in enumerate(nodes):
        ranges[f"{k}.wafer_price_usd"] = node.wafer_price_usd
        ranges[f"{k}.defect_density"] = node.defect_density
        ranges[f"{k}.clustering"] = node.clustering
    if memory is not None:
        ranges["memory_usd_per_byte"] = memory.price_usd_per_byte
    if packaging.interposer_wafer_usd is not None:
        ranges["interposer_wafer_usd"] = packaging.interposer_wafer_usd
    return ranges | {
        "interposer_area_ratio": packaging.interposer_area_per_die_area,
        "attach_yield": packaging.attach_yield,
        "probe_coverage": packaging.probe_coverage,
        "substrate_usd": packaging.substrate_usd,
        "test_usd": packaging.test_usd,
    }


@dataclass(frozen=True, kw_only=True)
class UnitCost:
    """Manufacturing cost of one packaged chip [USD], by line; each line has the broadcast shape of
    the inputs."""

    good_dies_usd: Array
    """Dies that passed the test on the wafer."""
    memory_usd: Array
    packaging_usd: Array
    substrate_usd: Array
    test_usd: Array
    scrapped_dies_usd: Array
    """Dies lost in packages that fail."""
    scrapped_memory_usd: Array
    scrapped_rest_usd: Array
    """Service, substrate and test lost in packages that fail."""
    total_usd: Array
    price_usd: Array
    """Price of a design partner: total / (1 - margin)."""
    die_yields: tuple[Array, ...]
    """Sellable share of each kind of die."""
    dies_per_wafer: tuple[Array, ...]
    """Dies of each kind that a wafer holds."""
    package_yield: Array
    """Share of packages that work: every attachment holds and no bad die has slipped through."""
    interposer_area_m2: Array

    def lines(self) -> tuple[tuple[str, Array], ...]:
        """Name and amount of every line that adds up to the total."""
        return (
            ("good dies", self.good_dies_usd),
            ("memory", self.memory_usd),
            ("packaging service", self.packaging_usd),
            ("substrate", self.substrate_usd),
            ("test", self.test_usd),
            ("scrapped dies", self.scrapped_dies_usd),
            ("scrapped memory", self.scrapped_memory_usd),
            ("other scrap", self.scrapped_rest_usd),
        )


def unit_cost(design: Design, inputs: CostInputs, *, partner_margin: ArrayLike = 0.0) -> UnitCost:
    """Roll up the cost of one packaged chip.

        passed  = Y + (1 - Y)(1 - coverage),   parts = sum(count * wafer price / (dies per wafer * passed))
                  + bytes * price + wafer price of the service / interposers per wafer + substrate + test
        package = attach yield ^ (dies + stacks) * product over dies of (Y / passed) ^ count
        total   = parts / package,   price = total / (1 - margin)

    Assembly is chip-last and a package that fails loses all its parts, the memory too: scrap =
    parts (1 / package - 1). The packaging is bought at its service price, not built from silicon
    cost; it takes no part in designs without interposer.

    Parameters: `design`; `inputs`, whose numbers broadcast; `partner_margin` gross margin of the design partner on the
    chip [1], in [0, 1). Limits: with free wafers and perfect yields the total is the sum of what is
    bought. Raises `BadValue` with every number out of range. Source of the structure: Feng and Ma,
    Chiplet Actuary, DAC 2022.
    """
    wafers = inputs.wafers * len(design.dies) if len(inputs.wafers) == 1 else inputs.wafers
    if len(wafers) != len(design.dies):
        raise BadValue(
            Fault(
                "unit_cost: wafers", f"{len(wafers)} wafers for {len(design.dies)} kinds of die",
                "one for all, or one for each kind", "give the process node of each kind of die",
            )
        )
    _check(design, inputs, partner_margin)
    counts = tuple(dies_per_wafer_of_area(die.area_m2, die.aspect_ratio) for die in design.dies)
    yields = tuple(
        harvested_yield(
            number(die.area_m2) * number(wafer.defect_density),
            wafer.clustering,
            die.units,
            die.units_needed,
            die.repairable_share,
        )
        for die, wafer in zip(design.dies, wafers, strict=True)
    )
    coverage = number(inputs.probe_coverage)
    passed = [sellable + (1.0 - sellable) * (1.0 - coverage) for sellable in yields]
    dies = [
        number(die.count) * number(wafer.price_usd) / (count * share)
        for die, wafer, count, share in zip(design.dies, wafers, counts, passed, strict=True)
    ]
    package = number(inputs.attach_yield) ** design.attachments
    for die, sellable, share in zip(design.dies, yields, passed, strict=True):
        package = package * (sellable / share) ** number(die.count)
    interposer, service = _packaging(design, inputs)
    memory_price = 0.0 if inputs.memory_usd_per_byte is None else inputs.memory_usd_per_byte
    good_dies, memory, packaging, substrate, test, package, interposer = np.broadcast_arrays(
        sum(dies, number(0.0)),
        number(design.memory_bytes) * number(memory_price),
        service,
        number(inputs.substrate_usd),
        number(inputs.test_usd),
        package,
        interposer,
    )
    lost = 1.0 / package - 1.0
    rest = packaging + substrate + test
    total = (good_dies + memory + rest) / package
    return UnitCost(
        good_dies_usd=good_dies,
        memory_usd=memory,
        packaging_usd=packaging,
        substrate_usd=substrate,
        test_usd=test,
        scrapped_dies_usd=good_dies * lost,
        scrapped_memory_usd=memory * lost,
        scrapped_rest_usd=rest * lost,
        total_usd=total,
        price_usd=total / (1.0 - number(partner_margin)),
        die_yields=yields,
        dies_per_wafer=counts,
        package_yield=package,
        interposer_area_m2=interposer,
    )


def _packaging(design: Design, inputs: CostInputs) -> tuple[Array, Array]:
    """Area of the interposer [m2] and price of the service for it [USD]; zero both where there is
    none."""
    if inputs.interposer_wafer_usd is None:
        return number(0.0), number(0.0)
    stated = design.interposer_area_m2
    area = (
        number(inputs.interposer_area_ratio) * design.placed_area_m2
        if stated is None
        else number(stated)
    )
    interposers = interposers_per_wafer(area)
    if np.any(interposers < 1):
        raise DoesNotFit(
            Fault(
                "unit_cost: interposer",
                f"{float(np.max(area)) * 1e6:,.0f} mm2 is more than a wafer holds",
                "an interposer that fits a wafer", "place fewer dies or stacks in one package",
            )
        )
    return area, number(inputs.interposer_wafer_usd) / interposers


def _check(design: Design, inputs: CostInputs, partner_margin: ArrayLike) -> None:
    if np.any(number(design.memory_bytes) > 0) and inputs.memory_usd_per_byte is None:
        memory = np.max(number(design.memory_bytes))
        raise BadValue(
            Fault(
                "unit_cost: memory_usd_per_byte", f"none, for a design with {memory:g} bytes",
                "a price in USD per byte", "give the memory type of the design",
            )
        )
    memory_price = 0.0 if inputs.memory_usd_per_byte is None else inputs.memory_usd_per_byte
    bounds = []
    for k, wafer in enumerate(inputs.wafers):
        bounds += [
            Bound(
                f"wafers[{k}].price_usd", wafer.price_usd, 0, 1e7,
                "give the price of one processed wafer",
            ),
            Bound(
                f"wafers[{k}].defect_density", wafer.defect_density, 0, 1e8,
                "give defects per m2 (1/cm2 = 1e4/m2)",
            ),
        ]
    require(
        "unit_cost",
        *bounds,
        Bound("memory_usd_per_byte", memory_price, 0, 1e-3, "give USD per byte (1 USD/GB = 1e-9)"),
        Bound(
            "interposer_wafer_usd",
            0.0 if inputs.interposer_wafer_usd is None else inputs.interposer_wafer_usd, 0, 1e7,
            "give USD for one wafer of interposers",
        ),
        Bound(
            "interposer_area_ratio", inputs.interposer_area_ratio, 0, 100,
            "give interposer area over placed area",
        ),
        Bound("attach_yield", inputs.attach_yield, 0, 1, "give a share in (0, 1]", open_low=True),
        Bound("probe_coverage", inputs.probe_coverage, 0, 1, "give a share between 0 and 1"),
        Bound("substrate_usd", inputs.substrate_usd, 0, 1e6, "give the price of one substrate"),
        Bound("test_usd", inputs.test_usd, 0, 1e6, "give the cost of testing one package"),
        Bound(
            "partner_margin", partner_margin, 0, 0.99, "give the gross margin as a share below 1"
        ),
    )
