"""The reference class: counts by hand, days that cannot see ahead, posteriors against brute force,
and the calibration."""

from __future__ import annotations

import datetime as dt
import importlib.util
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fabless.case_records import Case, named
from fabless.catalogue import Catalogue, load, read_case
from fabless.catalogue.facts.reference_class import Outcome, ProgrammeKind, ReferenceCase, Span, cases, programme_facts
from fabless.catalogue.facts.takeovers import Deal, candidate, candidates, deals
from fabless.errors import BadValue, Leak, UnknownName
from fabless.programme.calibration import all_others, earlier_ones, score
from fabless.programme.posterior import LogTime, jeffreys, log_time
from fabless.programme.reference import (
    bid_rate,
    distressed_rate,
    event_counts,
    gate_shares,
    kind_rates,
    outcome_counts,
    pooled_rates,
    price_multiples,
    slip_range,
    span_law,
    span_times,
    with_survey,
)
from fabless.records import Range
from fabless.sampling import quantile
from fabless.units import MONTH_S

ROOT = Path(__file__).parent.parent
OCTOBER = dt.date(2023, 10, 31)


@pytest.fixture(scope="module")
def october() -> Catalogue:
    return load(OCTOBER)


@pytest.fixture(scope="module")
def today() -> Catalogue:
    return load()


@pytest.fixture(scope="module")
def reference() -> Case:
    return read_case()


def made(name: str, kind: ProgrammeKind, outcome: Outcome | None = None, months: float | None = None) -> ReferenceCase:
    """A programme of no real company."""
    return ReferenceCase(
        name=name, organisation=name, kind=kind, generation=1, outcome=outcome,
        decided=dt.date(2020, 1, 1) if outcome else None, began=None, end_gate=None,
        first_silicon_good=None, scope_cut=None,
        spans={} if months is None else {Span.VOLUME: months * MONTH_S},
    )


# ------------------------------------------------------------------------------------------------------
# what a day sees


def test_counts_of_october_2023_by_hand(october: Catalogue) -> None:
    """In-house first chips: TPU v1 in volume; Hanguang, MTIA v1 and Dojo D1 small; MTIA v0 and Zeku
    ended; Maia open.

    Bought: A4 and Inferentia in volume, Gaudi 2 small, Nervana ended; the chip of Nuvia was open.
    Seven later ones shipped.
    """
    counts = outcome_counts(cases(october))
    assert counts[ProgrammeKind.FIRST] == (2 + 3 / 2, 1 + 3 / 2)
    assert counts[ProgrammeKind.ACQUIRED] == (1 + 1 / 2, 2 + 1 / 2)
    assert counts[ProgrammeKind.LATER] == (0.0, 7.0)
    assert counts[ProgrammeKind.PARTNER] == (0.0, 0.0)


def test_gates_of_october_2023_by_hand(october: Catalogue) -> None:
    """Zeku and Rialto ended in design, MTIA v0 and Nervana after deployment, and half of five small
    shipments did."""
    ends = gate_shares(cases(october))
    assert ends.cases == 2 + 2 + 5 / 2
    assert ends.shares == pytest.approx((2.5 / 8, 0.5 / 8, 5 / 8))


@pytest.mark.parametrize(
    "day", [dt.date(2016, 1, 1), dt.date(2019, 12, 31), OCTOBER, dt.date(2025, 6, 1)], ids=str
)
def test_no_day_sees_ahead(day: dt.date) -> None:
    catalogue = load(day)
    for case in cases(catalogue):
        assert case.decided is None or case.decided <= day
        assert case.began is None or case.began <= day
    for one in candidates(catalogue):
        assert all(fact.known <= day for fact in one.facts)
    assert all(deal.known <= day for deal in deals(catalogue))


def test_what_october_2023_could_not_know(october: Catalogue) -> None:
    seen = {case.name: case for case in cases(october)}
    assert "openai-jalapeno" not in seen
    assert seen["ms-maia100"].outcome is None
    assert seen["groq-v1"].outcome is Outcome.LIMITED  # sold in 2025: that says nothing of the chip
    assert Span.VOLUME not in seen["ms-maia100"].spans


def test_spans_come_from_dates_or_from_a_stated_number(today: Catalogue) -> None:
    months = {case.name: round(case.spans[Span.VOLUME] / MONTH_S) for case in cases(today) if Span.VOLUME in case.spans}
    assert months == {
        "google-tpu-v1": 15, "graphcore-gc2": 24, "groq-v1": 47, "cerebras-wse1": 50,
        "tesla-dojo-d1": 51, "ms-maia100": 60, "tenstorrent-grayskull": 63, "dmatrix-corsair": 66,
    }
    bought = sorted(round(value / MONTH_S) for value in span_times(cases(today), Span.PURCHASE)[ProgrammeKind.ACQUIRED])
    assert bought == [24, 29, 39, 39, 46]


