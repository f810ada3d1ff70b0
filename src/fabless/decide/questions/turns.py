"""What must be true for the other of two ways to be cheaper.

On the fresh paths both ways met the same drawn values, so their difference, path by path, says
which inputs tell them apart. Each input that either way rests on is tried by the correlation of
normal scores, of its values and of the difference in cost over the cost itself: neither heavy tails
nor the mere size of demand sway it. Of all that are tried those are named that pass the rule of
Benjamini and Hochberg (1995): of the inputs named, at most a tenth is expected to be there by luck.
Where the expected difference in total is zero is read off a straight line through the differences,
on the logarithm where the range is logarithmic. Then both ways are solved again on a small tree
with the input at points along its range.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from fabless.arrays import ranks
from fabless.case_records import CaseNumber, named
from fabless.decide.fresh.judge import Judged
from fabless.decide.questions.sensitivity import UNPLANNED, label_of
from fabless.decide.results import Turn, Turns
from fabless.decide.ways.problem import World, world_with_ranges
from fabless.decide.ways.solved import roughly_solved
from fabless.records import Array, Range
from fabless.strategy import Commitment, way_labels
from fabless.titles import titles
from fabless.units import UNITS, from_si
from fabless.wording import listed, with_unit

FALSE_SHARE = 0.1
"""Share of the inputs named that may be expected to be there by luck."""
LEADING = 3
"""Inputs of a pair, strongest first, that are checked on the small tree."""
POINTS = 4
"""Points along the range of an input on the small tree, its ends included."""
ALIKE = 1e-9
"""Share of what is at stake under which a difference is the same on every path."""


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What one input does to a difference on fresh paths."""

    name: str
    correlation: float
    """Correlation of normal scores."""
    chance: float
    """Probability of so strong a correlation by luck, to either side."""


@dataclass(frozen=True, kw_only=True)
class Slope:
    """A straight line through differences over an input, on its own scale."""

    at_zero: float | None
    """Value at which the line is zero; None where it is level."""
    between: tuple[float, float] | None
    """Two standard errors to either side of that."""
    rise: float
    """Rise of the line from the low to the high end of the input's range."""


@dataclass(frozen=True, eq=False)
class _Solve:
    """One way on the small tree, with one input at a value; None: as it is."""

    world: World
    commitment: Commitment
    name: str | None
    value: float


def all_turns(
    judged: Judged, small: World, chosen: Mapping[str, Commitment], executor: Executor
) -> tuple[Turns, ...]:
    """Every way against the recommended one; `chosen` holds what each enters into."""
    pairs = [(way, judged.best) for way in judged.ways if way != judged.best]
    return turns_of(judged, small, chosen, pairs=pairs, executor=executor)


def turns_of(
    judged: Judged, small: World, chosen: Mapping[str, Commitment], *,
    pairs: Sequence[tuple[str, str]], executor: Executor,
) -> tuple[Turns, ...]:
    """What tells the ways of each pair apart, the leading inputs checked on the world `small`."""
    entered = {way: replace(commitment, may_start=()) for way, commitment in chosen.items()}
    values = {pair: inputs_of(judged, [chosen[way] for way in pair]) for pair in pairs}
    totals = {pair: judged.total_usd[pair[0]] - judged.total_usd[pair[1]] for pair in pairs}
    effects = {pair: [] if is_level(totals[pair]) else telling(
        relative_difference(judged, pair), values[pair]) for pair in pairs}
    numbers = named(small.case.numbers)
    jobs: dict[object, _Solve] = {}
    for pair in pairs:
        for effect in effects[pair][:LEADING]:
            for value in _points(numbers[effect.name]):
                for way in pair:
                    job = _Solve(small, entered[way], effect.name, value)
                    jobs.setdefault(_key(job), job)
    cost = dict(zip(jobs, executor.map(_objective, jobs.values()), strict=True))

    def line(pair: tuple[str, str], name: str) -> list[tuple[float, float]]:
        """Difference on the small tree along an input."""
        def at(way: str, value: float) -> float:
            return float(cost[_key(_Solve(small, entered[way], name, value))])

        return [(value, at(pair[0], value) - at(pair[1], value))
                for value in _points(numbers[name])]

    called, labels = titles(small.case), way_labels(small.case)
    answers = []
    for pair in pairs:
        apart = totals[pair]
        rows = tuple(
            _turn(pair, numbers[effect.name], effect,
                  fit=slope(apart, values[pair][effect.name], numbers[effect.name].spread),
                  line=line(pair, effect.name) if k < LEADING else None, called=called,
                  labels=labels)
            for k, effect in enumerate(effects[pair]))
        tried = 0 if is_level(apart) else len(values[pair])
        answers.append(Turns(way=pair[0], other=pair[1], tried=tried, telling=rows,
                             text=_summary(pair, rows, tried, labels)))
    return tuple(answers)


