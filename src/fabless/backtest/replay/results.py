"""What a replay says: frozen records of numbers and names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ReplayPart:
    """One part of a regret."""

    part: str
    """``first orders``, ``demand``, ``price``, ``supply``, ``timing``, or ``programmes``."""
    usd: float
    how: str


@dataclass(frozen=True, kw_only=True)
class ReplayCost:
    """What somebody's orders come to on what happened: discounted USD of the price year."""

    cost_usd: float
    """Cash and unserved demand at its price, over the horizon."""
    cash_usd: float
    unserved_usd: float
    to_date_usd: float
    """Cost of the quarters of which anything is known."""
    cash_to_date_usd: float
    """Cash of those quarters, not discounted."""
    missing_share: float
    """Share of the compute demanded over the horizon that was missing."""
    missing_to_date: float
    """Share of the compute demanded in the quarters of which anything is known."""
    unserved_queries: float
    """Queries left unserved in those quarters."""
    cash_by_quarter_usd: tuple[float, ...]
    """Not discounted."""
    missing_by_quarter: tuple[float, ...]
    """Share of the compute demanded that was missing."""
    chips_by_line: tuple[tuple[str, tuple[float, ...]], ...]
    """Chips in service by quarter, for each line that has any."""


@dataclass(frozen=True, kw_only=True)
class ReplayWay:
    """One way on what happened."""

    name: str
    label: str
    planned: ReplayCost
    """By its planner, who knew at each time what was known then."""
    foreseen: ReplayCost
    """With perfect foresight, lines and programmes chosen with it."""
    regret_usd: float
    """Cost of the planner less that of perfect foresight."""
    parts: tuple[ReplayPart, ...]
    """Parts of the regret; they add up to it."""
    started: tuple[str, ...]
    """Programmes that the planner began."""
    foreseen_started: tuple[str, ...]
    """Programmes that perfect foresight carries through."""

    @property
    def bridge(self) -> tuple[ReplayPart, ...]:
        """From the cost of perfect foresight through the parts of the regret to that of the
        planner: the last is the sum of the others."""
        first = ReplayPart(part="perfect foresight", usd=self.foreseen.cost_usd,
                           how="the least that the way could have cost")
        last = ReplayPart(part="planner", usd=self.planned.cost_usd,
                          how="planned every quarter on what was known then")
        return (first, *self.parts, last)


@dataclass(frozen=True, kw_only=True)
class ReplayOrder:
    """An order of the company, as far as public."""

    quarter: str
    line: str
    title: str
    """What people call the line."""
    chips: float
    basis: str
    source: str


@dataclass(frozen=True, kw_only=True)
class ReplayCompany:
    """The company's own orders on what happened."""

    cost: ReplayCost
    regret_usd: float
    """Cost less that of the portfolio with perfect foresight."""
    orders: tuple[ReplayOrder, ...]
    """Orders that are public or derived from what is, by quarter."""
    cut: float
    """Share of the ordered chips that did not fit the limits of the replay."""


@dataclass(frozen=True, kw_only=True)
class ReplayPath:
    """A realised quantity: what was known of it and what the replay takes it for."""

    name: str
    title: str
    unit: str
    by_quarter: tuple[float, ...]
    """In SI, through the last quarter of which anything is known."""
    source: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Replay:
    """A case on what happened after its day."""

    case: str
    title: str
    realised: str
    """What the realised file says it is."""
    as_of: str
    first_quarter: str
    quarters: int
    until: str
    """Last quarter of which anything is known."""
    price_year: int
    ways: tuple[ReplayWay, ...]
    """In the order of the case, the portfolio last."""
    ranking: tuple[tuple[str, ...], ...]
    """Ways by cost of their planner, cheapest first; those within a thousandth together."""
    company: ReplayCompany | None
    paths: tuple[ReplayPath, ...]
    queries_per_day: tuple[float, ...]
    """Queries a day demanded, in each quarter of the horizon."""
    training_flop: tuple[float, ...]
    """FLOP of training demanded, in each quarter of the horizon."""
    notes: tuple[str, ...]
    """What the replay takes for granted."""

    def way(self, name: str) -> ReplayWay:
        """One of its ways."""
        return next(item for item in self.ways if item.name == name)
