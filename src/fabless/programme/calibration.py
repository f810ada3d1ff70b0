"""Leave known programmes out one by one, and score the prediction from the others.

Twice: from all other programmes, and from those alone whose outcome was known before the one left
out began (where its start is not known: before its own outcome was). Predictions of dates are the
class's laws; `fabless programme` lays its stages so that their sum follows the same law.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fabless.catalogue import Catalogue
from fabless.catalogue.facts.entities import range_of
from fabless.catalogue.facts.reference_class import Outcome, ProgrammeKind, ReferenceCase, Span, programme_facts
from fabless.catalogue.facts.reference_class import cases as cases_of
from fabless.catalogue.facts.takeovers import deals
from fabless.programme.draws import DrawnOutcomes
from fabless.programme.parameters import Route
from fabless.programme.posterior import CredibleBand, credible_band, jeffreys
from fabless.programme.reference import LIMITED_WEIGHT, outcome_counts, pooled_rates, span_law
from fabless.programme.simulation import simulate
from fabless.programme.study import parameters_from, reference_class
from fabless.sampling import stream
from fabless.units import MONTH_S

REACHED = {Outcome.VOLUME: 1.0, Outcome.LIMITED: LIMITED_WEIGHT, Outcome.ENDED: 0.0}
"""Weight with which an outcome counts as volume."""
TIMED = (Span.SILICON, Span.VOLUME, Span.PURCHASE)
"""Time spans that are predicted."""
ROUTE_OF = {
    ProgrammeKind.FIRST: Route.BUILD, ProgrammeKind.STARTUP: Route.BUILD,
    ProgrammeKind.PARTNER: Route.CO_DESIGN, ProgrammeKind.ACQUIRED: Route.ACQUIRE,
}
"""Kind of programme -> route with the stages of that kind."""
Others = Callable[[ReferenceCase, Sequence[ReferenceCase]], tuple[ReferenceCase, ...]]


@dataclass(frozen=True, kw_only=True)
class TimedPrediction:
    """A span of one programme against its prediction from others [month]."""

    name: str
    kind: str
    span: Span
    actual: float
    p10: float
    p50: float
    p90: float
    pit: float
    """Probability that the prediction gave to a shorter time; uniform over programmes if
    predictions are calibrated."""
    cases: int
    """Timed cases of all kinds behind the prediction."""


@dataclass(frozen=True, kw_only=True)
class OutcomePrediction:
    """The outcome of one programme against its prediction from others."""

    name: str
    kind: str
    outcome: Outcome
    reached: float
    """1 for volume, the weight of a small shipment, 0 for an end."""
    predicted: float
    """Probability of volume, from the kinds pooled."""
    base: float
    """Probability of volume, from all kinds taken as one."""
    cases: int


@dataclass(frozen=True, kw_only=True)
class PredictionScore:
    """How good a set of predictions is."""

    timed: tuple[TimedPrediction, ...]
    outcomes: tuple[OutcomePrediction, ...]
    inside: int
    """Number of times inside their P10 to P90."""
    coverage: CredibleBand
    """Coverage of the 80 % band: posterior under Jeffreys' prior, so that few cases leave it
    wide."""
    mean_pit: float
    brier: float
    """Mean squared error of the probability of volume; nan without predictions."""
    brier_base: float


def all_others(case: ReferenceCase, cases: Sequence[ReferenceCase]) -> tuple[ReferenceCase, ...]:
    """Every other programme, later ones too."""
    return tuple(other for other in cases if other.name != case.name)


def earlier_ones(case: ReferenceCase, cases: Sequence[ReferenceCase]) -> tuple[ReferenceCase, ...]:
    """Other programmes whose outcome was known before this one began, or before its own outcome
    where no start is known."""
    day = case.began or case.decided
    return tuple(
        other
        for other in cases
        if other.name != case.name
        and day is not None
        and other.decided is not None
        and other.decided < day
    )


def score(cases: Sequence[ReferenceCase], others: Others) -> PredictionScore:
    """Leave every programme out in turn and predict it from the others that `others` gives."""
    left = [(case, others(case, cases)) for case in cases]
    timed = tuple(
        time for case, rest in left for span in TIMED if (time := _timed(case, span, rest))
    )
    outcomes = tuple(end for case, rest in left if (end := _outcome(case, rest)))
    inside = sum(p.p10 <= p.actual <= p.p90 for p in timed)
    return PredictionScore(
        timed=timed, outcomes=outcomes, inside=inside,
        coverage=credible_band(jeffreys(inside, len(timed) - inside)),
        mean_pit=_mean([p.pit for p in timed]),
        brier=_mean([(p.predicted - p.reached) ** 2 for p in outcomes]),
        brier_base=_mean([(p.base - p.reached) ** 2 for p in outcomes]))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")


def _timed(
    case: ReferenceCase, span: Span, others: Sequence[ReferenceCase]
) -> TimedPrediction | None:
    if span not in case.spans:
        return None
    law = span_law(others, span, case.kind)
    if law is None:
        return None
    p10, p50, p90 = (float(value) / MONTH_S for value in law.quantile((0.1, 0.5, 0.9)))
    return TimedPrediction(
        name=case.name, kind=case.kind.value, span=span, actual=case.spans[span] / MONTH_S, p10=p10,
        p50=p50, p90=p90, pit=float(law.cdf(case.spans[span])),
        cases=sum(span in other.spans for other in others),
    )


def _outcome(case: ReferenceCase, others: Sequence[ReferenceCase]) -> OutcomePrediction | None:
    if case.outcome is None:
        return None
    counts = outcome_counts(others)
    ended, reached = (sum(count[k] for count in counts.values()) for k in (0, 1))
    return OutcomePrediction(
        name=case.name, kind=case.kind.value, outcome=case.outcome, reached=REACHED[case.outcome],
        predicted=1.0 - pooled_rates(counts)[case.kind].mean,
        base=1.0 - jeffreys(ended, reached).mean,
        cases=sum(other.outcome is not None for other in others),
    )


def modelled(
    catalogue: Catalogue, draws: int = 8192, seed: int = 2023
) -> tuple[TimedPrediction, ...]:
    """Predict the times of every programme from the staged model, its class without the programme
    itself.

    A purchase is timed from its close, everything else from the decision. Programmes whose kind no
    route stands for (later generations, merchants) are left out.
    """
    known, deals_known = cases_of(catalogue), deals(catalogue)
    predictions = []
    for case in known:
        route = ROUTE_OF.get(case.kind)
        if route is None or not any(span in case.spans for span in TIMED):
            continue
        facts = programme_facts(catalogue, route.value)
        numbers = {
            name: spread for name, fact in facts.items() if (spread := range_of(fact)) is not None
        }
        reference = reference_class(
            all_others(case, known), deals_known, case.kind, numbers["first_silicon_good"],
            numbers["scope_cut"],
        )
        run = simulate(
            parameters_from(route, reference, numbers), draws,
            stream(seed, f"calibration {case.name}"),
        )
        for span in TIMED:
            if span in case.spans and not (span is Span.PURCHASE) ^ (route is Route.ACQUIRE):
                predictions.append(_drawn(case, span, run, reference.span_cases))
    return tuple(predictions)


def _drawn(case: ReferenceCase, span: Span, run: DrawnOutcomes, cases: int) -> TimedPrediction:
    months = run.first_silicon_month if span is Span.SILICON else run.volume_month
    if span is Span.PURCHASE:
        months = months - run.finish_of("deal")
    reached = months[~np.isnan(months)]
    p10, p50, p90 = (float(value) for value in np.quantile(reached, (0.1, 0.5, 0.9)))
    actual = case.spans[span] / MONTH_S
    return TimedPrediction(
        name=case.name, kind=case.kind.value, span=span, actual=actual, p10=p10, p50=p50, p90=p90,
        pit=float(np.mean(reached <= actual)), cases=cases)
