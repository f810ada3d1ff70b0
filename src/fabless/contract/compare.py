"""Compare the contracts of a file on common paths, and find where two of them cost the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from fabless.case_numbers import ContractFileNumbers, mapped, stated
from fabless.case_records import CaseNumber, ContractQuestion, named
from fabless.checks import Bound, require
from fabless.contract.break_even import BreakEven, break_even
from fabless.contract.build import contract_of
from fabless.contract.kinds import Purchase, ReserveAndRent
from fabless.contract.rewards import VolumeDiscount
from fabless.contract.valuation import ContractOutlook, ContractUnit, Valuation, value
from fabless.errors import BadValue, Fault, UnknownName, unknown
from fabless.records import Array, Band
from fabless.sampling import draw, stream
from fabless.tco import Owning, chip_hour_cost
from fabless.units import HOUR_S, QUARTER_S

SPOT = "spot"
"""Name of the alternative without any contract."""
OVER = ("price", "volume", "utilisation")
HOURS = QUARTER_S / HOUR_S


@dataclass(frozen=True, eq=False)
class DrawnQuestion:
    """A question with its numbers drawn: contracts and outlook on common paths."""

    contracts: Mapping[str, Purchase]
    """Contracts by name, with the terms of the file at the numbers drawn."""
    values: ContractFileNumbers[Array]
    outlook: ContractOutlook
    real_rate: float
    unit: ContractUnit

    def beside(self, contract: Purchase) -> Purchase:
        """The contract as compared; beside rents, a bought chip is a level charge by quarter,
        which with the running cost of the file is all that owning costs there."""
        if contract.unit == self.unit:
            return contract
        holding = stated(self.values.owning)
        owning = Owning(
            real_rate=self.real_rate, life_s=holding.life, residual_share=holding.residual,
            staff_usd_per_s=holding.running, server_usd=0.0, upkeep_per_s=0.0,
            colocation_usd_per_w_s=0.0, electricity_usd_per_j=0.0, pue=1.0, server_power=1.0)
        hour = chip_hour_cost(
            contract.price_usd, owning, rated_power_w=0.0, average_power_w=0.0,
            charged_every_s=QUARTER_S)
        return ReserveAndRent(
            contract.name, contract.volume, 0.0, reserve_usd=hour.total_usd * HOURS,
            tenor_quarters=max(1, round(float(np.mean(holding.life)) / QUARTER_S)),
            start_quarter=contract.start_quarter, signed_quarter=contract.signed_quarter,
            lead_quarters=contract.lead_quarters,
        )

    def cost_usd(self, contract: Purchase, outlook: ContractOutlook) -> float:
        """Mean present value of the whole need with a contract."""
        return float(value(self.beside(contract), outlook, self.real_rate).cost_usd.mean())


@dataclass(frozen=True, kw_only=True)
class ContractRow:
    """Figures of one contract; money is present value in real USD."""

    name: str
    kind: str
    usd_per_unit: Band
    """Payment under the contract per chip or chip-hour taken."""
    served_usd_per_unit: Band
    """Cost of the whole need, spot purchases included, per chip or chip-hour served."""
    value: Band
    """Saving against having no contract [USD]."""
    worst_usd: float
    """Smallest saving over the paths: the worst case."""
    firm_usd: float
    """Payment due however little is taken."""
    firm_units: float
    option_units: float
    """Units that the buyer may take or leave."""
    taken: float
    """Mean number of units taken: chips, or chip-quarters."""
    missing: float
    """Mean number of units that go unserved."""
    rebate_usd: float
    """Mean worth of warrants, equity and tiers."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Contracts compared in one way."""

    unit: str
    """Unit of the prices: chip, or chip-hour."""
    first_quarter: str
    quarters: int
    price_year: int
    paths: int
    real_rate: float
    without_usd_per_unit: Band
    """Cost of the whole need per unit served, without any contract."""
    without_missing: float
    rows: tuple[ContractRow, ...]
    cheapest: str
    """Contract (or spot) with the lowest mean cost of the whole need."""


