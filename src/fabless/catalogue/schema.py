"""What a case file may hold: one strict class a section, one docstring a field.

A field marked `Unit(...)` is a number with a range; its dotted path is its name everywhere else (`demand.growth`,
`lines.nvidia-owned.price`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from fabless.records import Grade


@dataclass(frozen=True)
class Unit:
    """The unit in which a number of the case is understood when it is printed."""

    name: str
    low: float = 0.0
    """Smallest value allowed, in this unit."""
    high: float = float("inf")


class Strict(BaseModel):
    """No unknown keys, no change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Number(Strict):
    """A number: `{low, mode, high}`, `{value}` or `{fact: entity.field}`."""

    value: float | None = None
    low: float | None = None
    mode: float | None = None
    high: float | None = None
    fact: str | None = None
    period: str | None = None
    unit: str | None = None
    scale: Literal["linear", "log"] = "linear"
    grade: Grade = Grade.ASSUMPTION
    source: str = "case"
    note: str = ""


Share = Annotated[Number, Unit("1", 0.0, 1.0)]
Multiple = Annotated[Number, Unit("1")]
Month = Annotated[Number, Unit("month")]
Week = Annotated[Number, Unit("week")]
Dollar = Annotated[Number, Unit("USD")]
DollarYear = Annotated[Number, Unit("USD/year")]
Count = Annotated[Number, Unit("chip")]


class TreeShape(Strict):
    """When news arrives, and into how many branches it splits."""

    boundaries: tuple[int, ...]
    """Quarters, counted from the first, at which news arrives."""
    branching: tuple[int, ...]
    """Branches at each of them."""
    persistence: float = Field(default=0.7, ge=0.0, lt=1.0)
    """Correlation of a growth rate with its own value before the news."""


class Risk(Strict):
    """How much the worst scenarios count."""

    weight: float = Field(ge=0.0, lt=1.0)
    level: float = Field(gt=0.0, lt=1.0)
    tolerated_shortage: float = Field(ge=0.0, lt=1.0)


class Finance(Strict):
    """What money costs."""

    real_rate: Share


class Demand(Strict):
    """Queries and the work behind one of them."""

    queries: Annotated[Number, Unit("query/day")]
    growth: Multiple
    growth_long_run: Multiple
    growth_fade: Annotated[Number, Unit("year")]
    ceiling: Annotated[Number, Unit("query/day")]
    """Queries at which growth ends, whatever its rate."""
    value_decline: Share
    """Of the price of unserved work, a year."""
    work_level: Multiple
    work_trend: Multiple
    load_factor: Annotated[Number, Unit("1", 1e-6, 1.0)]


class InferenceLoad(Strict):
    """Queries of one class, answered by one model."""

    kind: Literal["inference"]
    model: str
    """A name of `fabless models`, or the path of a Hugging Face config.json."""
    trace: str | None = None
    """An embedded trace or the path of a CSV; else give input_tokens and output_tokens."""
    input_tokens: float | None = Field(default=None, gt=0)
    output_tokens: float | None = Field(default=None, gt=0)
    precision: str
    kv_precision: str
    tpot: str
    ttft: str
    share: Share | None = None
    """Share of all queries; one load may leave it out and takes the rest."""
    unserved_price: Annotated[Number, Unit("USD/query")]


class TrainingLoad(Strict):
    """Research and training, by FLOP."""

    kind: Literal["training"]
    precision: str = "bf16"
    flop: Annotated[Number, Unit("FLOP")]
    """Work of the first quarter."""
    growth: Multiple
    utilisation: Annotated[Number, Unit("1", 1e-6, 1.0)]
    unserved_price: Annotated[Number, Unit("USD/PFLOP")]


class Existing(Strict):
    """The fleet in place on the first day."""

    chip: str
    vendor: str
    count: Count
    price: Annotated[Number, Unit("USD/h")]
    years: Annotated[Number, Unit("year")]


class Owning(Strict):
    """What owning a chip costs beside the chip."""

    colocation: Annotated[Number, Unit("USD/kW/month")]
    electricity: Annotated[Number, Unit("USD/kWh")]
    pue: Annotated[Number, Unit("1", 1.0)]
    server_power: Annotated[Number, Unit("1", 1.0)]
    server_cost: Dollar
    """Server and network of one chip."""
    installation: Month
    """Delivery to running."""
    life: Annotated[Number, Unit("year", 0.25)]
    residual: Share
    upkeep: Share


class Supply(Strict):
    """Two regimes, scarce and normal, as a Markov chain by quarter."""

    scarce_at_start: Share
    """1 when supply is scarce on the first day, 0 when it is normal."""
    scarce_duration: Month
    normal_duration: Month
    scarce_allotment: Multiple
    scarce_price: Multiple


