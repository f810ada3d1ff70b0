"""One programme from reference class to answer: counts, assumptions and simulation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from fabless.catalogue import Catalogue
from fabless.catalogue.facts.entities import range_of
from fabless.catalogue.facts.reference_class import ProgrammeKind, ReferenceCase, Span, cases, programme_facts
from fabless.catalogue.facts.takeovers import Candidate, Deal, deals
from fabless.programme.bands import ProgrammeSummary, quantiles, summary
from fabless.programme.draws import DrawnOutcomes
from fabless.programme.parameters import PricePath, ProgrammeModel, Rate, Route, SecondGeneration
from fabless.programme.posterior import LogTime, PseudoCounts
from fabless.programme.reference import (
    RateEstimate,
    distressed_rate,
    end_rates,
    event_counts,
    law_for,
    slip_range,
    span_law,
    span_times,
    with_survey,
)
from fabless.programme.simulation import simulate
from fabless.records import Band, Fact, Range
from fabless.sampling import mean, stream
from fabless.units import MONTH_S, Quarter

KIND_OF = {
    Route.BUILD: ProgrammeKind.FIRST, Route.CO_DESIGN: ProgrammeKind.PARTNER,
    Route.ACQUIRE: ProgrammeKind.ACQUIRED, Route.PARTNER: ProgrammeKind.FIRST,
}
"""Kind of programme that a route is compared with; a backer's chip is a first one of the backer's
own house."""
SPIN_LIMIT = 6
"""Spins after which a chip is given up; half of the most steppings of one product in the class."""
QUARTERS = 40
STANDS_AT = {
    "design": "RTL and verification", "taped out": "silicon", "production": "qualification",
}
"""How far the next chip of a candidate was -> the stage at which the programme stands when the deal
closes."""
_CERTAIN = {True: PseudoCounts(1.0, 0.0), False: PseudoCounts(0.0, 1.0)}


@dataclass(frozen=True, kw_only=True)
class ReferenceClass:
    """Everything that is counted for one kind of programme on a day."""

    kind: ProgrammeKind
    ended: RateEstimate
    first_silicon: RateEstimate
    scope_cut: RateEstimate
    later_ended: RateEstimate
    """Rate at which later generations of a line end; used for the second generation."""
    bid_failed: RateEstimate
    distressed: RateEstimate
    end_shares: tuple[float, float, float]
    end_cases: float
    span: Span
    span_s: LogTime
    """Predictive law of the whole span [s]."""
    span_cases: int
    """Number of timed cases of all kinds behind the span."""
    silicon_s: LogTime | None
    """Time from start to first silicon [s]; None if a company is bought."""
    silicon_cases: int

    @property
    def rates(self) -> tuple[RateEstimate, ...]:
        """The rates that the route uses."""
        shared = (self.ended, self.first_silicon, self.scope_cut)
        return (
            (*shared, self.bid_failed, self.distressed)
            if self.kind is ProgrammeKind.ACQUIRED
            else shared
        )


@dataclass(frozen=True, kw_only=True)
class ProgrammeStudy:
    """The answer to `fabless programme`."""

    route: Route
    as_of: dt.date
    start: str
    """First quarter: month 0 of the programme is its first day."""
    case: str | None
    """The case and the programme whose own numbers were used; None: the reference class."""
    candidate: Candidate | None
    stands_at: str
    slip: Range
    """Actual over planned time of design and qualification [1]."""
    draws: int
    seed: int
    quarters: int
    digest: str
    summary: ProgrammeSummary
    first_silicon: tuple[str, str, str] | None
    """Quarter of first silicon at P10, P50 and P90 of the draws that reach it."""
    volume: tuple[str, str, str] | None
    second_volume: tuple[str, str, str] | None
    """Quarter of the second generation's volume at P10, P50 and P90."""
    price_usd: Band | None
    """Price paid if a bid closes."""
    spend_by_quarter_usd: tuple[tuple[str, Band], ...]
    """Cumulative spend at the end of each quarter."""
    reference: ReferenceClass
    assumed: Mapping[str, Fact]
    """Assumed numbers, for which no cases were counted."""
    notes: tuple[str, ...]


def reference_class(
    known: tuple[ReferenceCase, ...], deals_known: tuple[Deal, ...], kind: ProgrammeKind,
    first_silicon: Range, scope_cut: Range,
) -> ReferenceClass:
    """Count the cases for a kind; `first_silicon` and `scope_cut` are what is believed beside
    them."""
    good = event_counts(known, "first_silicon_good")
    cut = event_counts(known, "scope_cut")
    span = Span.PURCHASE if kind is ProgrammeKind.ACQUIRED else Span.VOLUME
    ends = end_rates(known, deals_known, kind)
    return ReferenceClass(
        kind=kind,
        ended=ends.ended,
        first_silicon=with_survey("first silicon is good", first_silicon, *_sum(good)),
        scope_cut=with_survey("a use is dropped", scope_cut, *_sum(cut)),
        later_ended=ends.later_ended,
        bid_failed=ends.bid_failed,
        distressed=distressed_rate(deals_known),
        end_shares=ends.where.shares,
        end_cases=ends.where.cases,
        span=span,
        span_s=law_for(known, span, kind),
        span_cases=sum(map(len, span_times(known, span).values())),
        silicon_s=None if kind is ProgrammeKind.ACQUIRED else span_law(known, Span.SILICON, kind),
        silicon_cases=sum(map(len, span_times(known, Span.SILICON).values())),
    )


