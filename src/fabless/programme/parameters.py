"""Stages, risks and money of a chip programme, as ranges and as counts of cases."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from fabless.errors import BadValue, Fault
from fabless.programme.posterior import PseudoCounts
from fabless.programme.stages import NOTHING, Duration, Gate, Stage
from fabless.records import Range

Rate = Range | PseudoCounts
"""A probability, as a range or by the cases behind it; drawn once per set of trajectories."""
THIRDS = (1 / 3, 1 / 3, 1 / 3)
"""Split of design time if nothing better is known."""


class Route(StrEnum):
    """How a chip of one's own comes about."""

    BUILD = "build"
    """An own team designs it and owns every step."""
    CO_DESIGN = "co-design"
    """An own team with an experienced implementation partner."""
    ACQUIRE = "acquire"
    """A chip company is bought, then its next chip is finished."""
    PARTNER = "partner"
    """A backer's chip, already under way, is waited for."""


@dataclass(frozen=True)
class PricePath:
    """What a purchase costs over `purchase_usd` (the last valuation): a distressed seller, or
    rivals who bid it up."""

    distressed: Rate
    """Probability that the seller is distressed; otherwise the purchase is contested."""
    distressed_multiple: Range
    contested_multiple: Range


@dataclass(frozen=True, kw_only=True)
class SecondGeneration:
    """The next chip of the programme, designed while the first one is brought into volume.

    It starts `overlap_s` before the first one's volume, never before its work; it stops if the
    first one ends, and comes in volume no earlier than the first. Fab, respins, bring-up and
    qualification follow the laws of the first, drawn anew.
    """

    overlap_s: Range
    design_s: Duration
    """Planned time from start to tape-out of the second generation [s]; the slip multiplies it."""
    gain: Range
    """Performance of the second generation over that planned for the first [1]."""
    ended: Rate
    """Probability that the second generation ends at its tape-out."""
    design_usd: Range
    masks_usd: Range


_DURATIONS = (
    "deal_s", "design_s", "fab_s", "qualification_s", "metal_respin_s", "full_respin_s",
    "integration_s", "ramp_s", "software_s",
)
_RATES = ("first_silicon_good", "respin_good", "metal_respin_share", "scope_cut", "ended", "bid_failed")
_MONEY = (
    "team_usd_per_s", "support_share", "masks_usd", "design_usd", "software_usd", "purchase_usd",
    "metal_respin_usd", "full_respin_usd",
)
_POSITIVE = ("slip", "performance")
_ALL = Range.point(1.0)


