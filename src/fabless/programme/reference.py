"""What the reference class says of a programme to come: rates with their sample size, durations,
and the parameters.

Every rate has Jeffreys' prior and leans on the other kinds of programme: one law of rates over the
kinds, whose spread the cases themselves tell (`pooled_rates`). So a kind without cases gets the
wide band of "one more kind", and a kind with many keeps its own share. A shipment in small numbers
counts as half reached, half not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fabless.catalogue.facts.reference_class import Outcome, ProgrammeKind, ReferenceCase, Span
from fabless.catalogue.facts.takeovers import Deal
from fabless.errors import BadValue, Fault
from fabless.programme.posterior import (
    CredibleBand,
    LogTime,
    PseudoCounts,
    credible_band,
    jeffreys,
    log_time,
    pooled_prior,
)
from fabless.records import Array, Range
from fabless.sampling import mean, quantile

LIMITED_WEIGHT = 0.5
"""How far a shipment in small numbers counts as volume."""
DISTRESSED_BELOW = 0.7
"""Deals under this multiple of the last valuation count as distressed: it lies in the gap between
the two groups seen, 0.2 to 0.3 and 1 to 3."""
GATES = ("design", "tape-out", "deployment")
"""Where a programme can end: in design, after tape-out, after a small deployment."""
FASTEST = 0.35
"""Smallest slip: the fastest programme seen took about a third of its planned time."""
_PROBABILITIES = (0.1, 0.5, 0.9)

_KINDS = tuple(ProgrammeKind)
_LEVELS = 60


@dataclass(frozen=True, kw_only=True)
class RateEstimate:
    """A rate of one kind of programme: what was counted, its own posterior, and the one pooled over
    the kinds."""

    name: str
    kind: str
    events: float
    cases: float
    own: CredibleBand
    """Jeffreys' prior and the kind's own cases, nothing else."""
    pooled: CredibleBand
    counts: PseudoCounts
    """The pooled posterior as a Beta law of the same mean and variance: what the programme draws
    from."""


@dataclass(frozen=True)
class GateShares:
    """Where programmes that end early end."""

    shares: tuple[float, float, float]
    """In the order of `GATES`; posterior mean under Jeffreys' prior; sums to 1."""
    cases: float


@dataclass(frozen=True)
class EndRates:
    """What the programmes and deals known on a day say of how one kind of programme ends."""

    ended: RateEstimate
    """Rate of ending before volume."""
    where: GateShares
    later_ended: RateEstimate
    """Rate at which later generations of a line end, for the second generation."""
    bid_failed: RateEstimate


def end_rates(
    known: Sequence[ReferenceCase], deals_known: Sequence[Deal], kind: ProgrammeKind
) -> EndRates:
    """Count how programmes of a kind end, pooled over the kinds: of the class and of every case
    that states nothing else."""
    ended = kind_rates("ends before volume", outcome_counts(known))
    return EndRates(
        ended[kind], gate_shares(known),
        replace(ended[ProgrammeKind.LATER], name="a later one ends"), bid_rate(deals_known),
    )


def outcome_counts(cases: Iterable[ReferenceCase]) -> dict[ProgrammeKind, tuple[float, float]]:
    """Kind -> programmes that ended before volume, and that reached it; those still open count for
    neither."""
    weight = {Outcome.VOLUME: 0.0, Outcome.LIMITED: 1.0 - LIMITED_WEIGHT, Outcome.ENDED: 1.0}
    counts = dict.fromkeys(_KINDS, (0.0, 0.0))
    for case in cases:
        if case.outcome is not None:
            ended, reached = counts[case.kind]
            counts[case.kind] = (ended + weight[case.outcome], reached + 1.0 - weight[case.outcome])
    return counts


def event_counts(
    cases: Iterable[ReferenceCase], field: str
) -> dict[ProgrammeKind, tuple[float, float]]:
    """Kind -> cases in which a yes-or-no field of the case is yes, and is no; unknown counts for
    neither."""
    counts = dict.fromkeys(_KINDS, (0.0, 0.0))
    for case in cases:
        value = getattr(case, field)
        if value is not None:
            yes, no = counts[case.kind]
            counts[case.kind] = (yes + value, no + (not value))
    return counts


