"""What a case file may hold: one strict class a section, one docstring a field.

A field marked `Unit(...)` is a number with a range; its dotted path is its name everywhere else
(`demand.growth`, `lines.nvidia-owned.price`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, Field

from fabless.catalogue.case.fields import (
    Count,
    Decline,
    Dollar,
    DollarYear,
    Month,
    Multiple,
    Name,
    Number,
    Precision,
    QuarterText,
    Real,
    Share,
    Strict,
    Unit,
    Ways,
    Week,
    Whole,
)
from fabless.catalogue.case.schema_contract import ContractSection
from fabless.catalogue.case.schema_market import CorrelationItem, LimitsSection, PoolSection, ShockSection
from fabless.catalogue.case.schema_programme import ProgrammeSection


class TreeShape(Strict):
    """When news arrives, and into how many branches it splits."""

    boundaries: Annotated[tuple[Whole, ...], Field(min_length=1)]
    """Quarters, counted from the first, at which news arrives."""
    branching: tuple[Whole, ...]
    """Branches at each of them."""


class NewsSection(Strict):
    """How the news of uncertain numbers comes through time. A number may state its own kind under
    `news`: today, gradual or moves."""

    learning: str = "18 month"
    """Time after which half is known of what is learnt gradually, such as prices and allotments."""
    persistence: Real = Field(default=0.75, ge=0.0, lt=1.0)
    """Correlation of a rate that moves, such as growth, with its own value a year before."""


class Risk(Strict):
    """How much the worst scenarios count."""

    weight: Real = Field(ge=0.0, lt=1.0)
    level: Real = Field(gt=0.0, lt=1.0)
    tolerated_shortage: Real = Field(ge=0.0, lt=1.0)


class Finance(Strict):
    """What money costs."""

    real_rate: Share


class Demand(Strict):
    """Queries and the work behind one of them."""

    queries: Annotated[Number, Unit("query/day", above=True)]
    growth: Multiple
    growth_long_run: Multiple
    growth_fade: Annotated[Number, Unit("year", above=True)]
    ceiling: Annotated[Number, Unit("query/day", above=True)]
    """Queries at which growth ends, whatever its rate."""
    value_decline: Decline
    """Yearly decline of the price of unserved work, and of what a query brings in."""
    work_level: Multiple
    work_trend: Multiple
    load_factor: Annotated[Number, Unit("1", 0.0, 1.0, above=True)]


class InferenceLoad(Strict):
    """Queries of one class, answered by one model."""

    kind: Literal["inference"]
    title: str = ""
    """What people call the load; by its model where left out."""
    model: str
    """A name of `fabless models`, or the path of a Hugging Face config.json."""
    trace: str | None = None
    """An embedded trace or the path of a CSV; else give input_tokens and output_tokens."""
    input_tokens: Real | None = Field(default=None, ge=1)
    output_tokens: Real | None = Field(default=None, ge=1)
    precision: Precision
    kv_precision: Precision
    tpot: str
    ttft: str
    share: Share | None = None
    """Share of all queries, in the first quarter; one load may leave it out and takes the rest."""
    share_later: Share | None = None
    """Share that it moves to in the long run; the share stays where left out."""
    share_time: Annotated[Number, Unit("year", above=True)] | None = None
    """Time after which 1 - 1/e of the way there is gone; stated with `share_later`."""
    unserved_price: Annotated[Number, Unit("USD/query")]
    revenue: Annotated[Number, Unit("USD/query")] | None = None
    """What a served query brings in, in the first quarter; it falls by `demand.value_decline`. The
    answer states the margin; nothing is decided by it but the cash of `limits.revenue_share`."""
    work: Multiple | None = None
    """Work of a query of this load over what the performance model gives; `demand.work_level` and
    `demand.work_trend`, for all loads, come on top. 1 where left out."""


class TrainingLoad(Strict):
    """Research and training, by FLOP."""

    kind: Literal["training"]
    title: str = ""
    """What people call the load; `training` where left out."""
    precision: Precision = "bf16"
    flop: Annotated[Number, Unit("FLOP")]
    """Work of the first quarter."""
    growth: Multiple
    """Multiple in the first year."""
    growth_long_run: Multiple | None = None
    """Multiple a year to which its growth fades; that of demand where left out."""
    growth_fade: Annotated[Number, Unit("year", above=True)] | None = None
    """Time constant of the fading; that of demand where left out."""
    utilisation: Annotated[Number, Unit("1", 0.0, 1.0, above=True)]
    unserved_price: Annotated[Number, Unit("USD/PFLOP")]


class Existing(Strict):
    """The fleet in place on the first day."""

    chip: str
    vendor: str
    count: Count
    price: Annotated[Number, Unit("USD/h")]
    years: Annotated[Number, Unit("year", above=True)]


class CaseOwningSection(Strict):
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
    resale: Share | None = None
    """Share of its remaining annuities, at the price of a new chip then, for which a bought chip
    can be sold before the end of its life; left out, chips are kept to its end."""


class Supply(Strict):
    """Two regimes, scarce and normal, as a Markov chain by quarter."""

    scarce_at_start: Share
    """1 when supply is scarce on the first day, 0 when it is normal."""
    scarce_duration: Annotated[Number, Unit("month", 3.0)]
    normal_duration: Annotated[Number, Unit("month", 3.0)]
    scarce_allotment: Annotated[Number, Unit("1")]
    scarce_price: Multiple
    scarce_again: Share | None = None
    """Chance that a coming generation of the dominant vendor, in the quarter in which it arrives,
    begins a new scarce spell where supply is normal; 0 where left out. Arrivals are those of its
    first bought line with successors."""
    concession: Share | None = None
    """Share of its prices that the dominant vendor gives way by to a buyer with a credible chip
    programme or second vendor; no plan counts on it."""
    growth_long_run: Multiple | None = None
    """Multiple a year to which the growth of allotments and of world supply fades; that of the
    case's demand where left out."""
    growth_fade: Annotated[Number, Unit("year", above=True)] | None = None
    """Time constant of that fading; that of demand where left out."""


