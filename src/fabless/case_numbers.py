"""The numbers of a case as records whose fields are checked by name: of ranges, of draws, of modes,
of anything.

Each record has the fields of one section of a case file (`catalogue.case.schema`). A record of
`CaseNumber` says what the file states; `mapped` turns it into a record of the same shape with, say,
an array in each place. A number that a line takes from the line it is `like` is one object in both
places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")
U = TypeVar("U")
T_co = TypeVar("T_co", covariant=True)

PER_UNIT = ("price", "option_price", "premium", "reserve")
"""Terms of a contract in USD a chip where it is bought, in USD by time where it is rented."""


class Section:
    """A part of the numbers of a case: a record, not a number."""


@dataclass(frozen=True, kw_only=True)
class FinanceNumbers(Section, Generic[T_co]):
    """What money costs."""

    real_rate: T_co


@dataclass(frozen=True, kw_only=True)
class DemandNumbers(Section, Generic[T_co]):
    """Queries and the work behind one of them."""

    queries: T_co
    growth: T_co
    growth_long_run: T_co
    growth_fade: T_co
    ceiling: T_co
    value_decline: T_co
    work_level: T_co
    work_trend: T_co
    load_factor: T_co


@dataclass(frozen=True, kw_only=True)
class QueryNumbers(Section, Generic[T_co]):
    """A load of queries."""

    share: T_co | None = None
    """Share of all queries; None for the one load that takes the rest."""
    share_later: T_co | None = None
    """Share in the long run; None: it stays as it is."""
    share_time: T_co | None = None
    unserved_price: T_co
    revenue: T_co | None = None
    """What a served query brings in, in the first quarter; None: not stated."""
    work: T_co | None = None
    """Work of a query of this load over what the performance model gives; None: as it gives."""


@dataclass(frozen=True, kw_only=True)
class TrainingNumbers(Section, Generic[T_co]):
    """A load of training."""

    flop: T_co
    growth: T_co
    growth_long_run: T_co | None = None
    """None: that of demand."""
    growth_fade: T_co | None = None
    """None: that of demand."""
    utilisation: T_co
    unserved_price: T_co


@dataclass(frozen=True, kw_only=True)
class ExistingNumbers(Section, Generic[T_co]):
    """The fleet in place."""

    count: T_co
    price: T_co
    years: T_co


@dataclass(frozen=True, kw_only=True)
class OwningNumbers(Section, Generic[T_co]):
    """What owning a chip costs beside the chip."""

    colocation: T_co
    electricity: T_co
    pue: T_co
    server_power: T_co
    server_cost: T_co
    installation: T_co
    life: T_co
    residual: T_co
    upkeep: T_co
    resale: T_co | None = None


@dataclass(frozen=True, kw_only=True)
class SupplyNumbers(Section, Generic[T_co]):
    """The scarce and the normal regime of supply."""

    scarce_at_start: T_co
    scarce_duration: T_co
    normal_duration: T_co
    scarce_allotment: T_co
    scarce_price: T_co
    scarce_again: T_co | None = None
    """None: arrivals make no scarcity."""
    concession: T_co | None = None
    growth_long_run: T_co | None = None
    growth_fade: T_co | None = None


@dataclass(frozen=True, kw_only=True)
class LineNumbers(Section, Generic[T_co]):
    """Terms of a product line; a term that is None is not used."""

    price: T_co
    price_decline: T_co
    discount: T_co | None = None
    allotment: T_co
    allotment_growth: T_co
    lead_normal: T_co
    lead_scarce: T_co
    efficiency: T_co | None = None
    port: T_co | None = None
    successor_first: T_co | None = None
    successor_gap: T_co | None = None
    successor_gain: T_co | None = None
    successor_price: T_co | None = None
    successor_power: T_co | None = None
    successor_slip: T_co | None = None
    """Drawn for each coming generation anew: an array of draws is (generations, node-quarters)."""
    successor_gain_spread: T_co | None = None
    """Drawn for each coming generation anew, like `successor_slip`."""


@dataclass(frozen=True, kw_only=True)
class DesignShareNumbers(Section, Generic[T_co]):
    """Shares of design."""

    architecture: T_co
    rtl: T_co
    physical: T_co


@dataclass(frozen=True, kw_only=True)
class PricePathNumbers(Section, Generic[T_co]):
    """What a purchase costs over its last valuation."""

    distressed: T_co
    distressed_multiple: T_co
    contested_multiple: T_co


@dataclass(frozen=True, kw_only=True)
class SecondNumbers(Section, Generic[T_co]):
    """A second generation of a programme."""

    overlap: T_co
    design: T_co
    design_cost: T_co
    masks: T_co


@dataclass(frozen=True, kw_only=True)
class ProgrammeNumbers(Section, Generic[T_co]):
    """A chip programme; a number that is None keeps the simplest meaning."""

    deal: T_co
    design: T_co
    fab: T_co
    qualification: T_co
    slip: T_co
    first_silicon_good: T_co
    respin_good: T_co
    metal_respin_share: T_co
    metal_respin: T_co
    full_respin: T_co
    metal_respin_cost: T_co
    full_respin_cost: T_co
    performance: T_co
    scope_cut: T_co
    team: T_co
    support_share: T_co
    masks: T_co
    design_cost: T_co
    software: T_co
    purchase: T_co
    margin: T_co
    allotment: T_co
    allotment_growth: T_co
    successor_gap: T_co
    successor_gain: T_co
    successor_price: T_co
    successor_power: T_co
    design_shares: DesignShareNumbers[T_co] | None = None
    bring_up_share: T_co | None = None
    slip_correlation: T_co | None = None
    software_time: T_co | None = None
    ramp: T_co | None = None
    integration: T_co | None = None
    retention: T_co | None = None
    price_path: PricePathNumbers[T_co] | None = None
    second: SecondNumbers[T_co] | None = None


@dataclass(frozen=True, kw_only=True)
class ContractNumbers(Section, Generic[T_co]):
    """Terms of a contract; a term that is None is not used."""

    volume: T_co
    price: T_co | None = None
    firm_share: T_co | None = None
    penalty_share: T_co | None = None
    prepaid_share: T_co | None = None
    option_volume: T_co | None = None
    option_price: T_co | None = None
    premium: T_co | None = None
    reserve: T_co | None = None
    exercise_price: T_co | None = None
    investment: T_co | None = None
    valuation: T_co | None = None
    fair_valuation: T_co | None = None
    price_multiple: T_co | None = None
    fee_share: T_co | None = None


@dataclass(frozen=True, kw_only=True)
class ShockNumbers(Section, Generic[T_co]):
    """A shock; an effect that is None is none."""

    rate: T_co
    duration: T_co
    allotment: T_co | None = None
    price: T_co | None = None
    lead: T_co | None = None
    demand: T_co | None = None


@dataclass(frozen=True, kw_only=True)
class PoolNumbers(Section, Generic[T_co]):
    """World supply of something that every chip needs one of."""

    output: T_co
    chips: T_co
    growth: T_co
    share: T_co


@dataclass(frozen=True, kw_only=True)
class LimitNumbers(Section, Generic[T_co]):
    """What the company cannot exceed, by the period from which it holds, as the file writes it."""

    power: Mapping[str, T_co] = field(default_factory=dict)
    cash: Mapping[str, T_co] = field(default_factory=dict)
    revenue_share: T_co | None = None
    """Part of the revenue of a quarter that is added to its cash; None: no part of it."""


@dataclass(frozen=True, kw_only=True)
class CaseNumbers(Section, Generic[T_co]):
    """Every number of a case."""

    finance: FinanceNumbers[T_co]
    demand: DemandNumbers[T_co]
    loads: Mapping[str, QueryNumbers[T_co] | TrainingNumbers[T_co]]
    existing: ExistingNumbers[T_co]
    owning: OwningNumbers[T_co]
    supply: SupplyNumbers[T_co]
    lines: Mapping[str, LineNumbers[T_co]]
    programmes: Mapping[str, ProgrammeNumbers[T_co]] = field(default_factory=dict)
    contracts: Mapping[str, ContractNumbers[T_co]] = field(default_factory=dict)
    shocks: Mapping[str, ShockNumbers[T_co]] = field(default_factory=dict)
    pools: Mapping[str, PoolNumbers[T_co]] = field(default_factory=dict)
    limits: LimitNumbers[T_co] = field(default_factory=LimitNumbers)
    correlations: tuple[T_co, ...] = ()
    """In the order of the pairs of the case."""
    unit_costs: Mapping[str, T_co] = field(default_factory=dict)
    """Unit cost of the chip of each programme: no number of the file, but worked out of it."""


@dataclass(frozen=True, kw_only=True)
class MarketNumbers(Section, Generic[T_co]):
    """What the contracts of a file meet; a number that is None keeps the simplest meaning."""

    real_rate: T_co
    need: T_co
    need_growth: T_co | None = None
    need_volatility: T_co | None = None
    spot: T_co
    spot_decline: T_co | None = None
    spot_volatility: T_co | None = None
    spot_cap: T_co | None = None
    unmet: T_co | None = None
    share_price: T_co | None = None
    share_volatility: T_co | None = None


@dataclass(frozen=True, kw_only=True)
class HoldingNumbers(Section, Generic[T_co]):
    """What owning a chip costs beside its price, to set a purchase beside rents."""

    life: T_co
    residual: T_co
    running: T_co


@dataclass(frozen=True, kw_only=True)
class ContractFileNumbers(Section, Generic[T_co]):
    """Every number of a file of contracts."""

    outlook: MarketNumbers[T_co]
    owning: HoldingNumbers[T_co] | None = None
    contracts: Mapping[str, ContractNumbers[T_co]]


@overload
def mapped(numbers: CaseNumbers[T], convert: Callable[[T], U]) -> CaseNumbers[U]: ...
@overload
def mapped(numbers: ContractFileNumbers[T], convert: Callable[[T], U]) -> ContractFileNumbers[U]: ...
@overload
def mapped(numbers: ContractNumbers[T], convert: Callable[[T], U]) -> ContractNumbers[U]: ...
@overload
def mapped(numbers: ProgrammeNumbers[T], convert: Callable[[T], U]) -> ProgrammeNumbers[U]: ...
def mapped(numbers: Any, convert: Callable[[Any], Any]) -> Any:
    """The record with `convert` of each number in its place; what is None stays None.

    >>> mapped(ContractNumbers(volume=3.0, price=2.0), lambda number: 10.0 * number).price
    20.0
    """
    if numbers is None:
        return None
    if isinstance(numbers, Section):
        return type(numbers)(**{part.name: mapped(getattr(numbers, part.name), convert)
                                for part in fields(numbers)})  # type: ignore[arg-type]
    if isinstance(numbers, Mapping):
        return {name: mapped(part, convert) for name, part in numbers.items()}
    if isinstance(numbers, tuple):
        return tuple(mapped(part, convert) for part in numbers)
    return convert(numbers)


def each(numbers: CaseNumbers[T] | ContractFileNumbers[T] | LineNumbers[T]) -> Iterator[T]:
    """Every number, place by place: one that two lines share comes twice."""
    yield from _each(numbers)


def _each(numbers: Any) -> Iterator[Any]:
    if isinstance(numbers, Section):
        for part in fields(numbers):  # type: ignore[arg-type]
            yield from _each(getattr(numbers, part.name))
    elif isinstance(numbers, Mapping):
        for part in numbers.values():
            yield from _each(part)
    elif isinstance(numbers, tuple):
        for part in numbers:
            yield from _each(part)
    elif numbers is not None:
        yield numbers


def stated(number: T | None) -> T:
    """A term that the reader of a case makes sure of wherever it is used."""
    assert number is not None
    return number