def inputs_of(judged: Judged, entered: Sequence[Commitment]) -> dict[str, Array]:
    """Values (N,) along the fresh paths of every number of the case that is drawn and on which any
    of these commitments rests."""
    way = judged.ways[judged.best]
    open_keys = {
        "lines": {line.name for item in entered for line in item.lines},
        "programmes": {programme.name for item in entered
                       for programme in (*item.programmes, *item.may_start)},
    }

    def bears(name: str) -> bool:
        section, _, rest = name.partition(".")
        return section not in open_keys or rest.split(".")[0] in open_keys[section]

    return {name: drawn for name, drawn in way.values.items()
            if name not in UNPLANNED and np.ptp(drawn) > 0 and bears(name)}


def relative_difference(judged: Judged, pair: tuple[str, str]) -> Array:
    """Difference in cost of two ways over the cost of both, by path (N,)."""
    way, other = (judged.ways[name].cost_usd for name in pair)
    return np.asarray((way - other) / np.maximum(np.abs(way) + np.abs(other), 1e-300))


def telling(apart: Array, values: Mapping[str, Array]) -> list[Effect]:
    """Inputs whose effect on the differences (N,) is beyond chance, strongest first; none where the
    difference is the same on every path."""
    if is_level(apart) or apart.size < 4:
        return []
    effects = sorted((_effect(name, drawn, apart) for name, drawn in values.items()),
                     key=lambda effect: (effect.chance, effect.name))
    passed = [k for k, effect in enumerate(effects, start=1)
              if effect.chance <= FALSE_SHARE * k / len(effects)]
    return effects[:max(passed, default=0)]


def is_level(apart: Array) -> bool:
    """Whether a difference is the same on every path."""
    return bool(np.ptp(apart) <= ALIKE * float(np.abs(apart).max()) + 1e-300)


def normal_scores(values: Array) -> Array:
    """Normal quantiles of the ranks.

    >>> normal_scores(np.array([5.0, 1.0, 2.0])).round(3).tolist()
    [0.674, -0.674, 0.0]
    """
    from scipy.special import ndtri

    return np.asarray(ndtri(ranks(values) / (values.size + 1.0)))


def _effect(name: str, drawn: Array, apart: Array) -> Effect:
    from scipy.special import stdtr

    free = apart.size - 2
    correlation = float(np.corrcoef(normal_scores(drawn), normal_scores(apart))[0, 1])
    size = abs(correlation) * np.sqrt(free / max(1.0 - correlation**2, 1e-300))
    return Effect(name=name, correlation=correlation, chance=float(2.0 * stdtr(free, -size)))


def slope(apart: Array, drawn: Array, spread: Range) -> Slope:
    """Least-squares line through differences over an input, and where it is zero.

    >>> drawn = np.array([1.0, 2.0, 3.0, 4.0])
    >>> fit = slope(2.0 * drawn - 4.0, drawn, Range(1.0, 2.0, 5.0))
    >>> round(fit.at_zero, 6), round(fit.rise, 6)
    (2.0, 8.0)
    """
    to, back = _scale(spread)
    x = to(drawn)
    middle, mean = float(x.mean()), float(apart.mean())
    spread_x = float(((x - middle) ** 2).sum())
    steep = float((x - middle) @ (apart - mean)) / spread_x
    rise = steep * float(to(spread.high) - to(spread.low))
    if steep == 0.0:
        return Slope(at_zero=None, between=None, rise=rise)
    zero = middle - mean / steep
    rest = apart - mean - steep * (x - middle)
    noise = float(np.sqrt(rest @ rest / max(apart.size - 2, 1)))
    error = noise / abs(steep) * np.sqrt(1.0 / apart.size + (zero - middle) ** 2 / spread_x)
    between = float(back(zero - 2.0 * error)), float(back(zero + 2.0 * error))
    return Slope(at_zero=float(back(zero)), between=between, rise=rise)


def _scale(spread: Range) -> tuple[Callable[..., Array], Callable[..., Array]]:
    """To the scale of a range, and back."""
    if spread.scale == "log":
        return np.log, lambda value: np.exp(np.clip(value, -700.0, 700.0))
    return np.asarray, np.asarray


def tree_crossing(line: Sequence[tuple[float, float]], rising: bool) -> float | None:
    """First value at which a line of (value, difference) goes through zero upwards, or downwards.

    >>> tree_crossing([(0.0, -1.0), (1.0, 1.0), (2.0, 3.0)], True)
    0.5
    >>> tree_crossing([(0.0, -1.0), (1.0, 1.0)], False) is None
    True
    """
    for (left, before), (right, after) in pairwise(line):
        if before != after and (before < 0.0 <= after if rising else before >= 0.0 > after):
            return left + (right - left) * before / (before - after)
    return None


