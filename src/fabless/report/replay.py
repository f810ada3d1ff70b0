"""A replay on a terminal: what each way comes to on what happened, and what its regret is made of."""

from __future__ import annotations

from rich.console import Console

from fabless import wording
from fabless.backtest.replay.results import Replay, ReplayCost, ReplayWay
from fabless.report.table import Column, print_table, say

_PARTS = {"first orders": "First\norders", "demand": "Demand", "price": "Prices",
          "supply": "Supply", "timing": "Timing", "programmes": "Lines and\nprogrammes"}


def print_replay(replay: Replay, console: Console) -> None:
    """Print a replay: costs of each way and of the company, then the parts of each regret."""
    say(console, replay_words(replay), "bold")
    console.print()
    print_table(f"On what happened until {replay.until}, and from then on what is expected", [
        Column("Way", name=True), Column("Cost", number=True), Column("Paid", number=True),
        Column("Unserved,\nat its price", number=True), Column("Paid\nto date", number=True),
        Column("Missing\nto date", number=True), Column("With\nforesight", number=True),
        Column("Regret", number=True)],
        [*(_row(way) for way in replay.ways), *_company_row(replay)], console)
    console.print()
    print_table("What the regret comes from", [
        Column("Way", name=True), *(Column(title, number=True) for title in _PARTS.values()),
        Column("Regret", number=True)],
        [_parts(way) for way in replay.ways], console)
    console.print()
    for note in replay.notes:
        say(console, note, indent=2)


def replay_words(replay: Replay) -> str:
    """What the replay says, in a sentence or two."""
    names = {way.name: way.label for way in replay.ways}
    places = "; ".join(wording.listed([names[name] for name in place]) for place in replay.ranking)
    words = f"On what happened the ways rank, cheapest first: {places}."
    if replay.company is not None:
        cost = replay.company.cost
        words += (f" The company's own orders cost {wording.usd(cost.cost_usd)}, "
                  f"{wording.usd(replay.company.regret_usd)} more than perfect foresight of the "
                  "portfolio.")
    return words


def whole_usd(value: float) -> str:
    """Write USD; what is less than a dollar is the rounding of a linear programme.

    >>> whole_usd(3e-8), whole_usd(2.5e9)
    ('$0', '$2.50B')
    """
    return wording.usd(float(round(value)))


def _money(cost: ReplayCost) -> list[str]:
    return [whole_usd(cost.cost_usd), whole_usd(cost.cash_usd), whole_usd(cost.unserved_usd),
            whole_usd(cost.cash_to_date_usd), wording.in_percent(cost.missing_to_date)]


def _row(way: ReplayWay) -> list[str]:
    return [way.label, *_money(way.planned), whole_usd(way.foreseen.cost_usd),
            whole_usd(way.regret_usd)]


def _company_row(replay: Replay) -> list[list[str]]:
    if replay.company is None:
        return []
    return [["the company", *_money(replay.company.cost), wording.MISSING,
             whole_usd(replay.company.regret_usd)]]


def _parts(way: ReplayWay) -> list[str]:
    """Parts of a regret and the regret, so that they add up as printed."""
    usd = {part.part: part.usd for part in way.parts}
    texts, total = wording.usd_parts([usd[part] for part in _PARTS])
    return [way.label, *texts, total]