def _sum(counts: Mapping[ProgrammeKind, tuple[float, float]]) -> tuple[float, float]:
    return sum(yes for yes, _ in counts.values()), sum(no for _, no in counts.values())


def parameters_from(
    route: Route, reference: ReferenceClass, numbers: Mapping[str, Range],
    candidate: Candidate | None = None,
    second: bool = False,
) -> ProgrammeModel:
    """Parameters of a programme: rates and the slip from the class, the rest from `numbers`.

    The class times whole programmes, so the slip of design and qualification is what makes the
    stages come out as the class has the whole (`slip_range`), on the plan from the start. `numbers`
    has the names of `catalogue.facts.reference_class.programme_facts`, in SI.
    """
    acquire = route is Route.ACQUIRE
    before = numbers["integration" if acquire else "deal"]
    respins = (1.0 - reference.first_silicon.counts.mean) / mean(numbers["respin_good"])
    metal = mean(numbers["metal_respin_share"])
    delay = metal * mean(numbers["metal_respin"]) + (1.0 - metal) * mean(numbers["full_respin"])
    rest = mean(before) + mean(numbers["fab"]) + respins * delay
    kept = mean(numbers["retention"]) if acquire else 1.0
    planned = mean(numbers["design"]) / kept + mean(numbers["qualification"])
    stage = candidate.next_stage if candidate is not None else None
    return ProgrammeModel(
        name=route.value if candidate is None else candidate.name, route=route,
        deal_s=numbers["deal"], design_s=numbers["design"], fab_s=numbers["fab"],
        qualification_s=numbers["qualification"], slip=slip_range(reference.span_s, planned, rest),
        first_silicon_good=reference.first_silicon.counts, respin_good=numbers["respin_good"],
        metal_respin_share=numbers["metal_respin_share"], metal_respin_s=numbers["metal_respin"],
        full_respin_s=numbers["full_respin"], metal_respin_usd=numbers["metal_respin_cost"],
        full_respin_usd=numbers["full_respin_cost"], spin_limit=SPIN_LIMIT,
        ended=reference.ended.counts, end_shares=reference.end_shares,
        bid_failed=reference.bid_failed.counts if acquire else _CERTAIN[False],
        performance=numbers["performance"], scope_cut=reference.scope_cut.counts,
        team_usd_per_s=numbers["team"], support_share=numbers["support_share"],
        masks_usd=numbers["masks"], design_usd=numbers["design_cost"],
        software_usd=numbers["software"], purchase_usd=_purchase(acquire, numbers, candidate),
        price_path=_price_path(acquire, reference, numbers, candidate),
        integration_s=numbers["integration"] if acquire else Range.point(0.0),
        retention=numbers["retention"] if acquire else Range.point(1.0),
        stands_at=STANDS_AT.get(stage or "", ""),
        second=SecondGeneration(
            overlap_s=numbers["second_overlap"], design_s=numbers["second_design"],
            gain=numbers["second_gain"], ended=reference.later_ended.counts,
            design_usd=numbers["second_design_cost"], masks_usd=numbers["masks"],
        )
        if second
        else None,
    )


def _purchase(acquire: bool, numbers: Mapping[str, Range], candidate: Candidate | None) -> Range:
    """Last valuation of a candidate, else what companies of the day were worth; nothing where
    nothing is bought."""
    if not acquire:
        return Range.point(0.0)
    value = _valuation(candidate)
    return numbers["purchase"] if value is None else Range.point(value)


def _valuation(candidate: Candidate | None) -> float | None:
    fact = candidate.valuation if candidate is not None else None
    return fact.value if fact is not None and isinstance(fact.value, float) else None


def _price_path(
    acquire: bool, reference: ReferenceClass, numbers: Mapping[str, Range],
    candidate: Candidate | None,
) -> PricePath | None:
    """Distressed for sure where the candidate is known to be; None without a valuation that could
    be multiplied."""
    if not acquire or candidate is None or _valuation(candidate) is None:
        return None
    share: Rate = _CERTAIN[True] if candidate.distressed else reference.distressed.counts
    return PricePath(share, numbers["distressed_multiple"], numbers["contested_multiple"])