def pooled_rates(
    counts: Mapping[ProgrammeKind, tuple[float, float]],
) -> dict[ProgrammeKind, PseudoCounts]:
    """Posterior of each kind's rate when all kinds come from one law of rates.

    ``rate_k ~ Beta(m c, (1 - m) c)``; m under Jeffreys' prior, the shrinkage ``1 / (1 + c)`` uniform on (0, 1): no view on
    how alike the kinds are. Both are integrated out on a grid, and each posterior is given as the
    Beta law of its mean and variance. Counts may be fractions. Source: Gelman et al., Bayesian Data
    Analysis, 3rd ed., section 5.3.
    """
    from scipy.special import betaln

    level = (np.arange(_LEVELS) + 0.5) / _LEVELS
    mean, shrink = np.meshgrid(np.sin(0.5 * np.pi * level) ** 2, level, indexing="ij")
    size = 1.0 / shrink - 1.0
    a, b = mean * size, (1.0 - mean) * size
    log = sum(betaln(a + yes, b + no) - betaln(a, b) for yes, no in counts.values())
    weight = np.exp(log - np.max(log))
    weight /= weight.sum()
    rates = {}
    for kind, (yes, no) in counts.items():
        total = size + yes + no
        first = (a + yes) / total
        second = first * (a + yes + 1.0) / (total + 1.0)
        centre = float((weight * first).sum())
        variance = float((weight * second).sum()) - centre**2
        worth = centre * (1.0 - centre) / variance - 1.0
        rates[kind] = PseudoCounts(centre * worth, (1.0 - centre) * worth)
    return rates


def kind_rates(
    name: str, counts: Mapping[ProgrammeKind, tuple[float, float]]
) -> dict[ProgrammeKind, RateEstimate]:
    """Every kind's rate, own and pooled."""
    together = pooled_rates(counts)
    return {
        kind: RateEstimate(
            name=name, kind=kind.value, events=yes, cases=yes + no,
            own=credible_band(jeffreys(yes, no)), pooled=credible_band(together[kind]),
            counts=together[kind],
        )
        for kind, (yes, no) in counts.items()
    }


def single_rate(name: str, events: float, others: float) -> RateEstimate:
    """A rate that is counted over all kinds together."""
    counts = jeffreys(events, others)
    band = credible_band(counts)
    return RateEstimate(
        name=name, kind="all", events=events, cases=events + others, own=band, pooled=band,
        counts=counts,
    )


def with_survey(name: str, survey: Range, events: float, others: float) -> RateEstimate:
    """A rate known from a survey, given as a range, and from a few cases of the class.

    The survey is the prior: the Beta law with the mean and the variance of its range.

    >>> estimate = with_survey("good", Range(0.15, 0.24, 0.35), 1, 0)
    >>> round(estimate.pooled.mean, 3), estimate.cases
    (0.253, 1)
    """
    low, mode, high = survey.low, survey.mode, survey.high
    variance = (low**2 + mode**2 + high**2 - low * mode - low * high - mode * high) / 18.0
    centre = mean(survey)
    worth = centre * (1.0 - centre) / variance - 1.0
    counts = PseudoCounts(centre * worth + events, (1.0 - centre) * worth + others)
    own_band = credible_band(jeffreys(events, others))
    return RateEstimate(
        name=name, kind="all", events=events, cases=events + others, own=own_band,
        pooled=credible_band(counts), counts=counts,
    )


def gate_shares(cases: Iterable[ReferenceCase]) -> GateShares:
    """Where programmes that ended before volume ended, over all kinds but start-ups' ends for want
    of money.

    A chip given up in production had been deployed: it counts at the last gate, and so does half of
    each small shipment.
    """
    seen = dict.fromkeys(GATES, 0.0)
    for case in cases:
        if case.kind is ProgrammeKind.STARTUP:
            continue
        if case.outcome is Outcome.ENDED and case.end_gate is not None:
            seen["deployment" if case.end_gate == "production" else case.end_gate] += 1.0
        elif case.outcome is Outcome.LIMITED:
            seen["deployment"] += 1.0 - LIMITED_WEIGHT
    total = sum(seen.values())
    in_design, taped_out, deployed = ((seen[gate] + 0.5) / (total + 1.5) for gate in GATES)
    return GateShares((in_design, taped_out, deployed), total)


