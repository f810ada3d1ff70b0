"""Known products: models against published figures, and the calibration from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fabless.catalogue import Catalogue
from fabless.catalogue.facts.timeline import middle_of
from fabless.errors import FablessError
from fabless.records import Array, Chip
from fabless.silicon.area import AreaModel
from fabless.silicon.calibration import Fit, Prior, fit
from fabless.silicon.inputs import AREA, POWER, area_model, densities, interface, process_node_of, silicon_of
from fabless.silicon.package import kinds_of_die
from fabless.silicon.power import usual_clock_ratio
from fabless.silicon.sheet import ChipSheet, chip_sheet
from fabless.units import from_si

AREA_PARAMETERS = ("mac_area", "lane_area", "sram_overhead", "rest_share", "fixed_area")
POWER_PARAMETERS = ("matrix_energy", "vector_energy", "static", "fixed_power")


@dataclass(frozen=True)
class FittedProduct:
    """One product in a table."""

    name: str
    use: str
    """fit | bound | out"""
    known: float
    model: float
    """Value from parameters fitted with the product, or without it if the fit leaves it out."""
    alone: float
    """Value from parameters fitted on the other products only."""


@dataclass(frozen=True)
class SiliconFits:
    """The two fits with their products."""

    area: Fit
    power: Fit
    area_products: tuple[FittedProduct, ...]
    """Die area of the package [m2]."""
    power_products: tuple[FittedProduct, ...]
    """Rated power [W]."""

    def parameters(self, catalogue: Catalogue) -> list[tuple[str, str, float, str, float]]:
        """Entity, field, calibrated value, unit, and the value in the facts (nan where there is
        none)."""
        rows = []
        for entity, names, fitted in ((AREA, AREA_PARAMETERS, self.area), (POWER, POWER_PARAMETERS, self.power)):
            for name, value in zip(names, fitted.parameters, strict=True):
                unit = catalogue.fact(entity, f"prior.{name}").unit
                facts = [fact for fact in catalogue.facts_of(entity) if fact.field == name]
                now = float(facts[-1].value) if facts and isinstance(facts[-1].value, float) else float("nan")
                rows.append((entity, name, from_si(float(value), unit), unit, from_si(now, unit)))
        return rows


def fit_silicon(catalogue: Catalogue) -> SiliconFits:
    """Fit the area and the power model on the products whose `area_use` and `power_use` say so."""
    area, area_products = _fitted(catalogue, "area_use", AREA, names=AREA_PARAMETERS, row_of=_area_row, model=_area)
    power, power_products = _fitted(
        catalogue, "power_use", POWER, names=POWER_PARAMETERS, row_of=_power_row, model=_power)
    return SiliconFits(area, power, area_products, power_products)


def _fitted(
    catalogue: Catalogue, use: str, entity: str, names: Sequence[str],
    row_of: Callable[[Catalogue, Chip], list[float]], model: Callable[[Array, Array], Array],
) -> tuple[Fit, tuple[FittedProduct, ...]]:
    """Fit one model on the products that `use` names, and predict those that it leaves out."""
    chips = [
        (name, str(catalogue.fact(name, use).value))
        for name in catalogue.entities("architecture")
        if any(fact.field == use for fact in catalogue.facts_of(name))
    ]
    rows = np.array([row_of(catalogue, catalogue.chip(name)) for name, _ in chips])
    known, inputs = rows[:, 0], rows[:, 1:]
    inside = np.array([word != "out" for _, word in chips])
    priors = []
    for name in names:
        spread = catalogue.range(entity, f"prior.{name}")
        priors.append(Prior(spread.mode, float(np.log(spread.high / spread.low) / 2)))
    result = fit(model, inputs[inside], known[inside], priors)
    everything = model(result.parameters, inputs)
    alone = everything.copy()
    alone[inside] = result.left_out
    return result, tuple(
        FittedProduct(name, word, float(value), float(said), float(without))
        for (name, word), value, said, without in zip(chips, known, everything, alone, strict=True))


def _area_row(catalogue: Catalogue, chip: Chip) -> list[float]:
    """Known area, then the regressors of `_area`: what does not depend on the calibrated
    parameters."""
    model = area_model(catalogue)
    silicon = silicon_of(catalogue, chip, model)
    assert silicon is not None, chip.name
    dies = kinds_of_die(chip)
    logic, sram = densities(process_node_of(catalogue, chip.node, chip.name))
    base_sram = densities(process_node_of(catalogue, silicon.base_node, chip.name))[1] if silicon.base_node else sram
    scale, content = model.reference_density / logic, silicon.content
    count = silicon.compute_dies + silicon.base_dies
    interfaces = float(np.asarray(content.memory_sites)) * float(np.asarray(content.memory_site_m2))
    links = (float(np.asarray(content.link_bandwidth)) * model.link_m2_per_rate
             + count * float(np.asarray(content.neighbours)) * model.die_to_die_m2)
    return [
        sum(die.count * float(die.area_m2 or 0.0) for die in dies),
        float(np.asarray(content.macs)) * scale, float(np.asarray(content.lanes)) * scale,
        8.0 * float(np.asarray(content.sram_bytes)) / base_sram, interfaces + links,
        float(silicon.base_dies or silicon.compute_dies),
    ]


def _area(parameters: Array, rows: Array) -> Array:
    """The formula of `area.die_blocks`, for the whole package, without rounding."""
    mac, lane, overhead, rest, fixed = parameters
    known = rows[:, 0] * mac + rows[:, 1] * lane + rows[:, 2] * overhead + rows[:, 3]
    return np.asarray(known * (1.0 + rest) + rows[:, 4] * fixed)


def _power_row(catalogue: Catalogue, chip: Chip) -> list[float]:
    """Known power, then the regressors of `_power`."""
    model: AreaModel = area_model(catalogue)
    silicon = silicon_of(catalogue, chip, model)
    assert silicon is not None, chip.name
    node = process_node_of(catalogue, chip.node, chip.name)
    exponent = catalogue.range(POWER, "frequency_exponent").mode
    ratio = usual_clock_ratio(silicon.clock_hz, node.clock_hz)
    scale = float(node.energy_scale or 1.0) * ratio ** (exponent - 1.0)
    energy = interface(catalogue, chip.memory_type)[1] or 0.0
    moved = chip.memory_bandwidth * energy if energy else 0.0
    links = chip.scale_up_bandwidth * catalogue.range(POWER, "link_energy").mode
    area = sum(die.count * float(die.area_m2 or 0.0) for die in kinds_of_die(chip))
    designed = [fact.value for fact in catalogue.facts_of(chip.name) if fact.field == "tdp_design"]
    known = float(designed[-1]) if designed and isinstance(designed[-1], float) else chip.tdp_w
    return [known, silicon.matrix_flops * scale, silicon.vector_flops * scale, area, moved + links]


def _power(parameters: Array, rows: Array) -> Array:
    """The formula of `power.rated_power`."""
    matrix, vector, static, fixed = parameters
    return np.asarray(rows[:, 0] * matrix + rows[:, 1] * vector + rows[:, 2] * static + rows[:, 3] + fixed)


@dataclass(frozen=True, kw_only=True)
class CostRow:
    """A product with a published unit cost."""

    name: str
    low: float
    mode: float
    high: float
    period: str
    source: str
    sheet: ChipSheet | None
    why_not: str


def cost_rows(catalogue: Catalogue) -> tuple[CostRow, ...]:
    """Every product with a published estimate of its unit cost, priced in the middle of the
    estimate's period."""
    rows = []
    for name in catalogue.chips():
        facts = [fact for fact in catalogue.facts_of(name) if fact.field == "unit_cost"]
        if not facts:
            continue
        fact = max(facts, key=lambda fact: (fact.low is not None, fact.known))
        spread = catalogue.range(name, "unit_cost", fact.period)
        sheet, why_not = None, ""
        try:
            sheet = chip_sheet(catalogue, catalogue.chip(name), at=middle_of(fact.period))
        except FablessError as error:
            why_not = f"{error.faults[0].place}: {error.faults[0].found}"
        rows.append(CostRow(
            name=name, low=spread.low, mode=spread.mode, high=spread.high, period=fact.period,
            source=fact.source.id, sheet=sheet, why_not=why_not))
    return tuple(rows)