def draw_question(question: ContractQuestion) -> DrawnQuestion:
    """Draw the numbers of a question and its paths; one path where nothing is uncertain.

    Numbers are drawn once a path. Need, spot price and share price then walk lognormally around
    their course; the share price drifts at the real rate. Volatilities and the rate stand at their
    mode.
    """
    stated_market, numbers = question.numbers.outlook, named(question.numbers)
    volatilities = (
        stated_market.need_volatility, stated_market.spot_volatility,
        stated_market.share_volatility,
    )
    uncertain = any(_mode(volatility) > 0.0 for volatility in volatilities) or any(
        number.spread.low < number.spread.high for number in numbers.values())
    paths = 2 * ((question.paths + 1) // 2) if uncertain and question.paths > 1 else 1
    rng = stream(question.seed, "contracts")
    drawn = (
        {}
        if paths == 1
        else draw({name: number.spread for name, number in sorted(numbers.items())}, paths, rng)
    )
    values = mapped(question.numbers, lambda number: drawn[number.name][:, None] if drawn
                    else np.array([[number.spread.mode]]))
    rate = stated_market.real_rate.spread.mode
    years = np.arange(question.quarters) / 4.0

    def walk(volatility: CaseNumber | None, drift: float = 0.0, when: Array = years) -> Array:
        if paths == 1 or _mode(volatility) == 0.0:
            return np.exp(drift * when)[None]
        return price_paths(1.0, _mode(volatility), drift, years=when, paths=paths, rng=rng).T

    def or_else(number: Array | None, otherwise: float) -> Array:
        return np.full((1, 1), otherwise) if number is None else number

    market = values.outlook
    per_unit = QUARTER_S if question.how == "rent" else 1.0
    need = (
        market.need
        * or_else(market.need_growth, 1.0) ** years
        * walk(stated_market.need_volatility)
    )
    spot = (
        market.spot
        * (1.0 - or_else(market.spot_decline, 0.0)) ** years
        * walk(stated_market.spot_volatility)
    )
    outlook = ContractOutlook(
        need=need, spot_usd=spot * per_unit, spot_cap=or_else(market.spot_cap, np.inf),
        unmet_usd=or_else(market.unmet, 0.0) * per_unit,
        share_usd=None if market.share_price is None else market.share_price * walk(
            stated_market.share_volatility, float(np.log1p(rate)), years + 0.125))
    unit = ContractUnit.CHIP_QUARTER if question.how == "rent" else ContractUnit.CHIP
    made = {spec.name: contract_of(spec, values.contracts[spec.name], question.first_quarter)
            for spec in question.contracts}
    return DrawnQuestion(made, values, outlook, rate, unit)


def _mode(volatility: CaseNumber | None) -> float:
    return 0.0 if volatility is None else volatility.spread.mode


def compare(question: ContractQuestion) -> Comparison:
    """Value every contract of a question on the same paths."""
    made = draw_question(question)
    valuations = {
        name: value(made.beside(contract), made.outlook, made.real_rate)
        for name, contract in made.contracts.items()
    }
    per = HOURS if made.unit is ContractUnit.CHIP_QUARTER else 1.0
    kinds = {spec.name: spec.kind for spec in question.contracts}
    rows = tuple(_row(valuation, kinds[name], per) for name, valuation in valuations.items())
    none = value(nothing(made.unit), made.outlook, made.real_rate)
    costs = {
        SPOT: float(none.cost_usd.mean()),
        **{name: float(valuation.cost_usd.mean()) for name, valuation in valuations.items()},
    }
    return Comparison(
        unit="chip-hour" if made.unit is ContractUnit.CHIP_QUARTER else "chip",
        first_quarter=str(question.first_quarter), quarters=question.quarters,
        price_year=question.price_year, paths=made.outlook.shape[0], real_rate=made.real_rate,
        without_usd_per_unit=_band(none.served_usd_per_unit / per),
        without_missing=float(none.missing.mean()), rows=rows,
        cheapest=min(costs, key=lambda name: costs[name]),
    )


def nothing(unit: ContractUnit) -> Purchase:
    """Having no contract, as a contract of volume 0."""
    return Purchase(SPOT, 0.0, 0.0, unit=unit)


def _row(valuation: Valuation, kind: str, per: float) -> ContractRow:
    return ContractRow(
        name=valuation.name, kind=kind, usd_per_unit=_band(valuation.usd_per_unit / per),
        served_usd_per_unit=_band(valuation.served_usd_per_unit / per),
        value=_band(valuation.value_usd), worst_usd=float(valuation.value_usd.min()),
        firm_usd=float(valuation.firm_usd.mean()), firm_units=float(valuation.firm_units.mean()),
        option_units=float((valuation.most_units - valuation.firm_units).mean()),
        taken=float(valuation.taken.mean()), missing=float(valuation.missing.mean()),
        rebate_usd=float(valuation.rebate_usd.mean()),
    )


def _band(values: Array) -> Band:
    known = values[np.isfinite(values)]
    if known.size == 0:
        return Band(np.nan, np.nan, np.nan, np.nan)
    p10, p50, p90 = np.quantile(known, [0.1, 0.5, 0.9])
    return Band(float(p10), float(p50), float(p90), float(known.mean()))


def break_even_of(
    question: ContractQuestion, first: str, second: str, over: str, low: float | None = None,
    high: float | None = None,
) -> BreakEven:
    """Where two contracts (or `spot`, having none) make the whole need cost the same in the mean
    over the paths.

    Over *price*: of the first, per chip or chip-hour, the second's staying as it is. Over *volume*:
    chips wanted in the first quarter, growing and moving as stated. Over *utilisation*: share of
    the first contract's volume that is wanted in every quarter, the same for both. The stretch
    looked at is a tenth to ten times the present value, 0.01 to 1 for a utilisation. Raises
    `UnknownName` for names that are not there.
    """
    names = {SPOT, *(spec.name for spec in question.contracts)}
    unknown_ones = [
        unknown("contract", name, [*names]) for name in (first, second) if name not in names
    ]
    if over not in OVER:
        unknown_ones.append(unknown("quantity", over, OVER, "--over"))
    if unknown_ones:
        raise UnknownName(*(fault for error in unknown_ones for fault in error.faults))
    if first == SPOT and over != "volume":
        raise BadValue(
            Fault(
                "break-even", f"{over} of {SPOT}", "a contract as the first of the two",
                "name the contract first, then spot",
            )
        )
    made = draw_question(question)
    contracts = {SPOT: nothing(made.unit), **made.contracts}
    purchase, other = contracts[first], contracts[second]
    if over == "price":
        return _over_price(made, purchase, other, low, high)
    outlook = made.outlook
    if over == "volume":
        now = float(outlook.need[:, 0].mean())
        shape, ends = outlook.need / now, (0.1 * now, 10.0 * now)
    else:
        volume = np.asarray(purchase.volume, dtype=float)
        shape, ends = volume * np.ones((1, question.quarters)), (0.01, 1.0)

    def cost(contract: Purchase, amount: float) -> float:
        return made.cost_usd(contract, replace(outlook, need=shape * amount))

    return break_even(
        lambda amount: cost(purchase, amount), lambda amount: cost(other, amount),
        ends[0] if low is None else low, ends[1] if high is None else high, (first, second),
    )


def _over_price(
    made: DrawnQuestion, purchase: Purchase, other: Purchase, low: float | None, high: float | None
) -> BreakEven:
    """Price of the first contract, per chip or chip-hour, at which both cost the same."""
    per = HOURS if purchase.unit is ContractUnit.CHIP_QUARTER else 1.0
    now = float(np.mean(np.asarray(purchase.price_usd, dtype=float))) / per
    if now == 0.0:
        raise BadValue(
            Fault(
                "break-even", f"{purchase.name} has no price by the unit",
                "a contract with a price above 0", "ask for --over volume or utilisation",
            )
        )
    floor = (
        max((tier.price_usd / per for tier in purchase.tiers), default=0.0)
        if isinstance(purchase, VolumeDiscount)
        else 0.0
    )
    fixed = made.cost_usd(other, made.outlook)
    return break_even(
        lambda price: made.cost_usd(replace(purchase, price_usd=price * per), made.outlook),
        lambda _: fixed, max(0.1 * now, floor) if low is None else low,
        10.0 * now if high is None else high, (purchase.name, other.name),
    )


def price_paths(
    price: float, volatility: float, drift: float, years: Array, paths: int,
    rng: np.random.Generator,
) -> Array:
    """Antithetic lognormal paths (dates, paths): ``S exp((drift - s^2/2) t + s W(t))`` at rising
    `years` (dates,).

    The second half of the paths mirrors the first; `paths` is even. `drift` is continuous per year:
    the riskless rate for values that a market would give.
    """
    times = np.asarray(years, dtype=float)
    steps = np.diff(times, prepend=0.0)
    require(
        "price paths", Bound("price", price, 0, 1e15, "give USD"),
        Bound(
            "volatility", volatility, 0, 100,
            "give the standard deviation of a year's log price, 0 or more",
        ),
        Bound("drift", drift, -10, 10, "give the continuous drift per year"),
        Bound("years", steps, 0, 1000, "give rising times from today"),
        Bound("paths", paths, 2, 1e9, "take for example 10,000"),
        Bound("paths modulo 2", paths % 2, 0, 0, "take an even number"),
    )
    half = rng.standard_normal((times.size, paths // 2)) * np.sqrt(steps)[:, None]
    walk = np.cumsum(np.concatenate([half, -half], axis=1), axis=0)
    return np.asarray(
        price * np.exp((drift - 0.5 * volatility**2) * times[:, None] + volatility * walk)
    )
