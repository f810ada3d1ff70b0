"""Rebuild published claims from facts: what the facts give, how far off it is, and which input
would have to change.

Every number comes from a fact of the catalogue or from a model of this package. A claim holds when
something that its wording allows lies in the band which the bands of its inputs span; each recipe
is monotone in each input, so the corners of the inputs span it.
"""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Callable, Mapping, Sequence

from scipy.optimize import brentq

from fabless.catalogue.facts.store import Catalogue
from fabless.catalogue.files.claims import Claim, Rebuild, Statement, read_claims
from fabless.claims.formula import formula_text
from fabless.claims.modelled import modelled_input
from fabless.claims.recipes import RECIPES
from fabless.claims.results import ClaimResult, InputUsed, NeededInput, Published, Verdict
from fabless.errors import BadValue, Fault, Leak, unknown
from fabless.records import Range
from fabless.units import from_si

Recipe = Callable[..., float]

_WIDEST_FACTOR = 100.0
"""No input is looked for beyond this factor from its value."""


def _printed(value: float, unit: str) -> float:
    """An SI value in `unit`, without the last bits that going to SI and back leaves."""
    return float(f"{from_si(value, unit):.12g}")


def _said(value: float, unit: str) -> str:
    return f"{value:,.6g}" if unit == "1" else f"{value:,.6g} {unit}"


def _published(claim: Claim, statement: Statement) -> Published:
    unit = statement.unit
    value = None if statement.value is None else _printed(statement.value, unit)
    return Published(
        value=value, low=_printed(statement.low, unit), high=_printed(statement.high, unit),
        unit=unit, date=claim.date, source=claim.sources,
    )


def _inputs(catalogue: Catalogue, rebuild: Rebuild, place: str) -> tuple[InputUsed, ...]:
    """The facts that a rebuild names, then what it asks of the models."""
    used = []
    for name, where in rebuild.inputs.items():
        fact = catalogue.fact(where.entity, where.field, where.period)
        band = catalogue.range(where.entity, where.field, where.period)
        low, value, high = (_printed(end, fact.unit) for end in (band.low, band.mode, band.high))
        used.append(
            InputUsed(
                name=name, fact=str(where), value=value, low=low, high=high, unit=fact.unit,
                grade=fact.grade, source=fact.source, note=fact.note, place=fact.place,
            )
        )
    for name, asked in rebuild.modelled.items():
        used.append(modelled_input(catalogue, name, asked, place))
    return tuple(used)


def _recipe(rebuild: Rebuild, place: str) -> Recipe:
    """The recipe of a rebuild, its arguments checked against the inputs."""
    if rebuild.recipe not in RECIPES:
        raise unknown("recipe", rebuild.recipe, list(RECIPES), place)
    recipe = RECIPES[rebuild.recipe]
    signature = inspect.signature(recipe)
    try:
        signature.bind(**rebuild.inputs, **rebuild.modelled)
    except TypeError as error:
        raise BadValue(
            Fault(
                f"{place} {rebuild.name}", f"{rebuild.recipe}: {error}",
                ", ".join(signature.parameters), "name each input of the recipe once",
            )
        ) from error
    return recipe


def _span(recipe: Recipe, spreads: Mapping[str, Range]) -> Range:
    """Band of a recipe that is monotone in each input: the extremes over all corners of the
    inputs."""
    corners = [
        recipe(**dict(zip(spreads, corner, strict=True)))
        for corner in itertools.product(*((spread.low, spread.high) for spread in spreads.values()))
    ]
    mode = recipe(**{name: spread.mode for name, spread in spreads.items()})
    return Range(min(mode, *corners), mode, max(mode, *corners))


def _target(statement: Statement, mode: float) -> float | None:
    """What the recipe would have to give; None where its mode is already what the wording
    allows."""
    if statement.low <= mode <= statement.high:
        return None
    if statement.value is not None:
        return statement.value
    return statement.low if mode < statement.low else statement.high


def _solve(recipe: Recipe, modes: Mapping[str, float], name: str, target: float) -> float | None:
    """Value of one input at which the recipe gives the target, the others at their mode; None where
    there is none."""
    if modes[name] <= 0.0:
        return None

    def miss(log_factor: float) -> float:
        return recipe(**{**modes, name: modes[name] * math.exp(log_factor)}) / target - 1.0

    widest = math.log(_WIDEST_FACTOR)
    if miss(-widest) * miss(widest) > 0.0:
        return None
    root = brentq(miss, -widest, widest, xtol=1e-14, rtol=1e-14)  # type: ignore[no-untyped-call]
    return modes[name] * math.exp(float(root))