def silicon_results_page(catalogue: Catalogue, calibration: SiliconFits) -> str:
    """The page docs/results/silicon.md."""
    parts = [
        "# Silicon: model against known products", "",
        "Made by `python docs/silicon_results.py`; a test holds it current.", "", "## Unit cost",
        "",
        "Each product at the prices and the defect density of the year that the estimate speaks of. No vendor publishes a "
        "unit cost: the published side is analysts' work. No parameter is fitted to a product; the price of the packaging "
        "service and of test come from build-ups of H100 and B200, so those two lines are not independent there. All "
        "other products are left out and predicted.",
        "",
        "| product | year | model P50 (P10 to P90) [USD] | published (range) [USD] | difference | inside the range |",
        "|---|---|---|---|---|---|",
        *_cost_table(cost_rows(catalogue)),
        "",
        "## Die area from architecture",
        "",
        "All dies of the package. *alone*: predicted from parameters fitted on the other products. *out*: never used in a "
        "fit. *bound*: the vendor publishes only that the die is smaller.",
        "",
        "| product | use | known [mm2] | model [mm2] | error | alone | error alone |",
        "|---|---|---|---|---|---|---|",
        *_product_table(calibration.area_products, 1e6),
        "",
        _summary(calibration.area_products),
        "",
        "## Rated power from architecture",
        "",
        "| product | use | known [W] | model [W] | error | alone | error alone |",
        "|---|---|---|---|---|---|---|",
        *_product_table(calibration.power_products, 1.0),
        "",
        _summary(calibration.power_products),
        "",
        "## Calibrated parameters",
        "",
        "| parameter | before the products | calibrated | unit |",
        "|---|---|---|---|",
        *_parameter_table(catalogue, calibration),
        "",
    ]
    return "\n".join(parts)


