"""The frozen records of a question: a case with its loads, lines, contracts and programmes, all in
SI and USD.

The records of facts are in `records`; how a case is read is the business of `catalogue`.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from fabless.case_numbers import CaseNumbers, ContractFileNumbers, each, mapped
from fabless.errors import Fault, UnknownName, unknown
from fabless.records import LLM, Chip, Grade, Range, Request, Source
from fabless.units import Quarter

STANDARD_WAYS = ("buy", "diversify", "partner", "build", "acquire")
"""Ways that every case is asked about, by key, where it offers them."""
PORTFOLIO = "portfolio"
"""Key of the way that opens everything."""
CASE_SOURCE = Source("case", "the case file itself", "", "")
"""Source of what a case states as its own."""


@dataclass(frozen=True, kw_only=True)
class CaseNumber:
    """An input of a case: its range in SI, where it comes from, and how it is printed."""

    name: str
    spread: Range
    unit: str
    grade: Grade
    source: Source
    note: str = ""
    known: dt.date | None = None
    news: Literal["today", "gradual", "moves"] | None = None
    """How its news comes, where the case states it; None: as is usual for such a number."""
    bounds: tuple[float, float] = (0.0, math.inf)
    """Least and most that a number of its kind can be, whatever its range, in SI."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """Work to be served: inference by queries, or training by FLOP."""

    name: str
    kind: Literal["inference", "training"]
    model: LLM | None
    """The LLM that answers; None for training."""
    request: Request | None
    precision: str
    kv_precision: str
    tpot_limit_s: float | None
    ttft_limit_s: float | None
    title: str = ""
    """What people call it; empty: by its model."""
    traced: dt.date | None = None
    """Last day of the trace that gave the request; None where no trace did."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A product line that can be bought or rented; its terms stand among the numbers of the
    case."""

    name: str
    vendor: str
    chip: Chip
    how: Literal["buy", "rent"]
    ways: tuple[str, ...]
    """The ways that open this line; the portfolio opens every line."""
    first_quarter: Quarter
    term_s: float | None
    """Length of a rental contract [s]; None where bought."""
    prepaid: bool
    successors: int
    """Coming generations that the plan may order."""
    seller: str = ""
    """Who sells it or rents it out; empty: its vendor."""
    title: str = ""
    """What people call it; empty: by its chip and seller."""


@dataclass(frozen=True, kw_only=True)
class Programme:
    """A chip programme that a way can start; its ranges stand among the numbers of the case."""

    name: str
    route: Literal["build", "co-design", "acquire", "partner"]
    ways: tuple[str, ...]
    chip: Chip
    trains: bool
    """Whether the chip is planned for training too."""
    spin_limit: int
    ended: tuple[float, float] | None = None
    """Pseudo-counts of programmes that end before volume, and that reach it; None: those of the
    reference class."""
    end_shares: tuple[float, ...] | None = None
    """Where those end: in design, after tape-out, after a small deployment; or one share for each
    gate; None: as the class has it."""
    bid_failed: tuple[float, float] | None = None
    """Pseudo-counts of bids that fail, and that close; None: those of the class, or none fails
    where nothing is bought."""
    gates: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Pseudo-counts of programmes ended at each gate, and that passed it, in place of `ended`;
    empty: from `ended`."""
    stands_at: str = ""
    """Stage at which the chip stands already."""
    second_ended: tuple[float, float] | None = None
    """Pseudo-counts of second generations that ended, and that came; None: those of later
    generations in the reference class."""
    title: str = ""
    """What people call its chip; empty: by the route."""


@dataclass(frozen=True)
class Tranche:
    """Warrants that vest together."""

    shares: float
    units: float
    """Units taken in all from which they may vest."""
    hurdle_usd: float = 0.0
    """Share price from which they vest, once the units are taken."""


def tranche_faults(place: str, tranches: Sequence[Tranche]) -> list[Fault]:
    """Say which tranches do not rise: each needs more units or a higher hurdle than the one before,
    and less of neither."""
    return [
        Fault(
            f"{place}.{k}",
            f"{tranche.units:g} units at {tranche.hurdle_usd:g} USD after {last.units:g} units at "
            f"{last.hurdle_usd:g} USD",
            "tranches that rise in units or hurdle and fall in neither",
            "put the tranches in the order in which they vest, and join those that vest together",
        )
        for k, (last, tranche) in enumerate(itertools.pairwise(tranches), start=1)
        if tranche.units < last.units
        or tranche.hurdle_usd < last.hurdle_usd
        or (tranche.units, tranche.hurdle_usd) == (last.units, last.hurdle_usd)
    ]


@dataclass(frozen=True)
class Tier:
    """A price from a number of units on."""

    units: float
    """Units taken in all from which the price holds."""
    price_usd: float
    """A chip, or a chip in use for a quarter."""


