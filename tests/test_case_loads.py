"""Loads that fade by themselves and shares that move, against formulas written out here."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from case_fixture import MINIMAL, edited
from fabless.case_records import Case, named
from fabless.catalogue.case.case import parse_case
from fabless.errors import BadValue
from fabless.records import Array
from fabless.scenario import Scenarios, expected, fresh_paths, sample
from fabless.scenario.draws import queries_per_day
from fabless.scenario.news import kinds_of
from fabless.strategy import Throughput, load_rates
from fabless.strategy.outlook import grown
from fabless.units import DAY_S, QUARTER_S

TRAINING = """\
  training:
    kind: training
    flop: {value: 1.0e+24}
    growth: {value: 4}
    utilisation: {value: 0.4}
    unserved_price: {value: 0.006}
"""
OWN_FADING = """\
    growth_long_run: {value: 1.1}
    growth_fade: {value: 5}
"""
MOVES = "    share_later: {value: 0.2}\n    share_time: {value: 1.5}\n"


def second_chat(share: str, name: str = "small") -> str:
    """Another load of queries, like the first, with a share."""
    load = re.search(r"(?s)  chat:\n(.*?)existing:", MINIMAL)
    assert load
    return f"  {name}:\n{load[1]}{share}"


def read(*loads: str) -> Case:
    return parse_case(edited(MINIMAL, ("existing:", f"{''.join(loads)}existing:")), "my.yaml", Path())


def years(drawn: Scenarios) -> Array:
    return np.asarray(drawn.tree.quarter / 4.0)


def fading(first: float, last: float, fade_years: float, at: Array) -> Array:
    """Multiple of what grows by `first` a year at first and by `last` in the long run."""
    return np.exp(np.log(last) * at + np.log(first / last) * fade_years * (1.0 - np.exp(-at / fade_years)))


@pytest.mark.parametrize(
    ("own", "last", "fade"),
    [("", 1.2, 2.0), (OWN_FADING, 1.1, 5.0), ("    growth_fade: {value: 5}\n", 1.2, 5.0)],
    ids=["as demand", "its own", "its own pace alone"],
)
def test_training_fades_by_its_own_numbers_or_by_those_of_demand(own: str, last: float, fade: float) -> None:
    case = read(TRAINING + own)
    for drawn in (sample(case), fresh_paths(case, 5, 1)):
        np.testing.assert_allclose(
            drawn.demand["training"], 1e24 * fading(4.0, last, fade, years(drawn)), rtol=1e-12)


def test_each_training_load_goes_its_own_way() -> None:
    experiments = TRAINING.replace("training:\n    kind", "experiments:\n    kind").replace("1.0e+24", "3.0e+23")
    drawn = sample(read(TRAINING, experiments + OWN_FADING))
    np.testing.assert_allclose(
        drawn.demand["training"], 1e24 * fading(4.0, 1.2, 2.0, years(drawn)), rtol=1e-12)
    np.testing.assert_allclose(
        drawn.demand["experiments"], 3e23 * fading(4.0, 1.1, 5.0, years(drawn)), rtol=1e-12)


def test_a_share_moves_to_another_and_the_rest_takes_what_is_left() -> None:
    case = read(second_chat("    share: {value: 0.7}\n" + MOVES))
    for drawn in (sample(case), fresh_paths(case, 5, 1)):
        queries = queries_per_day(drawn, case) * QUARTER_S / DAY_S
        share = 0.2 + 0.5 * np.exp(-years(drawn) / 1.5)
        np.testing.assert_allclose(drawn.demand["small"], share * queries, rtol=1e-12)
        np.testing.assert_allclose(drawn.demand["chat"], (1.0 - share) * queries, rtol=1e-12)


def test_an_outlook_goes_on_with_the_share_that_is_believed() -> None:
    """From the quarter of the outlook on, the formula at what the path believes there."""
    case = read(second_chat(
        "    share: {low: 0.5, mode: 0.6, high: 0.7}\n"
        "    share_later: {low: 0.1, mode: 0.2, high: 0.4}\n"
        "    share_time: {low: 1, mode: 2, high: 4}\n"))
    count, now = 40, 3
    drawn = fresh_paths(case, count, 1)
    outlook = expected(case, drawn, now)
    believed = {key: drawn.draws.at_nodes(f"loads.small.{key}").reshape(-1, count)[now]
                for key in ("share", "share_later", "share_time")}
    assert all(np.ptp(values) > 0 for values in believed.values())
    queries = queries_per_day(outlook, case) * QUARTER_S / DAY_S
    found = (outlook.demand["small"] / queries).reshape(-1, count)
    year_s = 4.0 * QUARTER_S
    for quarter in range(now, case.quarters):
        left = np.exp(-quarter * QUARTER_S / believed["share_time"])
        by_hand = believed["share_later"] + (believed["share"] - believed["share_later"]) * left
        np.testing.assert_allclose(found[quarter], by_hand, rtol=1e-12)
    assert 1.0 <= believed["share_time"].min() / year_s <= believed["share_time"].max() / year_s <= 4.0


def test_where_a_share_goes_is_learnt_and_where_it_is_can_be_measured() -> None:
    case = read(second_chat("    share: {value: 0.7}\n" + MOVES), TRAINING + OWN_FADING)
    kinds = kinds_of(case)
    assert kinds["loads.small.share"] == "today"
    assert {kinds[f"loads.small.{key}"] for key in ("share_later", "share_time")} == {"gradual"}
    assert {kinds[f"loads.training.growth_{key}"] for key in ("long_run", "fade")} == {"gradual"}


def test_a_share_that_moves_to_itself_is_a_share_that_stays() -> None:
    stays, moves = (read(second_chat("    share: {value: 0.7}\n" + extra)) for extra in
                    ("", MOVES.replace("0.2", "0.7")))
    one, two = sample(stays), sample(moves)
    for name in one.demand:
        assert one.demand[name].tobytes() == two.demand[name].tobytes()
    assert set(named(moves.numbers)) - set(named(stays.numbers)) == {
        "loads.small.share_later", "loads.small.share_time"}


@pytest.mark.parametrize("loads", [
    "    share: {value: 0.7}\n    share_later: {value: 0.2}\n",
    "    share: {value: 0.7}\n    share_time: {value: 2}\n",
], ids=["no time", "no end"])
def test_half_a_moving_share_is_refused(loads: str) -> None:
    with pytest.raises(BadValue, match="share_later and share_time together"):
        read(second_chat(loads))


def test_the_rest_of_the_queries_moves_as_the_others_let_it() -> None:
    text = edited(MINIMAL, ("    unserved", f"{MOVES}    unserved"))
    with pytest.raises(BadValue, match=r"loads\.chat: a share by share_later, share_time"):
        parse_case(text, "my.yaml", Path())


def test_shares_are_checked_in_every_quarter_and_not_by_their_ends_alone() -> None:
    """0.6 that falls to 0 beside 0.1 that rises to 0.9 is fine at one pace and too much at
    another."""
    falls = "    share: {value: 0.6}\n    share_later: {value: 0}\n    share_time: {value: 2}\n"

    def rises(time: str) -> str:
        return f"    share: {{value: 0.1}}\n    share_later: {{value: 0.9}}\n    share_time: {time}\n"

    drawn = sample(read(second_chat(falls), second_chat(rises("{value: 2}"), "large")))
    assert min(drawn.demand["chat"]) > 0.0
    most = max(0.6 * np.exp(-q / 8) + 0.9 - 0.8 * np.exp(-q / 4 / 0.5) for q in range(8))
    assert most > 1.0
    for time in ("{value: 0.5}", "{low: 0.5, mode: 2, high: 3}"):
        with pytest.raises(BadValue, match=re.escape(f"can reach {most:g} together")):
            read(second_chat(falls), second_chat(rises(time), "large"))


def test_a_load_may_take_more_work_than_its_model_gives() -> None:
    """Twice the work of a query: half the queries a chip, of this load alone."""
    plain = read(second_chat("    share: {value: 0.7}\n"))
    heavy = read(second_chat("    share: {value: 0.7}\n    work: {value: 2}\n"))
    throughput = Throughput({"chat": 3.0, "small": 5.0}, 400.0)
    rates = [load_rates(case, sample(case), throughput, np.ones(sample(case).tree.size))
             for case in (plain, heavy)]
    np.testing.assert_allclose(rates[1] / rates[0], np.broadcast_to([[1.0], [0.5]], rates[0].shape))


def test_supply_grows_by_numbers_of_its_own() -> None:
    """Allotments fade to the long-run growth that `supply` states, not to that of demand."""
    case = parse_case(edited(MINIMAL, (
        "  scarce_price: {value: 1.2}\n",
        "  scarce_price: {value: 1.2}\n  growth_long_run: {value: 1.05}\n  growth_fade: {value: 3}\n",
    )), "my.yaml", Path())
    drawn = sample(case)
    np.testing.assert_allclose(
        grown(drawn, np.full(drawn.tree.size, 1.8), drawn.tree.quarter),
        fading(1.8, 1.05, 3.0, years(drawn)), rtol=1e-12)
