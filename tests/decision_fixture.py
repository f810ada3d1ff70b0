"""A made-up decision of realistic size and shape, for tests of what people read."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from statistics import NormalDist

from fabless.case_moves import unit_of
from fabless.case_records import CaseNumber
from fabless.decide import (
    Action,
    Band,
    BuildUpRow,
    ChipCostRow,
    Decision,
    Flip,
    Foresight,
    FreshTest,
    KnowledgeValue,
    Lever,
    Leverage,
    NearBest,
    OptionValue,
    ProgrammeValue,
    QueryCost,
    Questions,
    RegretRow,
    Resilience,
    Sensitivity,
    ShadowPrice,
    Signal,
    SobolIndex,
    Stability,
    Surface,
    TimelineStage,
    WayResult,
)
from fabless.decide.accounts.results import Against, BridgeRow, SpendRow
from fabless.decide.fresh.futures import Course, Futures, WayFutures
from fabless.decide.fresh.results import Compared, Gap
from fabless.decide.questions.answers import values_of
from fabless.decide.results import (
    Answers,
    AnswersCheck,
    LargePlan,
    MovedInput,
    MovedPair,
    WayLevels,
)
from fabless.plan import GateStep, ProjectPlan
from fabless.records import Grade, Range, Source
from fabless.units import Quarter, from_si, to_si

FIRST = Quarter(2023, 4)
QUARTERS = 32
OFFERS: dict[str, dict[str, tuple[int, int, float]]] = {
    # way -> offer -> (first quarter, quarter of the peak, chips at the peak)
    "buy": {
        "a100-80gb": (0, 2, 30e3), "h100-sxm": (0, 8, 160e3), "nvidia-next-1": (6, 16, 340e3),
        "nvidia-next-2": (14, 24, 520e3), "nvidia-next-3": (22, 34, 600e3),
    },
    "portfolio": {
        "a100-80gb": (0, 2, 30e3), "h100-sxm": (0, 7, 110e3), "mi300x": (2, 9, 60e3),
        "tpu-v5e": (1, 6, 45e3), "trainium1": (1, 4, 6e3), "nvidia-next-1": (6, 15, 180e3),
        "nvidia-next-2": (14, 22, 210e3), "nvidia-next-3": (22, 32, 200e3),
        "own-chip": (15, 31, 420e3),
    },
}

TITLES = {
    "a100-80gb": "A100, the fleet in place", "h100-sxm": "H100, bought from Nvidia",
    "mi300x": "MI300X, bought from AMD", "tpu-v5e": "TPU v5e, rented from Google",
    "nvidia-next-1": "Nvidia's next generation (1)", "own-chip": "the own chip",
    "own-build": "the own chip", "co-design": "the co-designed chip",
}


def band(middle: float, down: float = 0.7, up: float = 1.5) -> Band:
    return Band(middle * down, middle, middle * up, middle * (1.0 + 0.25 * (up - 1.0)))


def quarter(index: int) -> str:
    return str(FIRST + index)


def futures(ranked: Sequence[WayResult]) -> Futures:
    """Forty futures whose costs have the bands of the ways."""
    count, years = 40, tuple(range(2023, 2032))
    steps = [(k + 0.5) / count for k in range(count)]

    def costs(way: WayResult) -> tuple[float, ...]:
        cost = way.cost_per_query_usd
        return tuple(
            cost.p50 * ((cost.p90 / cost.p50) if step > 0.5 else (cost.p50 / cost.p10))
            ** (NormalDist().inv_cdf(step) / NormalDist().inv_cdf(0.9)) for step in steps)

    def course(way: WayResult, future: str, scale: float) -> Course:
        wanted = tuple(30e3 * scale * 1.08**k for k in range(QUARTERS))
        compute = {"a100-80gb": tuple(min(20e3, 0.3 * value) for value in wanted)}
        compute["h100-sxm"] = tuple(0.6 * value for value in wanted)
        missing = tuple(value - sum(of_line[k] for of_line in compute.values())
                        for k, value in enumerate(wanted))
        spend = tuple((line, tuple(values[4 * min(k, 7)] * 20e3 for k in range(9)))
                      for line, values in compute.items())
        return Course(way=way.name, future=future, wanted=wanted, missing=missing,
                      compute=tuple(compute.items()), spend_usd=spend,
                      cost_per_query_usd=tuple(way.cost_per_query_usd.p50 * 0.9**k for k in range(9)))

    return Futures(
        paths=count, years=years,
        demand=tuple("low" if k % 3 == 0 else "middle" if k % 3 == 1 else "high" for k in range(count)),
        scarce_until=tuple("" if k % 4 == 0 else quarter(k % 12) for k in range(count)),
        ways=tuple(
            WayFutures(
                way=way.name, cost_per_query_usd=costs(way),
                is_short=tuple(step > 1.0 - way.shortage_probability for step in steps),
                tokens_per_query=(570.0,) * count, queries_per_mw_year=(1.5e10,) * count,
                dots=tuple(range(1, count, 2)))
            for way in ranked),
        shown=(("cheap", 4), ("middle", 20), ("dear", 36)),
        courses=tuple(course(way, key, scale) for way in ranked
                      for key, scale in (("cheap", 0.7), ("middle", 1.0), ("dear", 1.6))),
    )


def fleet(offers: dict[str, tuple[int, int, float]]) -> tuple[tuple[str, str, Band], ...]:
    rows = []
    for index in range(QUARTERS):
        for offer, (start, peak, size) in offers.items():
            width = (peak - start) * 0.8 + 2.0
            chips = size * math.exp(-(((index - peak) / width) ** 2)) if index >= start else 0.0
            if index > peak + 2 * width:
                chips = 0.0
            rows.append((quarter(index), offer, band(chips, 0.6, 1.6)))
    return tuple(rows)


def money(total: float) -> dict[str, object]:
    """Cash, unserved demand and risk of a way, with its spend."""
    cash, unserved = 0.7 * total, 0.1 * total
    rows = (
        ("chat", "Nvidia", "own", 0.15), ("chat", "Azure", "rent", 0.05),
        ("training", "Nvidia", "own", 0.7), ("training", "AMD", "own", 0.08),
        ("training", "AMD", "software", 0.02),
    )
    return {
        "cash_usd": cash, "cash_error_usd": 0.1 * cash, "unserved_usd": unserved,
        "unserved_error_usd": 0.2 * unserved, "risk_usd": total - cash - unserved,
        "total_usd": total, "total_error_usd": 0.1 * total,
        "headline": (
            BridgeRow(part="headline", usd=0.15 * cash, how="median cost of a query times queries served"),
            BridgeRow(part="spread", usd=0.05 * cash, how="the mean is above the median"),
            BridgeRow(part="training", usd=0.8 * cash, how="training"),
            BridgeRow(part="unserved", usd=unserved, how="unserved demand at its price"),
            BridgeRow(part="risk", usd=total - cash - unserved, how="what the worst paths cost above the mean"),
        ),
        "margin": None,
        "spend": tuple(
            SpendRow(load=load, vendor=vendor, tenure=tenure, year=2023 + k,
                     usd=1.3 * share * cash / 9, discounted_usd=share * cash / 9)
            for load, vendor, tenure, share in rows for k in range(9)),
    }


def against(name: str, regret: float) -> Against:
    """A way against the portfolio; the portfolio against buying."""
    other, difference = ("buy", -9.3e9) if name == "portfolio" else ("portfolio", regret)
    parts = {"price": 0.5, "performance": 0.2, "software": -0.1, "dates": 0.1, "unserved": 0.2,
             "programme": 0.0, "risk": 0.1}
    return Against(
        way=name, other=other, difference_usd=difference, error_usd=0.2 * abs(difference),
        cash_usd=0.7 * difference, unserved_usd=0.2 * difference, risk_usd=0.1 * difference,
        decides="cash", cheaper_share=0.2,
        bridge=tuple(BridgeRow(part=part, usd=share * difference, how=part)
                     for part, share in parts.items()))


def result(
    name: str, title: str, cost: float, shortage: float, share: float, regret: float,
    dominant: float, own: tuple[str, str, str] | None = None, risk: float = 0.0,
    spread: float = 1.6,
) -> WayResult:
    years = [2023 + k for k in range(9)]
    total = 61e9 + regret
    return WayResult(
        **money(total), against=against(name, regret), name=name, title=title, label=name,
        described_as="", same_as="", lines=(),
        status="optimal", gap=0.0, lower_bound_usd=total,
        objective_usd=total, expected_cost_usd=total * 0.82, cvar_usd=total * 1.9,
        cost_per_query_usd=band(cost, 0.62, spread),
        cost_per_query_by_year_usd=tuple(
            (y, band(cost * 1.9 * 0.8 ** (y - 2023), 0.65, spread)) for y in years
        ),
        shortage_probability=shortage,
        shortage_share=Band(0.0, share * 0.5, share * 3.0, share),
        shortage_by_year=tuple(
            (y, shortage * max(0.0, 1 - 0.3 * (y - 2023)), share * max(0.0, 1 - 0.25 * (y - 2023)))
            for y in years
        ),
        meets_service_level=shortage < 0.5,
        own_silicon_quarter=own,
        own_silicon_probability=0.63 if own else 0.0,
        capital_at_risk_usd=band(risk, 0.5, 2.1) if own else None,
        dominant_share_compute=dominant,
        dominant_share_spend=min(1.0, dominant * 1.1),
        dominant_share_units=0.9 * dominant,
        regret_usd=regret,
        regret_error_usd=0.2 * regret,
        fleet_by_quarter=fleet(OFFERS.get(name, OFFERS["buy"])),
        cost_by_quarter_usd=tuple(
            (quarter(k), band(0.32e9 * 1.09**k, 0.6, 1.7)) for k in range(QUARTERS)
        ),
        actions=(
            Action(
                what="order 24,000 H100 from Nvidia, running from 2024Q3", owner="head of compute",
                quarter="2023Q4", start="2023-10-31", due="2023-12-31", amount=24_000.0,
                unit="chip", spend_usd=790e6,
                stop_signal="all loads together ask for fewer than 61.2k such chips by 2023-12-31 (now 70.0k)",
                double_signal="all loads together ask for more than 118k such chips by 2024-03-31",
                stop=Signal(measure="need", below=True, at=61_200.0, unit="chip", by="2023-12-31"),
                double=Signal(measure="need", below=False, at=118e3, unit="chip", by="2024-03-31"),
                kind="order", about="h100-sxm", delay_cost_usd=41e6, delay_error_usd=9e6,
            ),
            Action(
                what="qualify 512 MI300X on the GPT-3.5-class model", owner="head of inference",
                quarter="2023Q4", start="2023-10-31", due="2023-12-31", amount=512.0, unit="chip",
                spend_usd=9.5e6,
                stop_signal="under 452 tokens a second and chip measured by 2023-12-31 (GPT-3.5-class queries; "
                "627 are planned)",
                double_signal="at least 627 tokens a second and chip measured by 2023-12-31 (GPT-3.5-class queries)",
                stop=Signal(measure="throughput", below=True, at=452.0, unit="token/s", by="2023-12-31"),
                double=Signal(measure="throughput", below=False, at=627.0, unit="token/s", by="2023-12-31"),
                kind="order", about="mi300x", delay_cost_usd=0.0, delay_error_usd=2e6,
            ),
            Action(
                what="start the own chip with a design partner",
                owner="head of silicon", quarter="2023Q4", start="2023-10-31", due="2023-12-31",
                amount=None, unit="", spend_usd=46e6,
                stop_signal="simulation shows under 0.72 of the planned speed by 2024-06-30, its first gate",
                double_signal="simulation shows at least the planned speed by 2024-06-30",
                stop=Signal(measure="performance", below=True, at=0.72, unit="1", by="2024-06-30"),
                double=Signal(measure="performance", below=False, at=1.0, unit="1", by="2024-06-30"),
            ),
            Action(
                what="reserve 8,192 TPU v5e for one year", owner="finance", quarter="2024Q1",
                start="2024-01-01", due="2024-01-29", amount=8_192.0, unit="chip", spend_usd=86e6,
                stop_signal="the same chip is offered for under 0.614 USD an hour by 2024-01-29: owning it costs "
                "that, this rent 1.2",
                double_signal="all loads together ask for more than 205k such chips by 2024-06-30",
                stop=Signal(measure="rent", below=True, at=0.614, unit="USD/h", by="2024-01-29"),
                double=Signal(measure="need", below=False, at=205e3, unit="chip", by="2024-06-30"),
            ),
        )
        if name == "portfolio"
        else (),
        programmes=("own-chip",) if own else (),
        gates=(
            ProjectPlan(
                name="own-chip",
                steps=(
                    GateStep(0, 1.0, 0.0, 0.0), GateStep(4, 0.0, 0.88, 0.12),
                    GateStep(12, 0.0, 0.7, 0.18),
                ),
                start_probability=1.0,
                give_up_probability=0.3,
                expected_spend_usd=risk * 1.2,
                worst_spend_usd=risk * 2.4,
                committed_usd=risk * 0.3,
                avoidable_usd=risk * 1.1,
            ),
        )
        if own
        else (),
        programme=None,
    )


def compared(fresh: float, better: float = 1.04) -> Compared:
    """A number on fresh paths, and smaller by a factor where the plan was made."""
    return Compared(fresh, fresh / better, 0.01 * fresh)


def fresh(way: WayResult) -> FreshTest:
    """The way on fresh paths, whose numbers are those of the way: four percent dearer than on the
    tree, short a quarter more often."""
    cost = way.cash_usd + way.unserved_usd
    years = way.shortage_by_year
    return FreshTest(
        way=way.name, paths=1_000, seed=20231031, expected_cost_usd=compared(cost),
        cvar_usd=compared(1.9 * cost), objective_usd=compared(way.total_usd),
        cost_per_query_usd=way.cost_per_query_usd,
        in_sample_cost_per_query_usd=band(way.cost_per_query_usd.p50 / 1.03, 0.6, 1.7),
        shortage_probability=compared(way.shortage_probability, 1.25),
        missing_share=compared(way.shortage_share.mean, 1.25),
        shortage_probability_by_year=tuple(
            (year, compared(chance, 1.25)) for year, chance, _ in years
        ),
        missing_share_by_year=tuple((year, compared(share, 1.25)) for year, _, share in years),
        gap=Gap(100, cost, 0.93 * cost, 0.01 * cost),
    )


def ways() -> tuple[WayResult, ...]:
    own = ("2026Q4", "2027Q4", "2029Q3")
    return (
        result(
            "buy", "Work more closely with the dominant vendor", 0.0061, 0.46, 0.041, 9.3e9, 0.97
        ),
        result(
            "diversify", "Second vendors and other clouds' accelerators", 0.0056, 0.31, 0.022,
            4.1e9, 0.58,
        ),
        result(
            "partner", "A partner's chip, or one designed together", 0.0059, 0.38, 0.027, 5.8e9,
            0.63, ("2026Q1", "2026Q4", "2028Q1"), 0.24e9,
        ),
        result(
            "build", "An own chip from an own team", 0.0067, 0.52, 0.048, 12.7e9, 0.66, own, 0.78e9,
            1.9,
        ),
        result(
            "acquire", "Buy a chip company", 0.0071, 0.49, 0.044, 14.9e9, 0.69,
            ("2026Q2", "2027Q2", "2029Q4"), 4.6e9, 1.9,
        ),
        result(
            "portfolio", "All of these, each where it pays", 0.0052, 0.19, 0.009, 0.0, 0.51, own,
            0.39e9, 1.5,
        ),
    )


def questions() -> Questions:
    names = [
        ("demand.growth_per_year", "Growth of demand"), ("price.h100-sxm", "Price of H100"),
        ("capital.cost", "Cost of capital"),
    ]
    ranking = ("portfolio", "diversify", "partner", "buy", "build", "acquire")
    return Questions(
        sensitivities=(
            Sensitivity(
                name="demand.growth_per_year", label="Growth of demand", unit="% a year", low=20,
                high=300, cost_low_usd=0.0076, cost_high_usd=0.0046, best_usual="diversify", best_low="buy",
                best_high="diversify",
            ),
            Sensitivity(
                name="price.h100-sxm", label="Price of H100", unit="USD", low=25_000,
                high=40_000, cost_low_usd=0.0052, cost_high_usd=0.0074, best_usual="diversify", best_low="diversify",
                best_high="buy",
            ),
            Sensitivity(
                name="price.decline_per_generation", label="Price fall per generation", unit="%",
                low=10, high=50, cost_low_usd=0.0069, cost_high_usd=0.0053, best_usual="diversify", best_low="diversify",
                best_high="diversify",
            ),
            Sensitivity(
                name="supply.lead_time", label="Lead time", unit="month", low=8, high=13,
                cost_low_usd=0.0055, cost_high_usd=0.0063, best_usual="diversify", best_low="diversify",
                best_high="diversify",
            ),
            Sensitivity(
                name="programme.respins", label="Respins of the own chip", unit="1", low=0, high=3,
                cost_low_usd=0.0057, cost_high_usd=0.0062, best_usual="diversify", best_low="diversify",
                best_high="partner",
            ),
            Sensitivity(
                name="capital.cost", label="Cost of capital", unit="% a year", low=7, high=15,
                cost_low_usd=0.00565, cost_high_usd=0.00605, best_usual="diversify", best_low="diversify",
                best_high="diversify",
            ),
            Sensitivity(
                name="power.price", label="Price of power", unit="USD/kWh", low=0.04, high=0.12,
                cost_low_usd=0.0057, cost_high_usd=0.0060, best_usual="diversify", best_low="diversify",
                best_high="diversify",
            ),
        ),
        options=(
            OptionValue("h100-sxm", 6.1e9, 2.4e9), OptionValue("mi300x", 1.7e9, 0.6e9),
            OptionValue("own-chip", 1.2e9, 0.3e9), OptionValue("everything", None, 8.8e9),
        ),
        knowledge=tuple(
            KnowledgeValue(name, label, 0.9e9 / (k + 1)) for k, (name, label) in enumerate(names)
        ),
        resilience=tuple(
            Resilience(
                way=way, quarter="2024Q4", quarters=2, cost_usd=cost, missing_before=0.04,
                missing_after=after,
            )
            for way, cost, after in (
                ("buy", 3.9e9, 0.21), ("diversify", 1.6e9, 0.09), ("portfolio", 1.1e9, 0.07),
            )
        ),
        surfaces=(
            Surface(
                programme="own-chip", volumes=(1.0, 3.0), performances=(0.5, 1.0, 1.5),
                slips=(1.0, 1.5),
                value_usd=tuple(
                    tuple(
                        tuple(1e9 * (volume * performance - slip) for slip in (1.0, 1.5))
                        for performance in (0.5, 1.0, 1.5)
                    )
                    for volume in (1.0, 3.0)
                ),
                planned=0.84,
            ),
        ),
        flips=(
            Flip(
                programme="own-chip", name="programmes.own-chip.performance",
                label="performance (the own chip)", unit="1", value=1.3, pays_above=True,
                text="Starting the own chip now pays if it reaches at least 1.3 of its planned performance",
            ),
        ),
        sobol=tuple(
            SobolIndex(
                name=name, label=label, first=0.5 / (k + 1), first_error=0.08, total=0.62 / (k + 1),
                total_error=0.1,
            )
            for k, (name, label) in enumerate(names)
        ),
        answers=answers(),
        stability=Stability(
            seeds=tuple(range(10)), leaves=8,
            rankings=(*(ranking,) * 8, *(("diversify", "portfolio", *ranking[2:]),) * 2),
            cost_per_query_usd=band(0.0052, 0.9, 1.1),
        ),
    )


ELASTICITY = {
    # input -> rise of a way's costs with it, by way; the rest as the first
    "demand.growth_per_year": {"": 0.22, "portfolio": 0.2, "buy": 0.3},
    "demand.queries_per_day": {"": 0.35}, "price.h100-sxm": {"": 0.4, "buy": 0.55, "portfolio": 0.3},
    "supply.lead_time": {"": 0.1, "portfolio": 0.05},
    "demand.output_tokens": {"": 0.5}, "programme.respins": {"": 0.0, "build": 0.05, "acquire": 0.03},
}


def answers() -> Answers:
    """A table of answers that starts from the ways of the decision."""
    known = {number.name: number for number in numbers()}
    ranked = sorted(ways(), key=lambda way: way.name != "portfolio")

    def factor(name: str, way: str, value: float) -> float:
        spread, rises = known[name].spread, ELASTICITY[name]
        reach = (value - spread.mode) / (spread.high - spread.low)
        return math.exp(rises.get(way, rises[""]) * reach)

    def levels(points: list[dict[str, float]]) -> tuple[WayLevels, ...]:
        by_way = []
        for way in ranked:
            size = [math.prod(factor(name, way.name, value) for name, value in point.items())
                    * (1.0 + 0.02 * (len(point) - 1)) ** math.prod(
                        value - known[name].spread.mode != 0.0 for name, value in point.items())
                    for point in points]
            by_way.append(WayLevels(
                way=way.name, cash_usd=tuple(way.cash_usd * by for by in size),
                unserved_usd=tuple(way.unserved_usd * by for by in size),
                risk_usd=tuple(way.risk_usd * by for by in size),
                cost_per_query_usd=tuple(way.cost_per_query_usd.p50 * by for by in size),
                missing_share=tuple(min(way.shortage_share.mean * by, 1.0) for by in size)))
        return tuple(by_way)

    def shown(name: str, step: int = 1) -> tuple[float, ...]:
        return tuple(from_si(value, unit_of(known[name])) for value in values_of(known[name])[::step])

    pair = ("demand.growth_per_year", "price.h100-sxm")
    grid = [{pair[0]: a, pair[1]: b} for a in values_of(known[pair[0]])[::2]
            for b in values_of(known[pair[1]])[::2]]
    return Answers(
        leaves=12,
        inputs=tuple(MovedInput(
            name=name, label=name.replace("_", " "), unit=unit_of(known[name]),
            value=from_si(known[name].spread.mode, unit_of(known[name])), values=shown(name),
            is_log=known[name].spread.scale == "log",
            levels=levels([{name: value} for value in values_of(known[name])]))
            for name in ELASTICITY),
        pairs=(MovedPair(names=pair, values=(shown(pair[0], 2), shown(pair[1], 2)),
                         levels=levels(grid)),),
        check=AnswersCheck(points=12, median_error=0.002, worst_error=0.018, winners_right=12))


def numbers() -> tuple[CaseNumber, ...]:
    filing = Source(
        "reuters-chips", "Reuters: OpenAI explores making its own AI chips",
        "https://www.reuters.com/technology/chatgpt-owner-openai-is-exploring-making-its-own-ai-chips",
        "2023-10-06",
    )
    analyst = Source(
        "sa-inference", "SemiAnalysis: Inference Cost Of Search Disruption",
        "https://semianalysis.substack.com/p/the-inference-cost-of-search-disruption", "2023-02-09",
    )
    guess = Source("planner", "Planner's assumption, no source", "", "2023-10-31")
    rows = [
        (
            "demand.queries_per_day", (120e6, 193e6, 320e6), "query/day", Grade.DERIVED, analyst,
            "No primary disclosure existed in October 2023.",
        ),
        (
            "demand.growth_per_year", (20.0, 90.0, 300.0), "%", Grade.ASSUMPTION, guess,
            "Wide on purpose.",
        ),
        ("demand.output_tokens", (180.0, 250.0, 420.0), "token", Grade.DERIVED, analyst, ""),
        (
            "price.h100-sxm", (25_000.0, 30_000.0, 40_000.0), "USD", Grade.ANALYST, analyst,
            "Street price, board only.",
        ),
        ("price.decline_per_generation", (10.0, 30.0, 50.0), "%", Grade.ASSUMPTION, guess, ""),
        ("supply.lead_time", (8.0, 11.0, 13.0), "month", Grade.ANALYST, analyst, "36 to 52 weeks."),
        (
            "programme.respins", (0.0, 1.0, 3.0), "1", Grade.DERIVED, analyst,
            "Reference class of 58 programmes.",
        ),
        (
            "programme.nre", (150.0, 350.0, 900.0), "M USD", Grade.PRESS, filing,
            "Hundreds of millions a year.",
        ),
        ("power.price", (0.04, 0.07, 0.12), "USD/kWh", Grade.OFFICIAL, analyst, ""),
        ("capital.cost", (7.0, 10.0, 15.0), "%", Grade.ASSUMPTION, guess, "Real, per year."),
    ]
    return tuple(
        CaseNumber(
            name=name, spread=Range(*(to_si(v, unit) for v in values)), unit=unit, grade=grade,
            source=source, note=note, known=dt.date(2023, 10, 31),
        )
        for name, values, unit, grade, source, note in rows
    )


def build_up() -> tuple[BuildUpRow, ...]:
    lines = []
    for model, chip, scale in [
        ("gpt-3.5-class", "h100-sxm", 1.0), ("gpt-3.5-class", "mi300x", 0.83),
        ("gpt-4-class", "h100-sxm", 6.2),
    ]:
        for part, value, how in [
            (
                "accelerator", 0.00041,
                "$30,000 x 0.292/year recovery / (8,766 h x 0.55 load) x 0.23 s of chip time",
            ),
            (
                "server and network", 0.00022,
                "$16,000 per accelerator x 0.292/year / (8,766 h x 0.55 load) x 0.23 s",
            ),
            ("site", 0.00007, "1.3 kW x 1.25 PUE x $125/kW/month / (730 h x 0.55) x 0.23 s"),
            ("power", 0.000035, "1.3 kW x 1.25 PUE x $0.07/kWh x 0.23 s"),
            (
                "staff and maintenance", 0.00005,
                "4% of the price a year / (8,766 h x 0.55 load) x 0.23 s",
            ),
        ]:
            lines.append(BuildUpRow(
                model=model, offer=chip, chip=chip, title=f"{model} on {TITLES.get(chip, chip)}", part=part,
                usd=value * scale, how=how))
    return tuple(lines)


def query_costs() -> tuple[QueryCost, ...]:
    """What the build-up adds up to, and one chip that serves nothing."""
    sums: dict[tuple[str, str], float] = {}
    for row in build_up():
        sums[row.model, row.offer] = sums.get((row.model, row.offer), 0.0) + row.usd
    used = {"h100-sxm": (0.7, "used: 70% of all compute"),
            "mi300x": (0.0, "left out: its software stack ($10.0M a year) costs more than it saves")}
    return (
        *(QueryCost(load=load, offer=chip, title=TITLES[chip], usd=usd, compute_share=used[chip][0],
                    why=used[chip][1])
          for (load, chip), usd in sums.items()),
        QueryCost(load="gpt-4-class", offer="tpu-v5e", title=TITLES["tpu-v5e"], usd=None,
                  compute_share=0.0, why="does not serve these queries within their limits"),
    )


def shadow(limit: str, when: str, unit: str, usd: float, thing: str) -> ShadowPrice:
    worth = f"is worth up to {usd:,} USD" if usd else "would not be worth anything"
    return ShadowPrice(
        limit=limit, title=TITLES.get(limit, limit), quarter=when, unit=unit, value_usd=usd,
        low_usd=0.2 * usd, high_usd=2.3 * usd, loss_usd=usd, binds_probability=0.6 if usd else 0.0,
        text=f"One more {thing} in {when} {worth}",
    )


def leverage() -> Leverage:
    return Leverage(
        vendor="Nvidia", prices=((0.05, 0.9e9), (0.1, 1.9e9), (0.2, 3.9e9)),
        allotments=((0.1, 0.15e9), (0.25, 0.33e9)), concession=(0.0, 0.02, 0.1), leaves=8,
        levers=(
            Lever(
                name="co-design", title="the co-designed chip", cost_usd=0.35e9, break_even=0.019,
                break_even_error=0.002, pays_probability=0.82,
                text="Starting the co-designed chip now pays if it wins 1.9% on Nvidia's prices; a concession of "
                "0% to 10% was assumed, so that it pays with a probability of 82%",
            ),
            Lever(
                name="own-build", title="the own chip", cost_usd=60e9, break_even=None,
                break_even_error=None, pays_probability=0.0,
                text="Starting the own chip now would not pay if Nvidia asked half as much; a concession of 0% to "
                "10% was assumed, so that it pays with a probability of 0%",
            ),
        ),
    )


def near_best_rows() -> tuple[NearBest, ...]:
    rows = []
    for window, size in (("2023Q4 to 2024Q3", 1.0), ("2023Q4 to 2031Q3", 9.0)):
        for line, least, chosen, most, kind in (
            ("h100-sxm", 18e3, 31e3, 44e3, "forced"), ("mi300x", 0.0, 9e3, 16e3, "free"),
            ("tpu-v5e", 0.0, 0.0, 0.0, "shut"),
        ):
            rows.append(NearBest(
                line=line, title=TITLES[line], window=window, unit="chip", least=size * least,
                chosen=size * chosen, most=size * most, kind=kind))
    start = NearBest(line="own-build", title="Own chip", window="2023Q4", unit="start", least=0.0,
                     chosen=0.0, most=1.0, kind="free")
    return (*rows, start)


def decision() -> Decision:
    """Make the decision: six ways, 32 quarters from 2023Q4."""
    ranked = ways()
    months = [
        ("architecture and team", 0, 9), ("design", 9, 23), ("tape-out to first silicon", 23, 29),
        ("respin", 29, 35), ("bring-up and qualification", 35, 42), ("ramp to volume", 42, 50),
    ]
    return Decision(
        case="openai-2023", title="A lab short of AI chips, October 2023", as_of="2023-10-31",
        first_quarter=str(FIRST), quarters=QUARTERS, price_year=2023, seed=20231031,
        digest="9f2c41d07be8a6531c04", case_digest="6242b62d", dominant_vendor="Nvidia",
        leaves=81, versions={"fabless": "0.1.0", "numpy": "2.4.6"},
        detail="standard",
        answer="Take the portfolio: order the dominant vendor's chips now, open a second vendor within two quarters "
        "and start a co-designed inference chip, which costs 0.52 cents a query at the median against 0.61 for "
        "buying alone and leaves demand unserved in one scenario of five rather than one of two.",
        recommended="portfolio", titles=TITLES,
        load_titles={"chat": "queries to gpt-3.5-class", "training": "training"},
        way_titles={way.name: way.label for way in ranked}, not_offered=(), same_ways=(),
        strategies=ranked,
        programme_values=(
            ProgrammeValue(
                name="co-design", route="co-design", value_usd=1.2e9, error_usd=0.4e9,
                pays_probability=0.61, volume_quarter="2027Q1", volume_probability=0.57,
            ),
            ProgrammeValue(
                name="own-build", route="build", value_usd=-0.6e9, error_usd=0.2e9,
                pays_probability=0.22, volume_quarter="2027Q4", volume_probability=0.41,
            ),
        ),
        pairs=tuple(against(way.name, way.regret_usd) for way in ways() if way.name != "portfolio"),
        regrets=tuple(
            RegretRow(
                way.name,
                tuple(
                    (kind, share * way.regret_usd)
                    for kind, share in (
                        ("low demand", 0.4), ("high demand", 2.1), ("supply long scarce", 1.6),
                    )
                ),
                3.0 * way.regret_usd,
            )
            for way in ranked
        ),
        foresight=Foresight(55e9, 61e9, 64e9), resale=None,
        fresh=tuple(fresh(way) for way in ranked), futures=futures(ranked),
        large=LargePlan(
            leaves=1_026, status="optimal", gap=0.0009, objective_usd=61.4e9,
            lower_bound_usd=61.34e9, expected_cost_usd=50.3e9, cvar_usd=117e9,
            cost_per_query_usd=ranked[-1].cost_per_query_usd, actions=ranked[-1].actions,
        ),
        questions=questions(),
        build_up=build_up(), query_costs=query_costs(),
        chip_costs=(
            ChipCostRow("co-design", "good dies", 540.0),
            ChipCostRow("co-design", "memory", 2590.0),
            ChipCostRow("own-build", "good dies", 540.0),
            ChipCostRow("own-build", "memory", 2600.0),
        ),
        timeline=tuple(
            TimelineStage(
                "own-chip", stage, Band(start * 0.85, start, start * 1.4, start * 1.1),
                Band(end * 0.85, end, end * 1.4, end * 1.1),
            )
            for stage, start, end in months
        ),
        demand_by_quarter=tuple(
            (quarter(k), Band(193e6 * 1.05**k, 193e6 * 1.11**k, 193e6 * 1.16**k, 193e6 * 1.115**k))
            for k in range(QUARTERS)
        ),
        assumptions=numbers(),
        warnings=(
            "trainium1 holds the GPT-4-class model only on 32 chips; its performance is projected, not measured.",
            "6 of 10 inputs rest on estimates or assumptions.",
        ),
        seconds=14.2,
        shadow_prices=(
            shadow("h100-sxm", "2024Q1", "chip", 0.0, "H100 from Nvidia"),
            shadow("h100-sxm", "2024Q2", "chip", 41_000, "H100 from Nvidia"),
            shadow("cash", "2024Q2", "USD", 0.12, "dollar of cash for orders"),
        ),
        near_best=near_best_rows(), leverage=leverage(),
    )