def test_a_day_before_the_first_programme_is_an_error() -> None:
    with pytest.raises(BadValue, match="2008-04-30 or later"):
        cases(load(dt.date(2005, 1, 1)))


def test_numbers_of_a_programme_have_a_day_too(october: Catalogue) -> None:
    assert programme_facts(october, "build")["respin_good"].value == 0.5
    with pytest.raises(Leak):
        programme_facts(load(dt.date(2020, 1, 1)), "build")


def test_numbers_are_those_of_the_reference_case(october: Catalogue, reference: Case) -> None:
    """The case takes them from the catalogue."""
    for route, name in (("build", "own-build"), ("co-design", "co-design"), ("acquire", "acquisition")):
        facts = programme_facts(october, route)
        for field in (
            "deal", "design", "team", "design_cost", "software", "qualification", "masks",
            "performance", "scope_cut",
        ):
            spread = named(reference.numbers)[f"programmes.{name}.{field}"].spread
            fact = facts[field]
            assert (fact.low, fact.value, fact.high) == pytest.approx((spread.low, spread.mode, spread.high)), (name, field)


# ----------------------------------------------------------------------------------------------------------
# candidates


def test_a_candidate_leaves_on_the_day_of_its_sale() -> None:
    for name, day in (("graphcore", dt.date(2024, 7, 11)), ("groq", dt.date(2025, 12, 24)),
                      ("rivos", dt.date(2025, 10, 31))):
        before = {one.name for one in candidates(load(day - dt.timedelta(days=1)))}
        assert name in before
        assert name not in {one.name for one in candidates(load(day))}


def test_candidates_of_october_2023(october: Catalogue) -> None:
    found = {one.name: one for one in candidates(october)}
    assert len(found) == 15
    assert found["graphcore"].distressed
    assert found["graphcore"].valuation is not None
    assert found["graphcore"].valuation.value == pytest.approx(2.77e9)
    assert found["groq"].next_stage == "design"  # a foundry deal of August 2023; to the fab in June 2024
    assert {name for name, one in found.items() if one.valuation is None} >= {"d-matrix", "rain-ai"}  # missing stays missing
    later = candidate(load(dt.date(2024, 7, 1)), "Groq")
    assert later.next_stage == "taped out"


@pytest.mark.parametrize(("name", "kind", "said"), [
    ("graphcor", UnknownName, "did you mean graphcore"),
    ("densityai", BadValue, "became known on 2025-08-31"),
    ("habana", BadValue, "was sold: known on 2019-12-31, to Intel"),
    ("arm", BadValue, "not for sale"),
])
def test_a_wrong_candidate_names_the_day_and_those_of_the_day(
    october: Catalogue, name: str, kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said) as raised:
        candidate(october, name)
    assert "graphcore" in str(raised.value)
    assert "tenstorrent" in str(raised.value)


def test_prices_over_the_last_valuation_by_hand(today: Catalogue, october: Catalogue) -> None:
    """Graphcore 600 of 2,770, SambaNova 1,600 of 5,000, Rivos 2,000 of 2,000, Enfabrica 900 of 600,
    FuriosaAI 800 of 500, Groq 20,000 of 6,900 million."""
    multiples = price_multiples(deals(today))
    assert {name: round(value, 2) for name, value in multiples.items()} == {
        "graphcore": 0.22, "sambanova": 0.32, "rivos": 1.0, "enfabrica": 1.5, "furiosaai": 1.6,
        "groq": 2.9,
    }
    rate = distressed_rate(deals(today))
    assert (rate.events, rate.cases) == (2, 6)
    assert distressed_rate(deals(october)).cases == 0
    for field, members in (("distressed_multiple", ("graphcore", "sambanova")),
                           ("contested_multiple", ("rivos", "enfabrica", "furiosaai", "groq"))):
        spread = today.range("acquisition-class", field)
        assert [spread.low, spread.high] == pytest.approx(
            [min(multiples[name] for name in members), max(multiples[name] for name in members)],
            rel=0.03,
        )


def test_a_later_valuation_does_not_price_an_earlier_deal(tmp_path: Path) -> None:
    own = tmp_path / "companies.csv"
    own.write_text(
        "entity,field,value,low,high,unit,period,price_year,known,grade,source,note\n"
        "graphcore,valuation,9000,,,M USD,2025-06,2025,2025-06-30,press,target-graph-deal,\n",
        encoding="utf-8",
    )
    assert price_multiples(deals(load(extra=own)))["graphcore"] == pytest.approx(600 / 2770)


def test_bids_are_takeovers_and_failures(today: Catalogue) -> None:
    assert {deal.name for deal in deals(today) if not deal.closed} == {"arm", "furiosaai", "sambanova"}
    assert "untether-ai" not in {deal.name for deal in deals(today)}  # its team was hired when it wound up
    closed = Deal(name="a", buyer="b", closed=True, price_usd=None, last_valuation_usd=None, known=OCTOBER)
    assert bid_rate([closed] * 3).counts == jeffreys(0, 3)