def _outside(value: float, band: Range) -> float:
    """How far a positive value lies outside a band, as a logarithm; 0 inside it."""
    nearest_end = min(max(value, band.low), band.high)
    return abs(math.log(value / nearest_end)) if nearest_end > 0.0 else math.inf


def _needed(recipe: Recipe, inputs: Sequence[InputUsed], target: float) -> tuple[NeededInput, ...]:
    """What each input alone would have to be: nearest to its band first, then by the least
    change."""
    modes = {used.name: used.si.mode for used in inputs}
    candidates: list[tuple[float, float, int, NeededInput]] = []
    for used in inputs:
        value = _solve(recipe, modes, used.name, target)
        if value is not None:
            outside = _outside(value, used.si)
            needed = NeededInput(
                name=used.name, fact=used.fact, value=from_si(value, used.unit), unit=used.unit,
                factor=value / modes[used.name], in_band=outside < 1e-9)
            candidates.append(
                (round(outside, 9), round(abs(math.log(needed.factor)), 9), len(candidates), needed)
            )
    return tuple(needed for *_, needed in sorted(candidates, key=lambda entry: entry[:3]))


def _deviation(statement: Statement, mode: float) -> float:
    if statement.value is not None:
        return mode / statement.value - 1.0
    nearest_end = min(max(mode, statement.low), statement.high)
    return mode / nearest_end - 1.0


def _rebuilt(catalogue: Catalogue, claim: Claim, rebuild: Rebuild) -> ClaimResult:
    """One claim rebuilt in one way."""
    recipe = _recipe(rebuild, claim.place)
    statement = rebuild.statement
    published = _published(claim, statement)
    try:
        inputs = _inputs(catalogue, rebuild, claim.place)
    except Leak as leak:
        return ClaimResult(
            id=claim.id, claim=claim.claim, short=claim.short, kind=claim.kind,
            variant=rebuild.name, published=published, rebuilt=None, deviation=None,
            verdict="cannot be rebuilt", breaking_input=None, needed=(), formula="", inputs=(),
            note=leak.faults[0].found,
        )
    band = _span(recipe, {used.name: used.si for used in inputs})
    target = _target(statement, band.mode)
    needed = _needed(recipe, inputs, target) if target is not None else ()
    holds = band.low <= statement.high and statement.low <= band.high
    low, mode, high = (_printed(end, statement.unit) for end in (band.low, band.mode, band.high))
    formula = formula_text(recipe, {used.name: _said(used.value, used.unit) for used in inputs})
    return ClaimResult(
        id=claim.id, claim=claim.claim, short=claim.short, kind=claim.kind, variant=rebuild.name,
        published=published, rebuilt=Range(low, mode, high),
        deviation=_deviation(statement, band.mode),
        verdict="holds" if holds else "breaks", breaking_input=needed[0] if needed else None,
        needed=needed, formula=f"{formula} = {_said(mode, statement.unit)}", inputs=inputs,
        note=rebuild.note,
    )


def _told(catalogue: Catalogue, claim: Claim) -> ClaimResult:
    """A claim without a number to rebuild: an event that a fact shows, or the reason why not."""
    published = _published(claim, claim.statement) if claim.statement else None
    verdict: Verdict = "cannot be rebuilt"
    note = claim.reason
    if claim.event is not None:
        try:
            seen = catalogue.fact(claim.event.entity, claim.event.field, claim.event.period)
            verdict, note = "happened", f"{note} [{claim.event}: {seen.source.title}]"
        except Leak as leak:
            note = leak.faults[0].found
    return ClaimResult(
        id=claim.id, claim=claim.claim, short=claim.short, kind=claim.kind, variant="",
        published=published, rebuilt=None, deviation=None, verdict=verdict, breaking_input=None,
        needed=(), formula="", inputs=(), note=note,
    )


def rebuild(catalogue: Catalogue, claims: Sequence[Claim] | None = None) -> tuple[ClaimResult, ...]:
    """Rebuild every claim in each of its ways, in the order of the claims file.

    Parameters: `catalogue`, the facts; seen from an as-of date, a way whose facts became known later cannot be rebuilt;
    `claims`, those of the shipped file unless given.

    Raises `UnknownName` for a recipe, entity or field that is not there, `BadValue` for inputs that
    do not fit a recipe.
    """
    results: list[ClaimResult] = []
    for claim in read_claims() if claims is None else claims:
        results += [_rebuilt(catalogue, claim, way) for way in claim.rebuilds] or [
            _told(catalogue, claim)]
    return tuple(results)