class LineSection(Strict):
    """A product line that can be bought or rented; what it leaves out it takes from the line it is
    `like`."""

    like: str | None = None
    title: str = ""
    """What people call the line; by its chip and seller where left out. Never that of the line it
    is like."""
    vendor: str | None = None
    """Maker of the chip."""
    seller: str | None = None
    """Who sells the chip or rents it out, such as a cloud; the vendor where left out."""
    chip: str | None = None
    how: Literal["buy", "rent"] | None = None
    ways: Ways
    """The ways that open the line; the portfolio opens every line, a way of the case's own those
    that it states."""
    first_quarter: QuarterText | None = None
    term: str | None = None
    """Length of a rental contract; bought chips serve for `owning.life`."""
    prepaid: bool = False
    """Paid at the order instead of at delivery, for bought chips."""
    successors: Whole | None = Field(default=None, ge=0, le=6)
    """Coming generations that the plan may order."""
    price: Number | None = None
    """USD a chip when bought, USD an hour when rented."""
    price_decline: Decline | None = None
    """Yearly decline of the price of one chip."""
    discount: Share | None = None
    """Discount off the price."""
    allotment: Count | None = None
    """Most chips a quarter in normal supply, at the start."""
    allotment_growth: Multiple | None = None
    """Multiple of that in the first year; it fades as `supply` states."""
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
    successor_slip: Multiple | None = None
    """Actual over usual wait for a generation, drawn for each anew; 1 where left out."""
    successor_gain_spread: Multiple | None = None
    """Gain of one generation over the usual gain, drawn for each anew; 1 where left out."""


