"""The stages that a route is made of."""

from __future__ import annotations

from dataclasses import replace

from fabless.errors import BadValue, Fault, suggestion
from fabless.programme.parameters import ProgrammeModel, Route
from fabless.programme.stages import Gate, Stage, before, part_of, topological_order
from fabless.records import Range

START = {
    Route.BUILD: "team", Route.CO_DESIGN: "team", Route.ACQUIRE: "deal", Route.PARTNER: "agreement",
}
"""First stage of each route: hiring, a deal, or an agreement."""
INTEGRATION, TAPE_OUT, SILICON, BRING_UP = "integration", "tape-out", "silicon", "bring-up"
RESPINS, QUALIFICATION, SOFTWARE, VOLUME, RAMP = (
    "respins", "qualification", "software", "volume", "ramp",
)
DESIGN = ("architecture", "RTL and verification", "physical design")


def route_stages(parameters: ProgrammeModel) -> tuple[Stage, ...]:
    """Return the stages of a programme in topological order.

    Hardware is a chain from the start of the route to qualification; software runs beside it from
    the start of work. Volume waits for both, and for every own stage that nothing else waits for.
    Respins have no duration here: it is drawn.

    Raises `BadValue` for a cycle, an unknown stage, or a gate on no stage or on two.
    """
    stated = {stage.name: stage for stage in parameters.stages}
    if len(stated) < len(parameters.stages):
        topological_order(parameters.stages)
    route = [stated.pop(stage.name, stage) for stage in _route(parameters)]
    stages = [*route, *stated.values()]
    waited = {name for stage in stages for name in stage.after}
    loose = tuple(
        stage.name
        for stage in stages
        if stage.name not in waited and stage.name not in (VOLUME, RAMP)
    )
    stages = [
        replace(stage, after=(*stage.after, *loose)) if stage.name == VOLUME else stage
        for stage in stages
    ]
    ordered = topological_order(stages)
    _check_gates(parameters, ordered)
    return _without_done(parameters, ordered)


def _route(programme: ProgrammeModel) -> tuple[Stage, ...]:
    start = START[programme.route]
    architecture, rtl, physical = (
        Stage(
            name=name, after=(), duration_s=part_of(programme.design_s, share),
            spend_usd=_money(programme.design_usd, share), slips=True, slowed=True,
            drawn_with="design_s",
            gate=gate,
        )
        for name, share, gate in zip(
            DESIGN, programme.design_shares, (Gate.ARCHITECTURE, None, Gate.TAPE_OUT), strict=True
        )
    )
    return (
        Stage(name=start, after=(), duration_s=programme.deal_s),
        Stage(name=INTEGRATION, after=(start,), duration_s=programme.integration_s),
        replace(architecture, after=(INTEGRATION,)),
        replace(rtl, after=(architecture.name,)),
        replace(physical, after=(rtl.name,)),
        Stage(name=TAPE_OUT, after=(physical.name,), spend_usd=programme.masks_usd),
        Stage(name=SILICON, after=(TAPE_OUT,), duration_s=programme.fab_s),
        Stage(
            name=BRING_UP, after=(SILICON,),
            duration_s=part_of(programme.qualification_s, programme.bring_up_share), slips=True,
            drawn_with="qualification_s", gate=Gate.FIRST_SILICON,
        ),
        Stage(name=RESPINS, after=(BRING_UP,)),
        Stage(
            name=QUALIFICATION, after=(RESPINS,),
            duration_s=part_of(programme.qualification_s, 1.0 - programme.bring_up_share),
            slips=True, drawn_with="qualification_s", gate=Gate.QUALIFICATION,
        ),
        Stage(
            name=SOFTWARE, after=(INTEGRATION,), duration_s=programme.software_s,
            spend_usd=programme.software_usd,
        ),
        Stage(name=VOLUME, after=(QUALIFICATION, SOFTWARE), gate=Gate.DEPLOYMENT),
        Stage(name=RAMP, after=(VOLUME,), duration_s=programme.ramp_s),
    )


def _money(amount: Range, share: float) -> Range:
    part = part_of(amount, share)
    assert isinstance(part, Range)
    return part


def _check_gates(parameters: ProgrammeModel, stages: tuple[Stage, ...]) -> None:
    place = f"programme {parameters.name}"
    faults = []
    for gate, counts in zip(Gate, parameters.hazards, strict=True):
        carriers = [stage.name for stage in stages if stage.gate is gate]
        if len(carriers) > 1 or (not carriers and counts.failed > 0):
            faults.append(
                Fault(
                    f"{place}, gate {gate.name}", f"on {' and '.join(carriers) or 'no stage'}",
                    "one stage for each gate", "set `gate` on one own stage",
                )
            )
    if faults:
        raise BadValue(*faults)


def _without_done(parameters: ProgrammeModel, stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """Take time, money and gate from every stage before the one at which the chip stands; the start
    of the route stays."""
    if not parameters.stands_at:
        return stages
    names = [stage.name for stage in stages]
    if parameters.stands_at not in names:
        raise BadValue(
            Fault(
                f"programme {parameters.name}, stands_at",
                f"unknown stage {parameters.stands_at!r}", ", ".join(names),
                suggestion(parameters.stands_at, names, "name the stage under way"),
            )
        )
    done = before(stages, parameters.stands_at) - before(stages, INTEGRATION) - {INTEGRATION}
    return tuple(replace(stage, duration_s=Range.point(0.0), spend_usd=Range.point(0.0), gate=None)
                 if stage.name in done else stage for stage in stages)
