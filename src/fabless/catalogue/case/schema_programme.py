"""What a case file may say of a chip programme; optional keys that are left out keep the simplest
meaning."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fabless.catalogue.case.fields import (
    Count,
    Dollar,
    DollarYear,
    Month,
    Multiple,
    Number,
    Real,
    Share,
    Strict,
    Unit,
    Ways,
    Whole,
)

GateName = Literal["architecture", "tape-out", "first-silicon", "qualification", "deployment"]
"""Where a programme is looked at and may be ended, in the order of time."""
StageName = Literal[
    "architecture", "RTL and verification", "physical design", "tape-out", "silicon", "bring-up",
    "respins", "qualification", "software", "volume", "ramp",
]
"""Stages of work on a chip, as every route has them."""


class Counts(Strict):
    """A rate by its pseudo-counts: events seen plus the prior's."""

    failed: Real = Field(ge=0)
    passed: Real = Field(ge=0)


class DesignShares(Strict):
    """Shares of design, from the start of work to tape-out; their modes sum to 1."""

    architecture: Share
    rtl: Share
    """RTL and verification."""
    physical: Share


class PricePathSection(Strict):
    """A seller in distress, or rivals who bid the price up."""

    distressed: Share
    """Chance that the seller is in distress; otherwise the purchase is contested."""
    distressed_multiple: Annotated[Number, Unit("1")]
    """Price of a distressed seller over the last valuation."""
    contested_multiple: Annotated[Number, Unit("1")]
    """Price of a contested purchase over the last valuation."""


class SecondSection(Strict):
    """The next chip of the programme, designed while the first one is brought into volume."""

    overlap: Month
    """Time by which the second generation starts before the first one's volume."""
    design: Month
    """Planned time from start to tape-out of the second generation."""
    ended: Counts | None = None
    """Later generations that were ended, and that came. Left out: those known on the day of the
    case."""
    design_cost: Dollar
    masks: Dollar


class ProgrammeSection(Strict):
    """A chip programme that a way can start on the first day."""

    title: str = ""
    """What people call its chip, such as `the own chip`; by the route where left out."""
    route: Literal["build", "co-design", "acquire", "partner"]
    ways: Ways
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
    spin_limit: Whole = Field(ge=1)
    ended: Counts | None = None
    """Programmes that ended before volume, and that reached it; or give `gates`. Both left out: the
    reference class of the day of the case, as `fabless programme` counts it."""
    end_shares: tuple[Real, ...] | None = None
    """Shares of ends in design, after tape-out and after a small deployment, or by gate. Left out:
    those of the reference class."""
    gates: dict[GateName, Counts] = Field(default_factory=dict)
    """Programmes ended at each gate, and that passed it, in place of `ended` and `end_shares`; none
    ends at one left out."""
    bid_failed: Counts | None = None
    """Bids that failed, and that closed. Left out: those known on the day of the case."""
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
    margin: Annotated[Number, Unit("1", 0.0, 0.95)]
    """Gross margin of whoever makes the chip for the company."""
    allotment: Count
    """Chips in the first quarter of volume."""
    allotment_growth: Multiple
    successor_gap: Month
    """To the next generation of the programme."""
    successor_gain: Multiple
    successor_price: Multiple
    successor_power: Multiple
    design_shares: DesignShares | None = None
    """How the time and money of design are shared, at the modes; thirds where left out."""
    bring_up_share: Share | None = None
    """Share of `qualification` that precedes the respins, at the mode; none where left out."""
    slip_correlation: Share | None = None
    """Correlation of any two stages' slips, at the mode; 1 where left out: one slip for all."""
    software_time: Month | None = None
    """Software from the start of work; as long as the hardware takes where left out."""
    ramp: Month | None = None
    """First volume to the full rate; none where left out."""
    integration: Month | None = None
    """Close of a purchase to the start of work, the team paid; none where left out."""
    retention: Annotated[Number, Unit("1", 0.0, 1.0, above=True)] | None = None
    """Share of the bought staff that stays; all where left out."""
    price_path: PricePathSection | None = None
    """What a purchase costs over `purchase`, the last valuation; `purchase` itself where left
    out."""
    stands_at: StageName | None = None
    """Stage at which the chip stands already: what comes before it takes no time and no money."""
    second: SecondSection | None = None
    """A second generation beside the first; it gains `successor_gain`."""
