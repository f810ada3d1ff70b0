"""One way against another on one screen of a terminal."""

from __future__ import annotations

from rich.console import Console

from fabless import wording
from fabless.decide import TwoWays
from fabless.report.money import cause_bridge
from fabless.report.table import Column, print_table, say
from fabless.report.turns import NOT_ASKED

_PARTS = {"cash": "cash", "unserved": "unserved demand, at its price", "risk": "priced risk"}
_NOTHING_USD = 0.5
"""Money under which a cause is left out."""


def two_ways_sentence(pair: TwoWays) -> str:
    """How two ways differ, in a sentence; a difference within two standard errors is none."""
    apart = pair.against
    way, other = (pair.way_titles[name] for name in (apart.way, apart.other))
    size, error = wording.usd(abs(apart.difference_usd)), wording.usd(2.0 * apart.error_usd)
    side = "less" if apart.difference_usd < 0.0 else "more"
    if apart.is_tie:
        return f"{way} cannot be told from {other}: it costs {size} {side} in all, ± {error}."
    return (f"{way} costs {size} {side} in all than {other} (± {error}), mostly in "
            f"{_PARTS[apart.decides].split(',')[0]}.")


def print_two_ways(pair: TwoWays, console: Console) -> None:
    """Print the difference, its parts and causes, and what must be true for the other to be
    cheaper."""
    apart = pair.against
    way, other = (pair.way_titles[name] for name in (apart.way, apart.other))
    say(console, two_ways_sentence(pair), "bold")
    console.print()
    columns = (Column(f"{way} less {other}"), Column("USD", number=True), Column("What it holds"))
    texts, total = wording.usd_parts([getattr(apart, f"{part}_usd") for part in _PARTS])
    parts = [[title, text, ""] for title, text in zip(_PARTS.values(), texts, strict=True)]
    causes = [[f"  {step.part}", step.text, step.how]
              for step in cause_bridge(apart).steps if abs(step.usd) >= _NOTHING_USD]
    print_table("", columns, [
        *parts, ["in all", total, f"± {wording.usd(2.0 * apart.error_usd)}, two standard errors"],
        ["by cause", "", ""], *causes], console)
    dear = other if pair.cheaper == apart.way else way
    console.print()
    say(console, f"What must be true for {dear} to be cheaper", "bold")
    if pair.turns is None:
        say(console, f"- {NOT_ASKED[0].lower()}{NOT_ASKED[1:]}", indent=2)
    else:
        turning = pair.turns.turning
        for text in [turn.text for turn in turning] or [pair.turns.text]:
            say(console, f"- {text}", indent=2)
        say(console, f"{pair.turns.tried} inputs tried, {len(pair.turns.telling)} tell the two apart "
            "beyond chance.", "dim", indent=2)
    console.print()
    say(console,
        f"{pair.title}; {pair.paths:,} fresh scenarios, {pair.detail} detail, present value in USD "
        f"of {pair.price_year}; {way} is cheaper on {wording.in_percent(apart.cheaper_share)} of "
        "the scenarios.", "dim")
