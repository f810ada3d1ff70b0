"""A coming generation may begin a new scarce spell: against products of transition matrices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from case_fixture import MINIMAL, edited
from fabless.case_records import Case, Line
from fabless.catalogue.case.case import parse_case
from fabless.errors import BadValue
from fabless.records import Array, Range
from fabless.scenario import expected, fresh_paths, sample, scarce_chance
from fabless.units import QUARTER_S

COMING = """\
    successors: 2
    successor_first: {value: 9}
    successor_gap: {value: 6}
    successor_gain: {value: 2}
    successor_price: {value: 1.2}
    successor_power: {value: 1.2}
"""
ARRIVALS = (3, 5)
"""Quarters after 9 months and after 15."""
AGAIN = 0.6


def read(again: str = f"{{value: {AGAIN}}}", coming: str = COMING, *edits: tuple[str, str]) -> Case:
    stated = f"  scarce_again: {again}\n" if again else ""
    text = edited(MINIMAL, ("lines:\n", f"{stated}lines:\n"), ("    lead_normal", f"{coming}    lead_normal"), *edits)
    return parse_case(text, "my.yaml", Path())


def matrix(quarter: int) -> Array:
    """Transitions into a quarter, normal first: a normal spell of 8 quarters ends by itself or with
    an arrival, a scarce one of 4 by itself."""
    stays = (1.0 - 1.0 / 8.0) * (1.0 - AGAIN if quarter in ARRIVALS else 1.0)
    return np.array([[stays, 1.0 - stays], [0.25, 0.75]])


def odds(start: float, since: int, until: int) -> float:
    state = np.array([1.0 - start, start])
    for quarter in range(since + 1, until + 1):
        state = state @ matrix(quarter)
    return float(state[1])


def test_odds_on_the_tree_are_the_product_of_the_matrices() -> None:
    drawn = sample(read())
    first = drawn.scarce[drawn.tree.quarter == 2]
    assert sorted(first) == [0.0, 1.0]
    for k, path in enumerate(drawn.tree.ancestors()):
        quarter = int(drawn.tree.quarter[k])
        since = 2 if quarter >= 2 else 0
        by_hand = odds(float(drawn.scarce[path[since]]), since, quarter)
        assert drawn.scarce[k] == pytest.approx(by_hand, abs=1e-12)


def test_fresh_paths_turn_as_often_as_the_matrices_say() -> None:
    count = 6000
    scarce = fresh_paths(read(), count, 3).scarce.reshape(-1, count)
    assert set(np.unique(scarce)) == {0.0, 1.0}
    for quarter in range(1, 8):
        for state in (0, 1):
            here = scarce[quarter][scarce[quarter - 1] == state]
            chance = matrix(quarter)[state, 1]
            if here.size:
                assert abs(here.mean() - chance) < 4 * np.sqrt(chance * (1 - chance) / here.size)


def test_an_outlook_expects_the_arrivals_that_are_still_to_come() -> None:
    case, count = read(), 30
    drawn = fresh_paths(case, count, 1)
    for now in (1, 2, 3, 4, 6):
        seen = drawn.scarce.reshape(-1, count)[now]
        outlook = expected(case, drawn, now).scarce.reshape(-1, count)
        for quarter in range(now, 8):
            by_hand = [odds(float(state), now, quarter) for state in seen]
            np.testing.assert_allclose(outlook[quarter], by_hand, atol=1e-12)
        chance = scarce_chance(case, drawn, now)
        np.testing.assert_allclose(chance, outlook[now + 1], atol=1e-12)
        on, off = (expected(case, drawn, now, scarce_next=state).scarce for state in (1.0, 0.0))
        np.testing.assert_allclose(
            (chance * on.reshape(-1, count) + (1 - chance) * off.reshape(-1, count))[now:],
            outlook[now:], atol=1e-12)


def test_each_generation_raises_the_chance_once_whatever_its_date_turns_out_to_be() -> None:
    """Slips that become known late move arrivals, even behind the quarter in which they are told;
    with a chance of 1 each arrival in normal supply begins a spell that never ends."""
    coming = COMING + "    successor_slip: {low: 0.2, mode: 1, high: 3}\n"
    never = (("scarce_duration: {value: 12}", "scarce_duration: {value: 1.0e+9}"),
             ("normal_duration: {value: 24}", "normal_duration: {value: 1.0e+9}"),
             ("scarce_at_start: {value: 1}", "scarce_at_start: {value: 0}"))
    count = 500
    case = read("{value: 1}", coming, *never)
    drawn = fresh_paths(case, count, 2)
    scarce = drawn.scarce.reshape(-1, count)
    slip = drawn.draws.at_nodes("lines.h100.successor_slip").reshape(-1, count)
    told = np.rint(3 * slip)
    arrival = np.full(count, 99.0)
    for quarter in range(1, 8):
        arrival = np.where((arrival == 99.0) & (told[quarter] <= quarter), float(quarter), arrival)
    assert {1.0, 3.0, 5.0, 99.0} <= set(arrival)
    for quarter in range(1, 8):
        np.testing.assert_array_equal(scarce[quarter], arrival <= quarter)


def test_a_chance_of_nothing_and_none_stated_are_the_same() -> None:
    plain, zero = read(""), read("{value: 0}")
    for one, two in ((sample(plain), sample(zero)), (fresh_paths(plain, 50, 1), fresh_paths(zero, 50, 1))):
        assert one.scarce.tobytes() == two.scarce.tobytes()


def test_only_bought_generations_of_the_dominant_vendor_count() -> None:
    """Those of a second vendor make no scarcity, nor do rented chips or a second line of the
    first; another first line does at its own dates."""
    case = read()
    line, terms = case.lines[0], case.numbers.lines["h100"]
    assert terms.successor_first is not None
    soon = replace(terms.successor_first, name="lines.soon.successor_first",
                   spread=Range.point(2 * QUARTER_S))
    numbers = replace(case.numbers, lines={"h100": terms, "soon": replace(terms, successor_first=soon)})
    other = replace(line, name="soon")

    def scarce(*lines: Line) -> bytes:
        return sample(replace(case, lines=lines, numbers=numbers)).scarce.tobytes()

    usual = sample(case).scarce.tobytes()
    assert scarce(line, other) == usual
    assert scarce(replace(other, vendor="amd"), line) == usual
    assert scarce(replace(other, how="rent"), line) == usual
    assert scarce(other, line) != usual


@pytest.mark.parametrize("coming", ["", COMING.replace("successors: 2", "successors: 0")])
def test_without_coming_generations_the_chance_is_refused(coming: str) -> None:
    with pytest.raises(BadValue, match=r"supply\.scarce_again: no line of nvidia that is bought has successors"):
        read(f"{{value: {AGAIN}}}", coming)
