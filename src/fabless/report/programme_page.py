"""The results page of chip programmes: each known one predicted from the others, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fabless.catalogue import Catalogue
from fabless.catalogue.facts.reference_class import cases
from fabless.programme.calibration import (
    TIMED,
    OutcomePrediction,
    PredictionScore,
    TimedPrediction,
    all_others,
    earlier_ones,
    modelled,
    score,
)
from fabless.wording import in_percent


def programme_results_page(catalogue: Catalogue) -> str:
    """Write the page from the catalogue's programmes."""
    known = cases(catalogue)
    whole, early = score(known, all_others), score(known, earlier_ones)
    model = modelled(catalogue)
    decided = sum(case.outcome is not None for case in known)
    return "\n".join([
        "# Chip programmes: each known one predicted from the others", "",
        "Made by `python docs/programme_results.py`; a test holds it current. The model: "
        "[reference class](../explanation/reference_class.md).", "",
        f"The class has {len(known)} programmes, of which {decided} have ended or shipped; {len(whole.timed)} times are "
        "known. Each is left out in turn. *All others*: later programmes too, so this tests the law, not foresight. "
        "*Earlier ones*: only those whose outcome was known before the programme began (before its own outcome, where "
        "its start is not known). *Stages*: the draws of `fabless programme`, its class without the programme in question.",
        "",
        "## Scores", "", *_scores(whole, early, model), "",
        "PIT is the probability that a prediction gave to a shorter time: over calibrated predictions it is uniform, with "
        "mean 0.5. The Brier score is the mean squared error of the probability of volume, where a small shipment counts as "
        f"half; the base rate takes all kinds as one. {_verdict(whole, early)}", "",
        "## Times", "", *_times(whole.timed, early.timed, model), "", "## Outcomes", "",
        *_outcomes(whole.outcomes, early.outcomes), "", *_doubts(),
    ]) + "\n"


def _scores(whole: PredictionScore, early: PredictionScore, model: Sequence[TimedPrediction]) -> list[str]:
    inside = sum(p.p10 <= p.actual <= p.p90 for p in model)
    drawn_pit = sum(p.pit for p in model) / len(model)
    covered = " | ".join((_coverage(whole), _coverage(early), in_percent(inside / len(model))))
    lines = ["| | all others | earlier ones | stages, all others |", "|---|---|---|---|",
             f"| times predicted | {len(whole.timed)} | {len(early.timed)} | {len(model)} |",
             f"| inside P10 to P90 | {whole.inside} | {early.inside} | {inside} |",
             f"| coverage of the 80 % band (90 % credible) | {covered} |",
             f"| mean PIT | {whole.mean_pit:.2f} | {early.mean_pit:.2f} | {drawn_pit:.2f} |",
             f"| outcomes predicted | {len(whole.outcomes)} | {len(early.outcomes)} | |",
             f"| Brier score | {whole.brier:.3f} | {early.brier:.3f} | |",
             f"| Brier score of the base rate | {whole.brier_base:.3f} | {early.brier_base:.3f} | |"]
    for span in TIMED:
        of_span = [[p for p in timed if p.span is span] for timed in (whole.timed, early.timed, model)]
        cells = [f"{sum(p.p10 <= p.actual <= p.p90 for p in timed)} of {len(timed)}" for timed in of_span]
        lines.append(f"| {span.value}, inside | {' | '.join(cells)} |")
    return lines


def _coverage(score: PredictionScore) -> str:
    if not score.timed:
        return "none"
    low, high = in_percent(score.coverage.low), in_percent(score.coverage.high)
    return f"{in_percent(score.inside / len(score.timed))} ({low} to {high})"


def _verdict(whole: PredictionScore, early: PredictionScore) -> str:
    better = "beats" if whole.brier < whole.brier_base else "does not beat"
    gain = 1.0 - whole.brier / whole.brier_base
    gain_early = 1.0 - early.brier / early.brier_base
    return (f"Knowing the kind {better} the base rate by {in_percent(abs(gain))} with all others, by "
            f"{in_percent(abs(gain_early))} "
            f"with earlier ones alone{' (worse)' if gain_early < 0 else ''}. With {len(whole.timed)} and {len(early.timed)} "
            "times the coverage is known only within the bands above: neither shows a fault, and "
            "neither could show a small one.")


def _times(
    whole: Sequence[TimedPrediction], early: Sequence[TimedPrediction], model: Sequence[TimedPrediction]
) -> list[str]:
    soon, drawn = _by_key(early), _by_key(model)
    lines = ["Months. *n*: timed programmes behind the prediction.", "",
             "| programme | kind | span | actual | all others P10, P50, P90 | PIT | earlier ones | n | PIT | stages | PIT |",
             "|---|---|---|---:|---|---:|---|---:|---:|---|---:|"]
    for p in sorted(whole, key=lambda p: (TIMED.index(p.span), p.name)):
        key = (p.name, p.span.value)
        before, staged = soon.get(key), drawn.get(key)
        lines.append(f"| {p.name} | {p.kind} | {p.span.value} | {p.actual:.0f} | {_band(p)} | {p.pit:.2f} | "
                     f"{_band(before) if before else ''} | {before.cases if before else ''} | "
                     f"{f'{before.pit:.2f}' if before else ''} | {_band(staged) if staged else ''} | "
                     f"{f'{staged.pit:.2f}' if staged else ''} |")
    return lines


def _by_key(timed: Sequence[TimedPrediction]) -> Mapping[tuple[str, str], TimedPrediction]:
    return {(p.name, p.span.value): p for p in timed}


def _band(prediction: TimedPrediction) -> str:
    return f"{prediction.p10:.0f}, {prediction.p50:.0f}, {prediction.p90:.0f}"


def _outcomes(whole: Sequence[OutcomePrediction], early: Sequence[OutcomePrediction]) -> list[str]:
    soon = {p.name: p for p in early}
    lines = ["Probability of volume.", "", "| programme | kind | outcome | all others | earlier ones | n |",
             "|---|---|---|---:|---:|---:|"]
    for p in sorted(whole, key=lambda p: (p.kind, p.name)):
        before = soon.get(p.name)
        sooner = f"{before.predicted:.2f} | {before.cases}" if before else " | "
        lines.append(f"| {p.name} | {p.kind} | {p.outcome.value} | {p.predicted:.2f} | {sooner} |")
    return lines


def _doubts() -> list[str]:
    return ["## Doubts", "",
            "- Starts are often the founding of a company, and months stand for days; a start may be a year off.",
            "- Cancelled in-house chips are under-reported, so that ends are counted too rarely.",
            "- Programmes of one company are counted as independent, which makes bands too narrow.",
            "- Programmes still open are left out, not counted as late: times are a little too short.",
            "- A later generation counts one by one; nine of eighteen are generations of one line of chips."]