def _turn(
    pair: tuple[str, str], number: CaseNumber, effect: Effect, *, fit: Slope,
    line: Sequence[tuple[float, float]] | None, called: Mapping[str, str],
    labels: Mapping[str, str],
) -> Turn:
    """One input that tells two ways apart, in words too."""
    spread = number.spread
    rising = effect.correlation > 0.0
    # where the mean goes against the ranks the line says nothing of a turn
    at_zero = fit.at_zero if (fit.rise > 0.0) == rising else None
    within = at_zero is not None and spread.low <= at_zero <= spread.high
    own = None if line is None else tree_crossing(line, rising)
    if line is None:
        checked, value = "not checked", at_zero
    elif within:
        checked, value = ("not confirmed" if own is None else "confirmed"), at_zero
    elif own is not None:
        checked, value = "tree", own
    else:
        checked, value = "not confirmed", at_zero
    unit = number.unit if number.unit in UNITS else "1"
    shown = None if value is None else from_si(value, unit)
    tree = None if own is None else from_si(own, unit)
    between = (None if fit.between is None or checked == "tree" or value is None
               else (from_si(fit.between[0], unit), from_si(fit.between[1], unit)))
    below, above = pair if rising else pair[::-1]
    turn = Turn(
        way=pair[0], other=pair[1], name=number.name, label=label_of(number.name, called),
        unit=unit, low=from_si(spread.low, unit), high=from_si(spread.high, unit), value=shown,
        between=between, inside=value is not None and spread.low <= value <= spread.high,
        cheaper_below=below, cheaper_above=above, effect_usd=fit.rise, chance=effect.chance,
        checked=checked, tree_value=tree, text="")
    return replace(turn, text=_words(turn, labels))


def _words(turn: Turn, labels: Mapping[str, str]) -> str:
    """When the first way of the pair is cheaper, or that no value within the range makes it so."""
    way = labels[turn.way]
    side = "under" if turn.cheaper_below == turn.way else "over"
    if turn.value is None:
        return f"{turn.label}: tells them apart; no value at which they cost the same was found"
    value = with_unit(_rounded(turn.value), turn.unit)
    if not turn.inside:
        ends = " to ".join(with_unit(end, turn.unit) for end in (turn.low, turn.high))
        return f"{turn.label} {side} {value}: {way} is cheaper, outside its range of {ends}"
    return f"{turn.label} {side} {value}: {way} is cheaper{_check_words(turn)}"


def _check_words(turn: Turn) -> str:
    if turn.checked == "confirmed" and turn.tree_value is not None:
        return f" (confirmed on a small tree, there {with_unit(_rounded(turn.tree_value), turn.unit)})"
    if turn.checked == "tree":
        return " (on a small tree; the fresh scenarios place the turn outside its range)"
    if turn.checked == "not confirmed":
        return " by the fresh scenarios, but a small tree does not turn with it"
    return " by the fresh scenarios; not checked on a tree"


def _rounded(value: float) -> float:
    return float(f"{value:.2g}")


def _summary(
    pair: tuple[str, str], rows: Sequence[Turn], tried: int, labels: Mapping[str, str]
) -> str:
    """One sentence on a pair."""
    way, other = (labels[name] for name in pair)
    if not tried:
        return f"{way} and {other} differ by the same amount on every path: no input bears on it"
    turning = [row for row in rows if row.inside and row.checked != "not confirmed"]
    if turning:
        return "; or ".join(row.text for row in turning)
    none = (f"none of the {tried} inputs tried turns {way} against {other} within its range")
    if not rows:
        return f"{none}: none tells them apart beyond chance"
    return f"{none}; {listed([row.label for row in rows[:LEADING]])} " + (
        "tells them apart most" if len(rows) == 1 else "tell them apart most")


def _points(number: CaseNumber) -> list[float]:
    """Values along the range of an input, on its own scale."""
    to, back = _scale(number.spread)
    ends = to(number.spread.low), to(number.spread.high)
    return [float(value) for value in back(np.linspace(*ends, POINTS))]


def _key(job: _Solve) -> object:
    commitment = job.commitment
    return (tuple(line.name for line in commitment.lines),
            tuple(item.name for item in commitment.programmes),
            None if commitment.contracts is None else tuple(
                item.name for item in commitment.contracts), job.name, job.value)


def _objective(job: _Solve) -> float:
    world = job.world if job.name is None else world_with_ranges(
        job.world, {job.name: Range.point(job.value)})
    return roughly_solved(world, "", (job.commitment,)).result.objective_usd


def rivals(judged: Judged, count: int) -> list[str]:
    """The `count` ways nearest to the recommended one whose difference from it is not the same on
    every path, nearest first."""
    apart = {name: judged.total_usd[name] - judged.total_usd[judged.best] for name in judged.ways}
    others = [name for name in apart if not is_level(apart[name])]
    return sorted(others, key=lambda name: abs(float(apart[name].mean())))[:count]


def telling_names(judged: Judged, chosen: Mapping[str, Commitment], count: int) -> list[str]:
    """The `count` inputs by the strength with which they tell the recommended way from its two
    nearest rivals, whether beyond chance or not."""
    chance: dict[str, float] = {}
    for rival in rivals(judged, 2):
        pair = rival, judged.best
        apart = relative_difference(judged, pair)
        for name, drawn in inputs_of(judged, [chosen[way] for way in pair]).items():
            chance[name] = min(_effect(name, drawn, apart).chance, chance.get(name, 1.0))
    return sorted(chance, key=lambda name: (chance[name], name))[:count]
