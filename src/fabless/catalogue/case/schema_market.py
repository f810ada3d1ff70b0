"""What a case file may say of the market at large: shocks, world supply, correlations, and the
company's own limits."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from fabless.catalogue.case.fields import Dollar, Multiple, Name, Number, Real, Share, Strict, Unit, Week
from fabless.records import Grade
from fabless.units import Quarter


def _year(text: str) -> str:
    if not (text.isdecimal() and len(text) == 4):
        raise ValueError("a year, YYYY")
    return text


def _year_or_quarter(text: str) -> str:
    if not (text.isdecimal() and len(text) == 4):
        try:
            Quarter.parse(text)
        except Exception as error:
            raise ValueError("a year, YYYY, or a quarter, YYYYQ1 to YYYYQ4") from error
    return text


Year = Annotated[str, AfterValidator(_year)]
Period = Annotated[str, AfterValidator(_year_or_quarter)]


class ShockSection(Strict):
    """Something that strikes at a base rate, lasts a while, and goes; effects that are left out are
    none."""

    vendors: tuple[str, ...] = ()
    """Whose lines and programmes it strikes; all where left out."""
    rate: Annotated[Number, Unit("1/year")]
    """Strikes a year while it is not there."""
    duration: Annotated[Number, Unit("month", 3.0)]
    """Mean time it lasts, a quarter at the least."""
    allotment: Annotated[Number, Unit("1")] | None = None
    """Chips that can be had over those without it."""
    price: Multiple | None = None
    """Prices and rents over those without it."""
    lead: Week | None = None
    """Added to every lead time."""
    demand: Annotated[Number, Unit("1")] | None = None
    """Queries over those without it."""


class PoolSection(Strict):
    """World supply of something that every chip needs one of; what it caps is the sum over lines
    and programmes."""

    members: tuple[Name, ...] = ()
    """Lines and programmes that draw on it; all where left out."""
    output: Annotated[Number, Unit("wafer/month", above=True)]
    """World output in the first quarter: wafers, stacks or the like."""
    chips: Annotated[Number, Unit("chip", above=True)]
    """Chips that one of these is enough for."""
    growth: Multiple
    """Multiple of the output in the first year; it fades as `supply` states."""
    share: Share
    """Share of the world's output that the company can get."""


class CorrelationItem(Strict):
    """Correlation of the normal scores of two numbers of the case."""

    pair: Annotated[tuple[str, ...], Field(min_length=2, max_length=2)]
    value: Real
    grade: Grade = Grade.ASSUMPTION
    source: str = "case"
    note: str = ""


class LimitsSection(Strict):
    """What the company itself cannot exceed; where nothing is stated there is no limit."""

    power: dict[Year, Annotated[Number, Unit("MW")]] = Field(default_factory=dict)
    """Power at hand for owned chips with their servers and cooling, from the first quarter of a
    year on."""
    cash: dict[Period, Dollar] = Field(default_factory=dict)
    """Cash at hand for what new orders commit to, of a quarter, or of a year in four equal parts:
    the price of bought chips with server and network, the rent of rented chips over their whole
    term, fees of contracts."""
    revenue_share: Share | None = None
    """Share of the revenue of all queries asked in a quarter, of the loads that state theirs, that
    is added to the cash of the quarter where that is limited; none where left out."""