class LineSection(Strict):
    """A product line that can be bought or rented; what it leaves out it takes from the line it is `like`."""

    like: str | None = None
    vendor: str | None = None
    chip: str | None = None
    how: Literal["buy", "rent"] | None = None
    ways: tuple[str, ...]
    """The ways that open the line; the portfolio opens every line."""
    first_quarter: str | None = None
    term: str | None = None
    """Length of a rental contract; bought chips serve for `owning.life`."""
    prepaid: bool = False
    """Paid at the order instead of at delivery."""
    successors: int | None = Field(default=None, ge=0, le=6)
    """Coming generations that the plan may order."""
    price: Number | None = None
    """USD a chip when bought, USD an hour when rented."""
    price_decline: Share | None = None
    """Of the same chip, a year."""
    discount: Share | None = None
    """Off that price."""
    allotment: Count | None = None
    """Most chips a quarter in normal supply, at the start."""
    allotment_growth: Multiple | None = None
    """Multiple of that in the first year; it fades as demand growth does."""
    lead_normal: Week | None = None
    lead_scarce: Week | None = None
    efficiency: Multiple | None = None
    """Delivered throughput over what the performance model gives; 1 where left out."""
    port: DollarYear | None = None
    """Spend on a second software stack while the line is open."""
    successor_first: Month | None = None
    """From the first quarter to the next generation in volume."""
    successor_gap: Month | None = None
    successor_gain: Multiple | None = None
    successor_price: Multiple | None = None
    successor_power: Multiple | None = None


class Counts(Strict):
    """A rate by its pseudo-counts: events seen plus the prior's."""

    failed: float = Field(ge=0)
    passed: float = Field(ge=0)


class ProgrammeSection(Strict):
    """A chip programme that a way can start on the first day."""

    route: Literal["build", "co-design", "acquire", "partner"]
    ways: tuple[str, ...]
    chip: str
    trains: bool
    deal: Month
    """Decision to the start of work."""
    design: Month
    """Start of work to tape-out, as planned."""
    fab: Month
    """Tape-out to first silicon."""
    qualification: Month
    """Good silicon to volume, as planned."""
    slip: Multiple
    """Actual over planned time of design and qualification."""
    first_silicon_good: Share
    respin_good: Share
    metal_respin_share: Share
    metal_respin: Month
    full_respin: Month
    metal_respin_cost: Dollar
    full_respin_cost: Dollar
    spin_limit: int = Field(ge=1)
    ended: Counts
    """Programmes of the reference class that ended before volume, and that reached it."""
    end_shares: tuple[float, float, float]
    """Of those that end: in design, after tape-out, after a small deployment."""
    bid_failed: Counts
    performance: Multiple
    """Delivered over planned performance."""
    scope_cut: Share
    """Chance that training is dropped on the way."""
    team: DollarYear
    support_share: Share
    """Share of the team's spend that goes on after volume."""
    masks: Dollar
    design_cost: Dollar
    software: Dollar
    purchase: Dollar
    margin: Share
    """Gross margin of whoever makes the chip for the company."""
    allotment: Count
    """Chips in the first quarter of volume."""
    allotment_growth: Multiple
    successor_gap: Month
    """To the next generation of the programme."""
    successor_gain: Multiple
    successor_price: Multiple
    successor_power: Multiple


class CaseFile(Strict):
    """A whole case."""

    name: str
    title: str
    as_of: dt.date
    first_quarter: str
    quarters: int = Field(ge=4, le=80)
    price_year: int
    seed: int = Field(ge=0)
    dominant_vendor: str
    tree: TreeShape
    risk: Risk
    finance: Finance
    demand: Demand
    loads: dict[str, InferenceLoad | TrainingLoad]
    existing: Existing
    owning: Owning
    supply: Supply
    lines: dict[str, LineSection]
    chips: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Chips that the catalogue does not have, each as a chip file would state it."""
    programmes: dict[str, ProgrammeSection] = Field(default_factory=dict)


def section_of(section: type[BaseModel], key: str) -> type[BaseModel] | None:
    """Class of the section that `key` opens inside `section`, or None where it opens none."""
    if key not in section.model_fields:
        return None
    found = [kind for kind in _classes(section.model_fields[key].annotation) if issubclass(kind, BaseModel)]
    return found[0] if found else None


def _classes(annotation: object) -> list[type]:
    if isinstance(annotation, type) and not get_args(annotation):
        return [annotation]
    return [kind for part in get_args(annotation) for kind in _classes(part)]


def numbers_of(section: BaseModel, path: str = "") -> Iterator[tuple[str, Number, Unit]]:
    """Every number marked with a unit: dotted path, number, unit."""
    for key, info in type(section).model_fields.items():
        value = getattr(section, key)
        here = f"{path}.{key}" if path else key
        unit = _unit(info.metadata, info.annotation)
        if isinstance(value, Number) and unit is not None:
            yield here, value, unit
        elif isinstance(value, dict):
            for name, item in value.items():
                if isinstance(item, BaseModel):
                    yield from numbers_of(item, f"{here}.{name}")
        elif isinstance(value, BaseModel) and not isinstance(value, Number):
            yield from numbers_of(value, here)


def _unit(metadata: Iterable[object], annotation: object) -> Unit | None:
    """Unit of a number, which pydantic keeps beside the field, or inside it where the field may be left out."""
    marks = [*metadata, *(mark for part in get_args(annotation) for mark in getattr(part, "__metadata__", ()))]
    return next((mark for mark in marks if isinstance(mark, Unit)), None)