# ----------------------------------------------------------------------------------------------------------
# posteriors


def test_pooled_rates_against_importance_sampling() -> None:
    """The same hierarchical law drawn half a million times and weighted by its likelihood: no grid,
    no betaln."""
    counts = {
        ProgrammeKind.FIRST: (3.0, 2.0), ProgrammeKind.LATER: (0.0, 7.0),
        ProgrammeKind.STARTUP: (4.0, 3.0), ProgrammeKind.PARTNER: (0.0, 0.0),
    }
    rng = np.random.default_rng(7)
    size = 500_000
    m, shrink = rng.beta(0.5, 0.5, size), rng.uniform(0, 1, size)
    strength = 1 / shrink - 1
    weight = np.ones(size)
    drawn = {}
    for kind, (yes, no) in counts.items():
        rate = np.clip(rng.beta(np.maximum(m * strength, 1e-9), np.maximum((1 - m) * strength, 1e-9)), 1e-12, 1 - 1e-12)
        weight *= rate**yes * (1 - rate) ** no
        drawn[kind] = rate
    weight /= weight.sum()
    for kind, found in pooled_rates(counts).items():
        middle = float(weight @ drawn[kind])
        spread = math.sqrt(float(weight @ (drawn[kind] - middle) ** 2))
        assert found.mean == pytest.approx(middle, abs=0.012), kind
        beta_sd = math.sqrt(found.mean * (1 - found.mean) / (found.failed + found.passed + 1))
        assert beta_sd == pytest.approx(spread, rel=0.04), kind


def test_pooling_leaves_many_cases_alone_and_helps_few() -> None:
    many = pooled_rates({ProgrammeKind.FIRST: (300.0, 700.0), ProgrammeKind.LATER: (700.0, 300.0)})
    assert many[ProgrammeKind.FIRST].mean == pytest.approx(0.3, abs=0.005)
    alike = dict.fromkeys(ProgrammeKind, (2.0, 4.0)) | {ProgrammeKind.PARTNER: (0.0, 0.0)}
    found = kind_rates("rate", alike)
    first = found[ProgrammeKind.FIRST]
    assert first.pooled.high - first.pooled.low < first.own.high - first.own.low
    # alone it would be 0.99 wide
    assert found[ProgrammeKind.PARTNER].pooled.high - found[ProgrammeKind.PARTNER].pooled.low < 0.8
    assert found[ProgrammeKind.PARTNER].pooled.mean == pytest.approx(1 / 3, abs=0.04)


def test_fewer_cases_give_wider_bands(october: Catalogue) -> None:
    counts = outcome_counts(cases(october))
    found = kind_rates("ended", counts)
    width = {kind: rate.pooled.high - rate.pooled.low for kind, rate in found.items()}
    assert (
        width[ProgrammeKind.PARTNER]
        > width[ProgrammeKind.ACQUIRED]
        > width[ProgrammeKind.FIRST]
        > width[ProgrammeKind.LATER]
    )


def test_a_survey_is_a_prior_of_its_own_mean_and_variance() -> None:
    """Triangular 0.2, 0.4, 0.6: mean 0.4, variance 0.2^2 / 6; Beta of the same: a + b + 1 = 0.24 /
    var = 36."""
    alone = with_survey("x", Range(0.2, 0.4, 0.6), 0, 0).counts
    assert (alone.failed, alone.passed) == pytest.approx((14.0, 21.0))
    more = with_survey("x", Range(0.2, 0.4, 0.6), 3, 1).counts
    assert (more.failed, more.passed) == pytest.approx((17.0, 22.0))


def test_scope_and_first_silicon_are_counted_by_hand(today: Catalogue, october: Catalogue) -> None:
    """TPU v1 had no respin, Blackwell and Sapphire Rapids had; one use of four was dropped, none of
    three by 2023."""
    def total(catalogue: Catalogue, field: str) -> tuple[float, float]:
        counts = event_counts(cases(catalogue), field).values()
        return sum(yes for yes, _ in counts), sum(no for _, no in counts)

    assert total(today, "first_silicon_good") == (1, 2)
    assert total(october, "first_silicon_good") == (1, 0)
    assert total(today, "scope_cut") == (1, 3)
    assert total(october, "scope_cut") == (0, 3)


def test_a_span_without_other_kinds_is_the_plain_law(today: Catalogue) -> None:
    known = cases(today)
    law = span_law(known, Span.PURCHASE, ProgrammeKind.ACQUIRED)
    assert law == log_time(span_times(known, Span.PURCHASE)[ProgrammeKind.ACQUIRED])
    assert span_law(known[:0], Span.VOLUME, ProgrammeKind.FIRST) is None


