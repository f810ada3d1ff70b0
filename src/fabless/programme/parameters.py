"""What a chip programme is made of: stages, risks and money, as ranges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from fabless.errors import BadValue, Fault
from fabless.records import Range


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
class PseudoCounts:
    """A Beta law by its pseudo-counts, used through its mean.

    A programme is run once, so that only the predictive probability ``failed / (failed + passed)`` enters. Jeffreys'
    prior adds one half to each observed count. A count of 0 makes the event certain or impossible.

    >>> PseudoCounts(2.5, 5.5).mean
    0.3125
    """

    failed: float
    passed: float

    @property
    def mean(self) -> float:
        """Predictive probability of failure [1]."""
        return self.failed / (self.failed + self.passed)


_DURATIONS = ("deal_s", "design_s", "fab_s", "qualification_s", "metal_respin_s", "full_respin_s")
_PROBABILITIES = ("first_silicon_good", "respin_good", "metal_respin_share", "scope_cut")
_MONEY = ("team_usd_per_s", "support_share", "masks_usd", "design_usd", "software_usd", "purchase_usd",
          "metal_respin_usd", "full_respin_usd")
_POSITIVE = ("slip", "performance")


@dataclass(frozen=True)
class ProgrammeParameters:
    """A chip programme before it is run; every range is drawn once per programme.

    Raises `BadValue` with all faults at once: a negative duration or amount, a probability outside [0, 1], gate shares
    that do not sum to 1, a purchase or a bid on a route that buys nothing.
    """

    name: str
    route: Route
    deal_s: Range
    """From the decision to the start of work: deal, approval, hiring of the core team [s]."""
    design_s: Range
    """Planned time from the start of work to tape-out [s]; the slip multiplies it."""
    fab_s: Range
    """From tape-out to first packaged silicon [s]."""
    qualification_s: Range
    """Planned time from good silicon to volume [s], respins excluded; the slip multiplies it."""
    slip: Range
    """Actual over planned time of design and qualification [1]."""
    first_silicon_good: Range
    """Probability that the first spin can go to production [1]."""
    respin_good: Range
    """Probability that a later spin can, given that the ones before could not [1]."""
    metal_respin_share: Range
    """Share of respins that change metal layers only [1]."""
    metal_respin_s: Range
    """Delay of a metal respin [s]."""
    full_respin_s: Range
    """Delay of a respin of all layers [s]."""
    metal_respin_usd: Range
    full_respin_usd: Range
    spin_limit: int
    """Spins after which a chip that still does not work is given up."""
    ended: PseudoCounts
    """Programmes that end before volume against those that reach it."""
    end_shares: tuple[float, float, float]
    """Where those end: in design, after tape-out, after a small deployment; sums to 1."""
    bid_failed: PseudoCounts
    """Bids that fail against bids that close; (0, 1) on routes without a bid."""
    performance: Range
    """Delivered over planned performance [1]."""
    scope_cut: Range
    """Probability that a use (training) is dropped on the way [1]."""
    team_usd_per_s: Range
    """Team from the start of work to volume [USD/s]."""
    support_share: Range
    """Share of the team's spend that goes on after volume [1]."""
    masks_usd: Range
    """First mask set, paid at tape-out."""
    design_usd: Range
    """Design tools, licensed blocks, implementation services and prototypes, spread over design."""
    software_usd: Range
    """Compilers, kernels and porting, spread from the start of work to volume."""
    purchase_usd: Range
    """Price of the bought company, paid when the deal closes; 0 on other routes."""

    def __post_init__(self) -> None:
        faults = [
            self._fault(name, getattr(self, name), "numbers >= 0")
            for name in (*_DURATIONS, *_MONEY) if getattr(self, name).low < 0
        ]
        faults += [
            self._fault(name, getattr(self, name), "numbers between 0 and 1")
            for name in _PROBABILITIES if not 0 <= getattr(self, name).low <= getattr(self, name).high <= 1
        ]
        faults += [
            self._fault(name, getattr(self, name), "numbers > 0") for name in _POSITIVE if getattr(self, name).low <= 0
        ]
        for name in ("ended", "bid_failed"):
            counts: PseudoCounts = getattr(self, name)
            sizes = (counts.failed, counts.passed)
            if not all(math.isfinite(size) and size >= 0 for size in sizes) or sum(sizes) == 0:
                faults.append(self._fault(name, counts, "two finite counts >= 0, not both 0"))
        if min(self.end_shares) < 0 or not math.isclose(sum(self.end_shares), 1.0, abs_tol=1e-9):
            faults.append(self._fault("end_shares", self.end_shares, "three shares >= 0 that sum to 1"))
        if self.spin_limit < 1:
            faults.append(self._fault("spin_limit", self.spin_limit, "1 or more"))
        if self.route is not Route.ACQUIRE:
            if self.purchase_usd.high > 0:
                faults.append(self._fault("purchase_usd", self.purchase_usd, "0 unless the route is acquire"))
            if self.bid_failed.failed > 0:
                faults.append(self._fault("bid_failed", self.bid_failed, "(0, 1) unless the route is acquire"))
        if faults:
            raise BadValue(*faults)

    def _fault(self, name: str, found: object, allowed: str) -> Fault:
        return Fault(f"programme {self.name}, {name}", str(found), allowed, f"correct {name} in the case")