def tier_faults(place: str, price_usd: float, tiers: Sequence[Tier]) -> list[Fault]:
    """Say which tiers do not rise in units and fall in price, from `price_usd` for the first
    unit."""
    return [
        Fault(
            f"{place}.{k}",
            f"{tier.price_usd:g} USD from {tier.units:g} units after {last.price_usd:g} USD from "
            f"{last.units:g}",
            "tiers that rise in units and fall in price",
            "put the tiers in order",
        )
        for k, (last, tier) in enumerate(itertools.pairwise((Tier(0.0, price_usd), *tiers)))
        if tier.units <= last.units or tier.price_usd > last.price_usd
    ]


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A contract on offer; its ranges stand among the numbers of the case."""

    name: str
    kind: str
    how: Literal["buy", "rent"]
    """Whether it counts chips delivered or chips in use."""
    line: str | None
    """The line whose chip it delivers; None where it names chip and vendor."""
    chip: str
    vendor: str
    ways: tuple[str, ...]
    """The ways that open it; the portfolio opens every contract."""
    signed: Quarter
    start: Quarter
    """First quarter of delivery."""
    tenor_quarters: int
    lead_quarters: int
    """Quarters from call-off to delivery."""
    tranches: tuple[Tranche, ...] = ()
    tiers: tuple[Tier, ...] = ()
    on_all: bool = False
    """Whether reaching a tier lowers the price of the units before it too."""
    expiry_quarters: int | None = None
    """Quarters from signing in which tranches may vest."""
    made: Chip | None = None
    """The chip itself, in a case, where it names no line."""


@dataclass(frozen=True, kw_only=True)
class ContractQuestion:
    """Contracts to be valued on one footing; numbers in SI."""

    first_quarter: Quarter
    quarters: int
    price_year: int
    how: Literal["buy", "rent"]
    paths: int
    seed: int
    contracts: tuple[Contract, ...]
    numbers: ContractFileNumbers[CaseNumber]


@dataclass(frozen=True)
class Shock:
    """Something that strikes the market now and then and lasts a while; its effects stand among the
    numbers of the case."""

    name: str
    vendors: tuple[str, ...]
    """Whose lines and programmes it strikes; all where empty."""


@dataclass(frozen=True)
class WorldPool:
    """World supply of something that every chip needs one of, such as a package: what one company
    can get of it."""

    name: str
    members: tuple[str, ...]
    """Lines and programmes that draw on it; all where empty."""


@dataclass(frozen=True)
class TimedLimit:
    """A limit from a quarter on."""

    first_quarter: Quarter
    quarters: int
    """Quarters it is stated for; a sum of money is spread evenly over them."""
    period: str
    """Name of its number among those of the limit: the year or quarter as the file writes it."""


@dataclass(frozen=True, kw_only=True)
class OwnWay:
    """A way that the case states beside the standard ones; names are keys of the case."""

    name: str
    lines: tuple[str, ...]
    """Lines that it may open."""
    contracts: tuple[str, ...]
    """Contracts that it may sign."""
    commits: tuple[str, ...] = ()
    """Programmes one of which it starts on the first day; none where empty."""
    may_start: tuple[str, ...] = ()
    """Programmes that it may start, now or later, or never."""
    title: str = ""
    """What people call it; empty: by its key."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A question: who asks, on which day, for which demand, with what on offer."""

    name: str
    title: str
    as_of: dt.date
    first_quarter: Quarter
    quarters: int
    price_year: int
    seed: int
    dominant_vendor: str
    boundaries: tuple[int, ...]
    """Quarters at which the tree branches."""
    branching: tuple[int, ...]
    learning_s: float
    """Time in which half of what is learnt gradually is known [s]."""
    persistence: float
    """Correlation of a rate that moves with its own value a year before."""
    risk_weight: float
    risk_level: float
    tolerated_shortage: float
    """Unserved share of a year's queries up to which the service level counts as met."""
    loads: tuple[Load, ...]
    lines: tuple[Line, ...]
    programmes: tuple[Programme, ...]
    existing_chip: Chip
    existing_vendor: str
    numbers: CaseNumbers[CaseNumber]
    """Every number of the case, in SI."""
    shocks: tuple[Shock, ...] = ()
    pools: tuple[WorldPool, ...] = ()
    correlations: tuple[tuple[str, str], ...] = ()
    """Pairs of numbers, by dotted name, whose normal scores correlate; the values are
    `numbers.correlations`."""
    power_limits: tuple[TimedLimit, ...] = ()
    """Power at hand for owned chips, by the quarter from which it holds."""
    cash_limits: tuple[TimedLimit, ...] = ()
    """Cash at hand for what new orders commit to; where two limits cover a quarter the one of fewer
    quarters holds."""
    contracts: tuple[Contract, ...] = ()
    ways: tuple[OwnWay, ...] = ()
    """Ways of the case's own."""
    hindsight: Mapping[str, str] = field(default_factory=dict)
    """Why the case uses what was published after its day: by input, beginning of one at a dot, or
    source."""


def chips_of(case: Case) -> tuple[Chip, ...]:
    """Every chip of a case, once."""
    chips = (
        case.existing_chip, *(line.chip for line in case.lines),
        *(item.chip for item in case.programmes),
        *(item.made for item in case.contracts if item.made is not None),
    )
    return tuple({chip.name: chip for chip in chips}.values())


def correlation_name(name: str, other: str) -> str:
    """Name of a correlation among the numbers of a case."""
    return f"correlations.{name} with {other}"


def named(numbers: CaseNumbers[CaseNumber] | ContractFileNumbers[CaseNumber]) -> dict[str, CaseNumber]:
    """Every number once, under its dotted name: the border to streams of random numbers, files and
    printed names."""
    return {number.name: number for number in each(numbers)}


def modes(numbers: CaseNumbers[CaseNumber]) -> CaseNumbers[float]:
    """Every number at its mode."""
    return mapped(numbers, lambda number: number.spread.mode)


def with_ranges(case: Case, ranges: Mapping[str, Range]) -> Case:
    """The case with the ranges of some numbers, by dotted name, replaced; `UnknownName` for a name
    that it does not have."""
    known = named(case.numbers)
    errors = [unknown("number of the case", name, list(known)) for name in ranges if name not in known]
    if errors:
        raise UnknownName(*(fault for error in errors for fault in error.faults))
    return replace(
        case,
        numbers=mapped(
            case.numbers,
            lambda number: replace(number, spread=ranges.get(number.name, number.spread)),
        ),
    )