def study(
    catalogue: Catalogue, route: Route, *, candidate: Candidate | None = None,
    start: Quarter | None = None, draws: int = 20_000, seed: int = 2023,
    own: tuple[str, ProgrammeModel] | None = None,
    second: bool = False,
) -> ProgrammeStudy:
    """Run a programme `draws` times as the catalogue's day sees it.

    `own` is the name and the parameters of a programme that brings its own numbers; the class is
    then shown beside them. `start` is the quarter of that day where it is left out. Raises `Leak`
    or `BadValue` for a day that knows too little.
    """
    as_of = catalogue.as_of or newest(catalogue)
    facts = programme_facts(catalogue, route.value)
    numbers = {
        name: spread for name, fact in facts.items() if (spread := range_of(fact)) is not None
    }
    reference = reference_class(
        cases(catalogue), deals(catalogue), KIND_OF[route], numbers["first_silicon_good"],
        numbers["scope_cut"],
    )
    parameters = (
        own[1] if own is not None else parameters_from(route, reference, numbers, candidate, second)
    )
    first = start or Quarter.of(as_of)
    run = simulate(
        parameters, draws, stream(seed, f"programme {parameters.name}"), quarters=QUARTERS
    )
    figures = summary(run)
    unused = () if second else tuple(name for name in facts if name.startswith("second_"))
    counted = (
        *unused, "first_silicon_good", "scope_cut",
        "purchase" if _valuation(candidate) is not None else "",
    )
    return ProgrammeStudy(
        route=route, as_of=as_of, start=str(first), case=None if own is None else own[0],
        candidate=candidate, stands_at=parameters.stands_at, slip=parameters.slip, draws=draws,
        seed=seed, quarters=QUARTERS, digest=catalogue.digest, summary=figures,
        first_silicon=_dates(first, figures.first_silicon_month),
        volume=_dates(first, figures.volume_month),
        second_volume=_dates(first, figures.second_volume_month),
        price_usd=_price(parameters, run, draws, seed), spend_by_quarter_usd=_fan(first, run),
        reference=reference,
        assumed={}
        if own is not None
        else {name: fact for name, fact in facts.items() if name not in counted},
        notes=_notes(route, candidate, reference, own is not None),
    )


def newest(catalogue: Catalogue) -> dt.date:
    """Day of the newest knowledge of programmes and companies."""
    return max(
        fact.known
        for topic in ("programmes", "companies")
        for name in catalogue.topics[topic]
        for fact in catalogue.rows[name]
    )


def _dates(first: Quarter, months: Band | None) -> tuple[str, str, str] | None:
    if months is None:
        return None
    early, middle, late = (
        str(first.at_month(value)) for value in (months.p10, months.p50, months.p90)
    )
    return early, middle, late


def _price(parameters: ProgrammeModel, run: DrawnOutcomes, draws: int, seed: int) -> Band | None:
    """Price of the company where the bid closes: what the same draws spend more when the company
    costs twice as much."""
    closed = ~np.isnan(run.work_month)
    if parameters.route is not Route.ACQUIRE or not closed.any():
        return None
    cost = parameters.purchase_usd
    twice = replace(
        parameters, purchase_usd=Range(2.0 * cost.low, 2.0 * cost.mode, 2.0 * cost.high, cost.scale)
    )
    more = simulate(twice, draws, stream(seed, f"programme {parameters.name}"), quarters=QUARTERS)
    return quantiles((more.spend_usd - run.spend_usd)[closed])


def _fan(first: Quarter, run: DrawnOutcomes) -> tuple[tuple[str, Band], ...]:
    total = np.cumsum(run.spend_by_quarter_usd, axis=1)
    return tuple((str(first + k), quantiles(total[:, k])) for k in range(total.shape[1]))


def _notes(
    route: Route, candidate: Candidate | None, reference: ReferenceClass, own: bool
) -> tuple[str, ...]:
    notes = []
    if own:
        notes.append("dates, spend and outcome come from the case's own numbers; the reference "
                     "class is shown for comparison")
    if reference.ended.cases == 0:
        notes.append(
            f"no programme of the kind '{reference.kind.value}' had ended or shipped: its rate is that of one "
            "more kind"
        )
    if route is Route.ACQUIRE and candidate is None and not own:
        notes.append("no candidate named: the price is that of companies known on that day, and "
                     "no chip is in the fab")
    if candidate is not None:
        if candidate.valuation is None:
            notes.append("no valuation known: the price is that of companies known on that day")
        if candidate.next_stage is None:
            notes.append("no source states the stage of the next chip: assumed not begun")
    return tuple(notes)


def span_months(law: LogTime) -> tuple[float, float, float]:
    """P10, P50 and P90 of a time [month]."""
    early, middle, late = (float(value) / MONTH_S for value in law.quantile((0.1, 0.5, 0.9)))
    return early, middle, late
