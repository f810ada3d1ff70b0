"""What would change the answer, and what other draws of the scenarios say of it, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from fabless import wording
from fabless.decide import Decision, Turns

NOT_ASKED = "Not asked at this level of detail."
_MOST = 3


def turn_lines(decision: Decision) -> Iterator[str]:
    """A line for each other way: what must be true for it to be cheaper than the recommended one;
    nothing where that was not asked, or no input bears on the two."""
    for turns in decision.questions.turns or ():
        if turns.tried:
            yield f"- {decision.way_of(turns.way)}: {turns.text}"


def change_words(decision: Decision) -> str:
    """What would change the answer, in a few sentences; that it was not asked where it was not."""
    asked = decision.questions
    said: list[str] = []
    if asked.turns is not None:
        said += _turned(asked.turns)
    if asked.sensitivities is not None:
        said += _moved(decision)
    said += [f"{flip.text}." for flip in (asked.flips or ())[:_MOST]]
    return " ".join(said) or NOT_ASKED


def _turned(pairs: tuple[Turns, ...]) -> list[str]:
    """The inputs that turn the answer; where none does, how many were tried."""
    texts = list(dict.fromkeys(turn.text for turns in pairs for turn in turns.turning))
    if texts:
        return [f"{wording.heading(text)}." for text in texts[:_MOST]]
    tried = max((turns.tried for turns in pairs), default=0)
    return [f"None of the {tried} inputs tried turns it within its range."] if tried else []


def _moved(decision: Decision) -> list[str]:
    """Inputs at an end of which another way ranks first; where none is, how many were tried."""
    tried = [effect for effect in decision.questions.sensitivities or ()
             if effect.best_usual is not None]
    flips = [
        f"{effect.label} at {wording.with_unit(value, effect.unit)} ({decision.way_of(other)} first)"
        for effect in tried
        for value, other in ((effect.low, effect.best_low), (effect.high, effect.best_high))
        if other is not None and other != effect.best_usual]
    if flips:
        return ["; ".join(flips[:2]) + "."]
    if not tried:
        return []
    return [f"None of the {len(tried)} inputs tried, each at the low and the high end of its range, changes "
            "which single way ranks first."]


def independent_lines(decision: Decision) -> Iterator[str]:
    """What trees drawn independently say: of each way against the recommended one, and of each
    first order."""
    stability = decision.questions.stability
    if stability is None:
        return
    if stability.differences:
        yield f"over {len(stability.seeds)} independent draws: " + ", ".join(
            f"{decision.way_of(item.way)} {_apart(item.difference_usd, item.error_usd)}"
            for item in stability.differences)
    yield from (order.text for order in stability.first_orders)


def _apart(mean_usd: float, error_usd: float) -> str:
    amount = f"{'+' if mean_usd >= 0.0 else ''}{wording.usd(mean_usd)} ± {wording.usd(2.0 * error_usd)}"
    return f"tie ({amount})" if abs(mean_usd) <= 2.0 * error_usd else amount
