"""Chip programmes on the page: stages, gates, odds, and the inputs at which one begins to pay."""

from __future__ import annotations

from collections.abc import Iterator

from fabless.decide import Decision, Flip, ProgrammeValue, TimelineStage
from fabless.decide.results import ProgrammeView
from fabless.plan import ProjectPlan
from fabless.records import Band
from fabless.report.document import Plain
from fabless.units import Quarter, from_si
from fabless.wording import heading


def own_data(decision: Decision) -> dict[str, Plain]:
    """Every chip programme, the most valuable first, and the inputs at which one begins or ceases
    to pay."""
    stages: dict[str, list[TimelineStage]] = {}
    for stage in decision.timeline:
        stages.setdefault(stage.programme, []).append(stage)
    worth = {item.name: item for item in decision.programme_values}
    return {
        "programmes": [
            {"key": name, "name": heading(decision.title_of(name)),
             "title": decision.title_of(name),
             "stages": [{"stage": stage.stage, "start": band_data(stage.start),
                         "end": band_data(stage.end)} for stage in stages.get(name, [])],
             "gates": list(_gates(decision, name)), **_worth(decision, name, worth.get(name))}
            for name in dict.fromkeys((*worth, *stages))],
        "breaks": [
            {"programme": flip.programme, "name": flip.name, "at": flip.value, "unit": flip.unit,
             "above": flip.pays_above, "inside": _is_inside(decision, flip)}
            for flip in decision.questions.flips or ()],
    }


def band_data(band: Band) -> dict[str, Plain]:
    """P10, P50 and P90 of a band."""
    return {"p10": band.p10, "p50": band.p50, "p90": band.p90}


def _is_inside(decision: Decision, flip: Flip) -> bool:
    spread = next((item.spread for item in decision.assumptions if item.name == flip.name), None)
    return spread is not None and (
        from_si(spread.low, flip.unit) <= flip.value <= from_si(spread.high, flip.unit))


def _worth(decision: Decision, name: str, worth: ProgrammeValue | None) -> dict[str, Plain]:
    """Way that commits to a programme, when its chip comes if it is carried through, and what it is
    worth."""
    view = _view(decision, name)
    volume = view.carried_through.volume_quarter if view else None
    return {
        "way": next((way.name for way in decision.strategies
                     if way.programme and way.programme.name == name), ""),
        "volume": dict(zip(("p10", "p50", "p90"), volume, strict=True)) if volume else None,
        "volume_quarter": worth.volume_quarter if worth else "",
        "chance": worth.volume_probability if worth else None,
        "value": worth.value_usd if worth else None,
        "value_error": worth.error_usd if worth else None,
    }


def _view(decision: Decision, name: str) -> ProgrammeView | None:
    return next((way.programme for way in decision.strategies
                 if way.programme and way.programme.name == name), None)


def _gates(decision: Decision, name: str) -> Iterator[dict[str, Plain]]:
    """Gates of a programme started now, with the chance that it is given up there, and what has
    been spent at the first one at which it can be."""
    plan = _plan(decision, name)
    if plan is None:
        return
    first = Quarter.parse(decision.first_quarter)
    can_end = [step.quarter for step in plan.steps if step.give_up > 0.0]
    for step in plan.steps:
        yield {"quarter": str(first + step.quarter), "start": step.start, "go_on": step.go_on,
               "give_up": step.give_up,
               "sunk": plan.committed_usd if can_end[:1] == [step.quarter] else None}


def _plan(decision: Decision, name: str) -> ProjectPlan | None:
    """Plan of a programme in the way that commits to it; where none does, in any that has it."""
    ways = sorted(decision.strategies,
                  key=lambda way: not (way.programme and way.programme.name == name))
    return next((plan for way in ways for plan in way.gates if plan.name == name), None)