def test_the_slip_makes_the_whole_come_out_as_the_class_has_it() -> None:
    """With 20 months planned and 15 that do not slip: P50 and P90 of 15 + 20 slip are those of the
    span, to 3 %."""
    total = LogTime(math.log(45.0 * MONTH_S), 0.35, math.inf, 9)
    slip = slip_range(total, 20 * MONTH_S, 15 * MONTH_S)
    for p in (0.1, 0.5, 0.9):
        whole = 15 * MONTH_S + 20 * MONTH_S * float(quantile(slip, p))
        assert whole == pytest.approx(float(total.quantile(p)), rel=0.03), p
    wide = slip_range(LogTime(math.log(35.0 * MONTH_S), 0.7, 6.0, 6), 20 * MONTH_S, 18 * MONTH_S)
    wild = slip_range(LogTime(math.log(35.0 * MONTH_S), 2.0, 1.0, 2), 20 * MONTH_S, 18 * MONTH_S)  # two cases far apart
    assert 0.01 < wild.low < wild.mode < wild.high < 1e5
    assert wide.low > 0.1  # the law itself gives a tenth of programmes less than the 18 months that do not slip


# ---------------------------------------------------------------------------------------------------------
# calibration


def test_leaving_one_out_covers_what_it_says_on_programmes_of_a_known_law() -> None:
    """160 times of a log-normal law: 80 % bands hold 80 %, PIT is uniform, and the score of the
    kind beats the base rate."""
    rng = np.random.default_rng(3)
    known = [
        made(
            f"a{k}", ProgrammeKind.FIRST, Outcome.ENDED if rng.random() < 0.8 else Outcome.VOLUME,
            float(np.exp(3.9 + 0.4 * rng.standard_normal())),
        )
        for k in range(60)
    ]
    known += [
        made(
            f"b{k}", ProgrammeKind.STARTUP, Outcome.ENDED if rng.random() < 0.1 else Outcome.VOLUME,
            float(np.exp(3.0 + 0.4 * rng.standard_normal())),
        )
        for k in range(60)
    ]
    found = score(known, all_others)
    assert found.inside / len(found.timed) == pytest.approx(0.8, abs=0.09)  # 2.5 standard errors of 120
    assert found.mean_pit == pytest.approx(0.5, abs=0.07)
    assert found.brier == pytest.approx((0.16 + 0.09) / 2, abs=0.05)
    assert found.brier_base == pytest.approx(0.45 * 0.55, abs=0.03)


def test_a_programme_does_not_help_to_predict_itself(today: Catalogue) -> None:
    known = cases(today)
    before = {one.name: one for one in score(known, all_others).outcomes}
    name = "oppo-zeku"
    turned = [replace(case, outcome=Outcome.VOLUME) if case.name == name else case for case in known]
    after = {one.name: one for one in score(turned, all_others).outcomes}
    assert after[name].predicted == before[name].predicted
    assert after["meta-mtia-v0"].predicted > before["meta-mtia-v0"].predicted


def test_earlier_ones_were_known_before_the_start(today: Catalogue) -> None:
    known = cases(today)
    maia = next(case for case in known if case.name == "ms-maia100")
    assert maia.began == dt.date(2019, 6, 30)
    names = {case.name for case in earlier_ones(maia, known)}
    assert {"google-tpu-v1", "graphcore-gc2", "apple-a4"} <= names
    assert not {"groq-v1", "oppo-zeku", "ms-maia100", "openai-jalapeno"} & names


def test_calibration_of_the_known_programmes(today: Catalogue) -> None:
    """The figures of docs/results/programmes.md; they change when a programme is added or a law is
    changed."""
    found = score(cases(today), all_others)
    assert (found.inside, len(found.timed), len(found.outcomes)) == (15, 18, 51)
    assert found.mean_pit == pytest.approx(0.51, abs=0.005)
    assert found.brier == pytest.approx(0.146, abs=0.001)
    assert found.brier_base == pytest.approx(0.172, abs=0.001)
    early = score(cases(today), earlier_ones)
    assert (early.inside, len(early.timed)) == (4, 4)


def test_the_results_page_is_current() -> None:
    spec = importlib.util.spec_from_file_location("programme_results", ROOT / "docs" / "programme_results.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    made, kept = (
        re.split(r"(\d+(?:\.\d+)?)", page)
        for page in (script.programme_results_page(load()), script.PAGE.read_text(encoding="utf-8"))
    )
    assert made[::2] == kept[::2], "run: python docs/programme_results.py"
    for number, told in zip(made[1::2], kept[1::2], strict=True):  # another processor may round a draw another way
        assert float(number) == pytest.approx(float(told), abs=0.02 if "." in told else 1), "run: docs/programme_results.py"