def _parameter_table(catalogue: Catalogue, calibration: SiliconFits) -> list[str]:
    rows = []
    for entity, field, value, unit, _ in calibration.parameters(catalogue):
        before = from_si(catalogue.range(entity, f"prior.{field}").mode, unit)
        rows.append(f"| {entity} {field} | {before:.4g} | {value:.4g} | {unit} |")
    return rows


def _cost_table(rows: Sequence[CostRow]) -> list[str]:
    lines, inside, close = [], 0, 0
    for row in rows:
        published = f"{row.mode:,.0f}" + (f" ({row.low:,.0f} to {row.high:,.0f})" if row.low < row.high else "")
        if row.sheet is None:
            lines.append(f"| {row.name} | {row.period} | not modelled: {row.why_not} | {published} | | |")
            continue
        band = row.sheet.unit_cost
        fits = row.low <= band.p50 <= row.high
        overlaps = band.p10 <= row.high and band.p90 >= row.low
        inside, close = inside + fits, close + overlaps
        lines.append(
            f"| {row.name} | {row.period} | {band.p50:,.0f} ({band.p10:,.0f} to {band.p90:,.0f}) | {published} | "
            f"{band.p50 / row.mode - 1:+.0%} | {'yes' if fits else 'bands meet' if overlaps else 'no'} |"
        )
    modelled = [row for row in rows if row.sheet is not None]
    errors = [abs(row.sheet.unit_cost.p50 / row.mode - 1) for row in modelled if row.sheet]
    lines += [
        "",
        f"{inside} of {len(modelled)} medians lie inside the published range, {close} bands meet it; the median "
        f"difference from the published central value is {np.median(errors):.0%}.",
    ]
    return lines


def _product_table(products: Sequence[FittedProduct], factor: float) -> list[str]:
    return [
        f"| {product.name} | {product.use} | {product.known * factor:,.0f} "
        f"| {product.model * factor:,.0f} | {product.model / product.known - 1:+.0%} "
        f"| {product.alone * factor:,.0f} | {product.alone / product.known - 1:+.0%} |"
        for product in products
    ]


def _summary(products: Sequence[FittedProduct]) -> str:
    errors = np.array([abs(product.alone / product.known - 1) for product in products])
    out = ", ".join(
        f"{product.name} {product.alone / product.known - 1:+.0%}" for product in products if product.use == "out"
    )
    return (
        f"Predicted without itself, a product is off by {np.median(errors):.0%} in the median and by "
        f"{errors.max():.0%} at most; never used in a fit: {out}."
    )