@dataclass(frozen=True, kw_only=True)
class ProgrammeModel:
    """A chip programme before it is run; a range is drawn once per programme, a rate once per set
    of programmes.

    Raises `BadValue` with all faults at once: a negative duration or amount, a probability outside
    [0, 1], shares that do not sum to 1, a correlation outside [0, 1], a purchase or a bid on a
    route that buys nothing.
    """

    name: str
    route: Route
    deal_s: Duration
    """Time from decision to close: deal and approval, agreement, or hiring of the core team [s]."""
    design_s: Duration
    """Planned time from the start of work to tape-out [s]; the slip multiplies it."""
    fab_s: Duration
    """Time from tape-out to first packaged silicon [s]."""
    qualification_s: Duration
    """Planned time of bring-up and qualification, respins excluded [s]; the slip multiplies it."""
    slip: Range
    """Actual over planned time of a stage of design, bring-up or qualification [1]."""
    first_silicon_good: Rate
    """Probability that the first spin can go to production [1]."""
    respin_good: Rate
    """Probability that a later spin can go to production, if those before could not [1]."""
    metal_respin_share: Rate
    """Share of respins that change metal layers only [1]."""
    metal_respin_s: Duration
    """Delay of a metal respin [s]."""
    full_respin_s: Duration
    """Delay of a respin of all layers [s]."""
    metal_respin_usd: Range
    full_respin_usd: Range
    spin_limit: int
    """Spins after which a chip that still does not work is given up."""
    ended: PseudoCounts
    """Programmes that end before volume against those that reach it."""
    end_shares: tuple[float, ...]
    """Shares of ends in design, after tape-out and after a small deployment, or by gate; sum 1."""
    bid_failed: Rate
    """Bids that fail against bids that close; (0, 1) on routes without a bid."""
    performance: Range
    """Delivered over planned performance [1]."""
    scope_cut: Rate
    """Probability that a use (training) is dropped on the way [1]."""
    team_usd_per_s: Range
    """Team from the close to volume [USD/s]."""
    support_share: Range
    """Share of the team's spend that goes on after volume [1]."""
    masks_usd: Range
    """First mask set, paid at tape-out."""
    design_usd: Range
    """Design tools, licensed blocks, implementation services and prototypes, spread over design."""
    software_usd: Range
    """Compilers, kernels and porting, spread over the software stage."""
    purchase_usd: Range
    """Price of the bought company, paid when the deal closes; 0 on other routes."""
    design_shares: tuple[float, float, float] = THIRDS
    """Architecture, RTL and verification, physical design: their shares of design time and spend;
    sums to 1."""
    bring_up_share: float = 0.0
    """Share of `qualification_s` that precedes the respins [1]."""
    slip_correlation: float = 1.0
    """Correlation of any two stages' slips through their common factor [1]; 1: one slip for all."""
    gates: Mapping[Gate, PseudoCounts] | None = None
    """Programmes ended at each gate against those that pass it; None: from `ended` and
    `end_shares`."""
    software_s: Duration | None = None
    """Software from the start of work [s], beside the hardware; None: as long as the hardware
    takes."""
    ramp_s: Duration = NOTHING
    """Time from first volume to the full rate, linear [s]."""
    price_path: PricePath | None = None
    """Law of the purchase price; None: the purchase costs `purchase_usd`."""
    integration_s: Duration = NOTHING
    """Time from the close to the start of work [s]; the team is paid."""
    retention: Range = _ALL
    """Share of the bought staff that stays [1]: design stages take 1 / retention as long."""
    stands_at: str = ""
    """Stage the chip has already reached; earlier stages take no time or money. Empty: none."""
    second: SecondGeneration | None = None
    stages: tuple[Stage, ...] = ()
    """Own stages, which replace those of the route with equal names, or join the graph."""

    def __post_init__(self) -> None:
        faults = [self._fault(name, self._range(name), "numbers >= 0")
                  for name in (*_DURATIONS, *_MONEY) if self._range(name).low < 0]
        faults += [self._fault(name, getattr(self, name), "numbers > 0")
                   for name in _POSITIVE if getattr(self, name).low <= 0]
        faults += self._rate_faults() + self._share_faults() + self._purchase_faults()
        if self.spin_limit < 1:
            faults.append(self._fault("spin_limit", self.spin_limit, "1 or more"))
        if self.second is not None:
            faults += [self._fault(f"second, {name}", value, "numbers >= 0")
                       for name in ("overlap_s", "design_s", "gain", "design_usd", "masks_usd")
                       if isinstance(value := getattr(self.second, name), Range) and value.low < 0]
        if faults:
            raise BadValue(*faults)

    @property
    def hazards(self) -> tuple[PseudoCounts, ...]:
        """Beta law of the end at each gate, given that the ones before were passed, in the order of
        `Gate`.

        From `ended` and `end_shares`: with a = failed x share of each gate, (ends at gate 1, ...,
        passes all) follows a Dirichlet law of weights (a1, ..., ak, passed); so the hazards are
        independent, Beta(ai, later a + passed), and the probability of any end keeps its law
        Beta(failed, passed). Three shares are halved among the gates of their part.
        """
        if self.gates is not None:
            return tuple(self.gates.get(gate, PseudoCounts(0.0, 1.0)) for gate in Gate)
        shares = self.end_shares
        if len(shares) == 3:
            design, silicon, deployment = shares
            shares = (design / 2, design / 2, silicon / 2, silicon / 2, deployment)
        weights = [self.ended.failed * share for share in shares]
        counts = (PseudoCounts(weight, sum(weights[k + 1:]) + self.ended.passed) for k, weight in enumerate(weights))
        return tuple(count if count.failed > 0 else PseudoCounts(0.0, 1.0) for count in counts)

    def _range(self, name: str) -> Range:
        value = getattr(self, name)
        return value if isinstance(value, Range) else NOTHING

    def _rate_faults(self) -> list[Fault]:
        rates: dict[str, Rate] = {name: getattr(self, name) for name in _RATES}
        rates |= {f"gates, {gate.name}": counts for gate, counts in (self.gates or {}).items()}
        if self.price_path is not None:
            rates["price_path, distressed"] = self.price_path.distressed
        if self.second is not None:
            rates["second, ended"] = self.second.ended
        faults = []
        for name, rate in rates.items():
            if isinstance(rate, Range) and not 0 <= rate.low <= rate.high <= 1:
                faults.append(self._fault(name, rate, "numbers between 0 and 1"))
            elif isinstance(rate, PseudoCounts) and not rate.is_valid:
                faults.append(self._fault(name, rate, "two finite counts >= 0, not both 0"))
        if self.retention.low <= 0 or self.retention.high > 1:
            faults.append(self._fault("retention", self.retention, "numbers above 0, up to 1"))
        return faults

    def _share_faults(self) -> list[Fault]:
        faults = []
        if len(self.end_shares) not in (3, len(Gate)) or not _is_partition(self.end_shares):
            faults.append(self._fault("end_shares", self.end_shares, f"three or {len(Gate)} shares >= 0 that sum to 1"))
        if len(self.design_shares) != 3 or not _is_partition(self.design_shares):
            faults.append(self._fault("design_shares", self.design_shares, "three shares >= 0 that sum to 1"))
        faults += [
            self._fault(name, getattr(self, name), "a number between 0 and 1")
            for name in ("bring_up_share", "slip_correlation")
            if not 0 <= getattr(self, name) <= 1
        ]
        return faults

    def _purchase_faults(self) -> list[Fault]:
        faults = []
        if self.price_path is not None:
            faults += [self._fault(f"price_path, {name}", value, "numbers >= 0")
                       for name in ("distressed_multiple", "contested_multiple")
                       if (value := getattr(self.price_path, name)).low < 0]
        if self.route is not Route.ACQUIRE:
            if self.purchase_usd.high > 0:
                faults.append(self._fault("purchase_usd", self.purchase_usd, "0 unless the route is acquire"))
            if self.bid_failed != PseudoCounts(0.0, 1.0):
                bid = self.bid_failed
                if (bid.failed if isinstance(bid, PseudoCounts) else bid.high) > 0:
                    faults.append(self._fault("bid_failed", bid, "(0, 1) unless the route is acquire"))
            if self.price_path is not None:
                faults.append(self._fault("price_path", "given", "none unless the route is acquire"))
        return faults

    def _fault(self, name: str, found: object, allowed: str) -> Fault:
        return Fault(f"programme {self.name}, {name}", str(found), allowed, f"correct {name} in the case")


def _is_partition(shares: tuple[float, ...]) -> bool:
    return min(shares, default=-1.0) >= 0 and math.isclose(sum(shares), 1.0, abs_tol=1e-9)