class WaySection(Strict):
    """A way of the case's own: what it allows and what it commits to.

    It may open the lines that pass `lines`, `vendors` and `how` together (every line where none is
    given), and those that name it in their `ways`.
    """

    title: str = ""
    """What people call the way; its key where left out."""
    lines: tuple[str, ...] | None = None
    vendors: tuple[str, ...] | None = None
    """Vendors or sellers of lines."""
    how: Literal["buy", "rent"] | None = None
    contracts: tuple[str, ...] | None = None
    """Contracts that the way may sign; those of its lines where left out."""
    commits: tuple[str, ...] = ()
    """Programmes one of which the way starts on the first day: the best is chosen."""
    may_start: tuple[str, ...] = ()
    """Programmes that the way may start, now or later, or never."""


class CaseFile(Strict):
    """A whole case."""

    name: Name
    title: str
    as_of: dt.date
    first_quarter: QuarterText
    quarters: Whole = Field(ge=4, le=80)
    price_year: Whole = Field(ge=1990, le=2100)
    seed: Whole = Field(ge=0)
    dominant_vendor: str
    tree: TreeShape
    news: NewsSection = NewsSection()
    risk: Risk
    finance: Finance
    demand: Demand
    loads: dict[Name, Annotated[InferenceLoad | TrainingLoad, Field(discriminator="kind")]] = Field(min_length=1)
    existing: Existing
    owning: CaseOwningSection
    supply: Supply
    lines: dict[Name, LineSection] = Field(min_length=1)
    chips: dict[Name, dict[str, Any]] = Field(default_factory=dict)
    """Chips that the catalogue does not have, each as a chip file would state it."""
    programmes: dict[Name, ProgrammeSection] = Field(default_factory=dict)
    contracts: dict[Name, ContractSection] = Field(default_factory=dict)
    ways: dict[Name, WaySection] = Field(default_factory=dict)
    """Ways of the case's own, compared with the standard ones."""
    shocks: dict[Name, ShockSection] = Field(default_factory=dict)
    pools: dict[Name, PoolSection] = Field(default_factory=dict)
    """World supply that caps what all lines and programmes can get together."""
    correlations: tuple[CorrelationItem, ...] = ()
    limits: LimitsSection = LimitsSection()
    hindsight: dict[str, str] = Field(default_factory=dict)
    """Why something is used that was published after `as_of`: by the name of an input, the
    beginning of one at a dot, or a source."""


def keys_at(location: tuple[int | str, ...], file: type[BaseModel] = CaseFile) -> list[str]:
    """Keys of the section at a location of a file as pydantic gives it: field, name or kind of load
    by turns."""
    section = file
    parts = iter(location)
    for part in parts:
        annotation = section.model_fields[str(part)].annotation
        kinds = [kind for kind in _classes(annotation) if issubclass(kind, BaseModel)]
        if get_origin(annotation) in (dict, tuple):
            next(parts, None)
        section = TrainingLoad if part == "loads" and next(parts, None) == "training" else kinds[0]
    return list(section.model_fields)


def _classes(annotation: object) -> list[type]:
    if isinstance(annotation, type) and not get_args(annotation):
        return [annotation]
    return [kind for part in get_args(annotation) for kind in _classes(part)]


def numbers_of(section: BaseModel, path: str = "") -> Iterator[tuple[str, Number, Unit]]:
    """Every number marked with a unit: dotted path, number, unit."""
    for key, info in type(section).model_fields.items():
        value = getattr(section, key)
        dotted = f"{path}.{key}" if path else key
        unit = _unit(info.metadata, info.annotation)
        if isinstance(value, Number) and unit is not None:
            yield dotted, value, unit
        elif isinstance(value, dict):
            for name, item in value.items():
                if isinstance(item, Number) and unit is not None:
                    yield f"{dotted}.{name}", item, unit
                elif isinstance(item, BaseModel):
                    yield from numbers_of(item, f"{dotted}.{name}")
        elif isinstance(value, BaseModel) and not isinstance(value, Number):
            yield from numbers_of(value, dotted)


def _unit(metadata: Iterable[object], annotation: object) -> Unit | None:
    """Unit of a number, which pydantic keeps beside the field, or inside it where the field may be
    left out."""
    marks = [*metadata, *(mark for part in get_args(annotation) for mark in getattr(part, "__metadata__", ()))]
    return next((mark for mark in marks if isinstance(mark, Unit)), None)
