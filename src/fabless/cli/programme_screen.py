"""What `fabless programme` prints, on one screen."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

import numpy as np
from rich.console import Console

from fabless.catalogue.facts.entities import range_of
from fabless.catalogue.facts.takeovers import Candidate
from fabless.programme.bands import StageBand
from fabless.programme.draws import OutcomeKind
from fabless.programme.posterior import CredibleBand
from fabless.programme.reference import DISTRESSED_BELOW, RateEstimate
from fabless.programme.study import ProgrammeStudy, span_months
from fabless.records import Fact
from fabless.report import Column, print_table, say
from fabless.sampling import quantile
from fabless.units import Quarter, from_si
from fabless.wording import MISSING, in_percent, plain, quarter_range, usd

_DATES = ("P10", "P50", "P90")


def print_study(study: ProgrammeStudy, console: Console, of_the_day: Sequence[str] = ()) -> None:
    """Print dates, outcomes, money, the reference class and the assumptions on 80 columns."""
    say(console, programme_headline(study), "bold")
    console.print()
    _print_stages(study, console)
    console.print()
    _print_outcomes(study, console)
    console.print()
    _print_class(study, console)
    if study.candidate is not None or study.price_usd is not None:
        console.print()
        _print_purchase(study, console)
    if study.assumed:
        console.print()
        say(
            console,
            "Assumed, low / mode / high: " + "; ".join(map(_assumed, study.assumed.items())) + ".",
            "dim",
        )
    for note in study.notes:
        say(console, f"Note: {note}.", "dim")
    if of_the_day:
        say(console, f"Candidates on {study.as_of}: {', '.join(of_the_day)} (--candidate NAME).")


def programme_headline(study: ProgrammeStudy) -> str:
    """Share of programmes that reach volume, and when, in one sentence."""
    reached = study.summary.outcome_bands[OutcomeKind.VOLUME]
    what = (
        study.route.value
        if study.candidate is None
        else f"{study.route.value} {study.candidate.title}"
    )
    of_case = f", numbers of {study.case}" if study.case else ""
    return (
        f"{what} from {study.start}, as known on {study.as_of}{of_case}: {in_percent(reached.mean)} reach volume (90% band "
        f"{in_percent(reached.low)} to {in_percent(reached.high)}); first silicon {quarter_range(study.first_silicon)}, "
        "volume "
        f"{quarter_range(study.volume)}, where they come{_second(study)}"
    )


def _second(study: ProgrammeStudy) -> str:
    if study.second_volume is None:
        return ""
    return f"; second generation {quarter_range(study.second_volume)}"


def _print_stages(study: ProgrammeStudy, console: Console) -> None:
    first = Quarter.parse(study.start)
    columns = [
        Column("stage", name=True), Column("starts P50", True),
        *(Column(f"done {name}", True) for name in _DATES), Column("months P50", True),
        Column("reached", True),
    ]
    print_table("By stage, of the simulated programmes that complete it", columns,
                [_stage(stage, first) for stage in in_order(study)], console)


def in_order(study: ProgrammeStudy) -> list[StageBand]:
    """Stages in the order in which they end."""
    return sorted(
        study.summary.stages, key=lambda stage: (stage.end_month.p50, stage.start_month.p50)
    )


def _stage(stage: StageBand, first: Quarter) -> list[str]:
    begin, end = stage.start_month, stage.end_month
    return [
        stage.name, _quarter(first, begin.p50),
        *(_quarter(first, value) for value in (end.p10, end.p50, end.p90)),
        plain(round(end.p50 - begin.p50, 1)), in_percent(stage.reached),
    ]


def _quarter(first: Quarter, month: float) -> str:
    return str(first.at_month(month))


def _print_outcomes(study: ProgrammeStudy, console: Console) -> None:
    summary = study.summary
    ends = (
        f"{kind.name.lower().replace('_', ' ')} {_band(band)}"
        for kind, band in summary.outcome_bands.items()
        if band.high > 0
    )
    say(console, f"Outcome, mean and 90% band: {', '.join(ends)}.")
    money = (
        ("spend in ten years", summary.spend_usd),
        ("peak cash before volume", summary.peak_cash_usd),
        ("capital at risk", summary.capital_at_risk_usd),
    )
    print_table(
        "", [Column("USD of 2023", name=True), *(Column(name, True) for name in (*_DATES, "mean"))],
        [[name, *map(usd, (band.p10, band.p50, band.p90, band.mean))] for name, band in money],
        console,
    )


def _band(band: CredibleBand) -> str:
    return f"{in_percent(band.mean)} ({in_percent(band.low)}–{in_percent(band.high)})"


def _print_class(study: ProgrammeStudy, console: Console) -> None:
    reference = study.reference
    columns = [Column("rate", name=True), Column("seen", True), Column("cases", True),
               Column("own cases", True), Column("used", True)]
    print_table(f"Reference class: programmes of the kind '{reference.kind.value}' known on "
                f"{study.as_of}", columns,
                [_rate(rate) for rate in (*reference.rates, *_later(study))], console)
    early, middle, late = span_months(reference.span_s)
    slip = [
        plain(round(float(value), 1)) for value in quantile(study.slip, np.array((0.1, 0.5, 0.9)))
    ]
    said = (
        f"{reference.span.value}: {middle:.0f} months ({early:.0f} to {late:.0f}, P10 to P90) from "
        f"{reference.span_cases} timed programmes, {reference.span_s.cases:g} of this kind."
    )
    if study.case is None:
        said += (
            f" So design and qualification take {slip[1]} ({slip[0]} to {slip[2]}) times the plan."
        )
    if reference.silicon_s is not None:
        early, middle, late = span_months(reference.silicon_s)
        said += f" Start to first silicon: {middle:.0f} months ({early:.0f} to {late:.0f}) from {reference.silicon_cases}."
    in_design, taped_out, deployed = reference.end_shares
    said += (
        f" Those that end: {in_percent(in_design)} in design, {in_percent(taped_out)} after tape-out, "
        f"{in_percent(deployed)} after a "
        f"small deployment ({reference.end_cases:g} cases)."
    )
    say(console, said)
    say(console, "The column 'used' pools all kinds of programme, or takes a survey or an "
                 "assumption as its prior. A shipment in small numbers counts as half a "
                 "success.", "dim")


def _later(study: ProgrammeStudy) -> tuple[RateEstimate, ...]:
    return () if study.second_volume is None else (study.reference.later_ended,)


def _rate(rate: RateEstimate) -> list[str]:
    return [rate.name, plain(rate.events), plain(rate.cases), _band(rate.own), _band(rate.pooled)]


def _print_purchase(study: ProgrammeStudy, console: Console) -> None:
    target = study.candidate
    if target is not None:
        rows = [
            ("product", target.product), ("next chip", target.next_chip),
            ("how far", target.next_stage), ("last valuation", _money(target.valuation)),
            ("capital raised", _money(target.raised)), ("employees", _people(target.employees)),
            ("known of it", "; ".join(target.notes) or "nothing more"),
        ]
        print_table(f"{target.title}, as known on {study.as_of}", [Column("", name=True), ""],
                    [[name, value or "no source"] for name, value in rows], console)
    price = study.price_usd
    paid = (
        f"Price paid {usd(price.p50)} ({usd(price.p10)} to {usd(price.p90)}): "
        if price is not None
        else "Price: "
    )
    rate = study.reference.distressed
    path = "as companies of that day were priced"
    if target is not None and target.valuation is not None:
        path = (
            "a distressed seller"
            if target.distressed
            else (
                f"distressed (under {DISTRESSED_BELOW:g} of the last valuation) with {in_percent(rate.pooled.mean)}, else "
                "contested"
            )
        )
        path += f"; {rate.cases:g} priced deals known"
    stands = (
        f" Its next chip is under way: the programme enters at {study.stands_at}."
        if study.stands_at
        else ""
    )
    say(console, f"{paid}{path}.{stands}")


def _money(fact: Fact | None) -> str | None:
    if fact is None or not isinstance(fact.value, float):
        return None
    return f"{usd(fact.value)} ({fact.period or fact.known}, {fact.grade.value}, {fact.source.id})"


def _people(fact: Fact | None) -> str | None:
    if fact is None or not isinstance(fact.value, float):
        return None
    return f"{fact.value:.0f} ({fact.period or fact.known}, {fact.source.id})"


def _assumed(item: tuple[str, Fact]) -> str:
    name, fact = item
    spread = range_of(fact)
    assert spread is not None
    ends = " / ".join(
        plain(from_si(value, fact.unit)) for value in (spread.low, spread.mode, spread.high)
    )
    unit = "" if fact.unit == "1" else f" {fact.unit}"
    return f"{name.replace('_', ' ')} {ends}{unit}"


def print_candidates(
    companies: Sequence[Candidate], as_of: dt.date | None, console: Console
) -> None:
    """List the companies that could be bought on a day."""
    if not companies:
        say(console, f"No candidate was known on {as_of}.")
        return
    columns: list[Column | str] = [
        Column("candidate", name=True), Column("valuation", True), Column("raised", True),
        Column("people", True), Column("next chip", name=True), "product",
    ]
    rows = [
        [
            company.name + ("*" if company.distressed else ""), _short(company.valuation),
            _short(company.raised), _short(company.employees, True), company.next_stage or MISSING,
            company.product or MISSING,
        ]
        for company in companies
    ]
    print_table(
        f"{len(rows)} candidates" + (f" on {as_of}" if as_of else ""), columns, rows, console
    )
    say(console, "* distressed seller. A dash: no source states it. Sources: fabless show "
                 "NAME.", "dim")


def _short(fact: Fact | None, people: bool = False) -> str:
    if fact is None or not isinstance(fact.value, float):
        return MISSING
    return f"{fact.value:.0f}" if people else usd(fact.value)


def programme_document(study: ProgrammeStudy) -> dict[str, object]:
    """A study for JSON: outcomes, ends and rates by name, times in months from the start."""
    summary = study.summary
    fields = {
        field.name: getattr(study, field.name)
        for field in dataclasses.fields(study)
        if field.name != "summary"
    }
    fields["spend_by_quarter_usd"] = [{"quarter": quarter, "spend_usd": band}
                                      for quarter, band in study.spend_by_quarter_usd]
    return fields | {
        "outcomes": {kind.name.lower(): band for kind, band in summary.outcome_bands.items()},
        "ends": {end.name.lower(): band for end, band in summary.end_bands.items()},
        "drawn_rates": summary.rate_bands,
        "rates": study.reference.rates,
        "stages": in_order(study),
        "first_silicon_month": summary.first_silicon_month,
        "volume_month": summary.volume_month,
        "spins_mean": summary.spins_mean,
        "spend_usd": summary.spend_usd,
        "peak_cash_usd": summary.peak_cash_usd,
        "peak_quarter_usd": summary.peak_quarter_usd,
        "capital_at_risk_usd": summary.capital_at_risk_usd,
        "scope_cut_share": summary.scope_cut_share,
    }