def bid_rate(deals: Sequence[Deal]) -> RateEstimate:
    """How often a known bid for a chip company fails."""
    failed = sum(not deal.closed for deal in deals)
    return single_rate("bid fails", failed, len(deals) - failed)


def distressed_rate(deals: Sequence[Deal]) -> RateEstimate:
    """Rate of deals far below the last valuation, among deals and bids with both figures known."""
    multiples = price_multiples(deals)
    low = sum(value < DISTRESSED_BELOW for value in multiples.values())
    return single_rate("price is distressed", low, len(multiples) - low)


def price_multiples(deals: Sequence[Deal]) -> dict[str, float]:
    """Company -> price (or failed bid) over the last valuation known before."""
    return {deal.name: deal.price_usd / deal.last_valuation_usd for deal in deals
            if deal.price_usd is not None and deal.last_valuation_usd is not None}


def span_times(
    cases: Iterable[ReferenceCase], span: Span
) -> dict[ProgrammeKind, tuple[float, ...]]:
    """Kind -> times of a span [s], of the kinds that have some."""
    times: dict[ProgrammeKind, tuple[float, ...]] = {}
    for case in cases:
        if span in case.spans:
            times[case.kind] = (*times.get(case.kind, ()), case.spans[span])
    return times


def span_law(cases: Iterable[ReferenceCase], span: Span, kind: ProgrammeKind) -> LogTime | None:
    """Predictive law of a span [s] for one more programme of a kind; None where fewer than two
    different times are known.

    Times are normal on the logarithm. With two kinds or more the prior is pooled over them, else
    the cases stand alone.
    """
    times = span_times(cases, span)
    every = [value for group in times.values() for value in group]
    if len(times) > 1 and any(len({*group}) > 1 for group in times.values()):
        return log_time(times.get(kind, ()), pooled_prior(list(times.values())))
    own_times = times.get(kind, every)
    chosen = own_times if len({*own_times}) > 1 else every
    return log_time(chosen) if len({*chosen}) > 1 else None


def slip_range(total: LogTime, planned_s: float, rest_s: float) -> Range:
    """Actual over planned time [1] that makes a whole span come out as the class has it.

    ``span = slip * planned + rest``, at the means of what slips and of what does not [s]; so the slip's P10, P50 and P90 are
    those of the span less the rest, over the plan, none below `FASTEST`. The range is triangular on
    the logarithm, fitted to the three by least squares: it has ends, where the class's own law has
    none.
    """
    from scipy.optimize import least_squares

    wanted = np.log(np.maximum((total.quantile(_PROBABILITIES) - rest_s) / planned_s, FASTEST))

    def ends(x: Array) -> Range:
        low, mode, high = np.exp([x[0] - np.exp(x[1]), x[0], x[0] + np.exp(x[2])])
        return Range(float(low), float(mode), float(high), "log")

    def miss(x: Array) -> Array:
        return np.asarray(np.log(quantile(ends(x), np.array(_PROBABILITIES))) - wanted)

    start = np.array([wanted[1], *np.log(np.maximum(np.diff(wanted), 0.05) * 1.8)])
    lower, upper = np.array([-5.0, -7.0, -7.0]), np.array([5.0, 2.0, 2.0])
    inside = np.clip(start, lower + 0.01, upper - 0.01)
    return ends(least_squares(miss, inside, bounds=(lower, upper)).x)  # type: ignore[operator]


def law_for(cases: Sequence[ReferenceCase], span: Span, kind: ProgrammeKind) -> LogTime:
    """`span_law`, or a `BadValue` where the class knows too little."""
    law = span_law(cases, span, kind)
    if law is None:
        raise BadValue(
            Fault(
                "reference class", f"fewer than two different times known for {span.value}",
                "a day on which the class has timed programmes",
                "choose a later --as-of, or give --case",
            )
        )
    return law
